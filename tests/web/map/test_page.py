"""The page: open to everybody, framed by Label Studio only, and no other route became open beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from ml_backend.web.map.page import IMMUTABLE, page_routes, policy

from .conftest import UID, MapWorld


def page_app(world: MapWorld, built: Path) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(page_routes(world.maps, built))
    return app


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><div id=app></div>")
    (tmp_path / "assets" / "main-abc.js").write_text("1")
    (tmp_path / "secret.txt").write_text("secret")
    return tmp_path


def test_the_page_and_its_files(world: MapWorld, built: Path) -> None:
    client = page_app(world, built).test_client()
    page = client.get(f"/map/{UID}")
    assert page.status_code == 200
    assert page.mimetype == "text/html"
    assert client.get(f"/map/{UID}", headers={"If-None-Match": page.headers["ETag"]}).status_code == 304
    script = client.get("/map/assets/main-abc.js")
    assert script.headers["Cache-Control"] == IMMUTABLE
    assert script.mimetype == "text/javascript"
    for path in ("../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "none.js"):
        assert client.get(f"/map/assets/{path}").status_code == 404


def test_without_a_build_it_says_what_to_run(world: MapWorld, tmp_path: Path) -> None:
    reply = page_app(world, tmp_path).test_client().get(f"/map/{UID}")
    assert reply.status_code == 503
    assert "make frontend" in reply.text


def test_only_label_studio_may_frame_the_page(world: MapWorld) -> None:
    reply = world.client.get(f"/map/{UID}")
    rules = reply.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' http://label.example:8080" in rules
    assert "script-src 'self' 'unsafe-eval';" in rules
    assert "X-Frame-Options" not in reply.headers
    assert world.client.get("/health").headers["X-Frame-Options"] == "DENY"
    state = world.client.get(f"/map/{UID}/api/state", headers=world.headers())
    assert state.headers["X-Frame-Options"] == "DENY"


def test_label_studio_as_browsers_call_it_may_frame_the_page(tmp_path: Path) -> None:
    made = MapWorld(tmp_path, label_studio_url="http://inside:8080", label_studio_browser_url="https://ls.example")
    rules = made.client.get(f"/map/{UID}").headers["Content-Security-Policy"]
    made.db.close()
    assert rules.endswith("frame-ancestors 'self' https://ls.example http://inside:8080")


@pytest.mark.parametrize(
    ("address", "ancestors"),
    [
        ("https://ls.example/prefix", "'self' https://ls.example"),
        ("http://localhost:8080", "'self' http://localhost:8080 http://127.0.0.1:8080"),
        ("http://[2001:db8::1]:80", "'self' http://[2001:db8::1]:80"),
        ("http://a;script-src *", "'self'"),
        ("http://*", "'self'"),
        ("javascript:alert(1)", "'self'"),
        ("http://user@", "'self'"),
        ("http://a:port", "'self'"),
        ("http://a\r\nX: 1", "'self' http://a"),
    ],
)
def test_only_plain_origins_reach_the_policy(address: str, ancestors: str) -> None:
    made = policy([address])
    assert made.endswith(f"frame-ancestors {ancestors}") or made.endswith("frame-ancestors 'self'")
    assert "\r" not in made
    assert "*" not in made


def test_the_rest_stays_guarded(world: MapWorld) -> None:
    for path in ("/", "/versions", "/mapx/1", "/map", "/status"):
        assert world.client.get(path).status_code == 401
