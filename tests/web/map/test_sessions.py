"""Who may read which project through the map."""

from __future__ import annotations

import io
import re
import stat
from pathlib import Path

import pytest

from ml_backend.config import Settings
from ml_backend.label_studio.link_keys import CONNECTION_KEY
from ml_backend.store import projects
from ml_backend.web.attempts import LIMIT
from ml_backend.web.map.signing_key import FILE_NAME, signing_key

from ..conftest import basic
from .conftest import KEY, OTHER, OTHER_KEY, UID, MapWorld

LOG_IN = basic("ann", "password-1")


def test_every_route_of_the_interface_wants_a_token(world: MapWorld) -> None:
    rules = [rule for rule in world.app.url_map.iter_rules() if rule.rule.startswith("/map/<project>/api")]
    assert len(rules) >= 20
    for rule in rules:
        if rule.rule.endswith("/session"):
            continue
        path = re.sub(r"<any\('(\w+)'[^>]*>", r"\1", rule.rule.replace("<project>", UID))
        path = re.sub(r"<[^>]+>", "0", path)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            reply = world.client.open(path, method=method, json={} if method != "GET" else None)
            assert reply.status_code == 401, f"{method} {path} does not check the token"


def test_a_link_key_opens_its_own_project_only(world: MapWorld) -> None:
    own, other = world.headers(), world.headers(OTHER, OTHER_KEY)
    assert world.client.get(f"/map/{UID}/api/state", headers=own).get_json()["project"] == UID
    assert world.client.get("/map/5/api/state", headers=own).get_json()["project"] == UID
    for path in ("state", "columns/class", "columns/ids"):
        assert world.client.get(f"/map/{UID}/api/{path}", headers=other).status_code == 401
        assert world.client.get(f"/map/{OTHER}/api/{path}", headers=own).status_code == 401
    for project, key in ((UID, OTHER_KEY), (UID, ""), (UID, "x"), ("99", KEY), ("../..", KEY)):
        assert world.client.post(f"/map/{project}/api/session", json={"key": key}).status_code in (403, 404)


@pytest.mark.parametrize("bad", ["", "Bearer", "Bearer x", "Bearer " + "a.b.c", "Bearer " + "x" * 5000, "Token abc"])
def test_what_is_no_token_opens_nothing(world: MapWorld, bad: str) -> None:
    reply = world.client.get(f"/map/{UID}/api/state", headers={"Authorization": bad} if bad else {})
    assert reply.status_code == 401
    assert "error" in reply.get_json()


def test_a_refused_token_asks_no_browser_for_a_password(world: MapWorld) -> None:
    reply = world.client.get(f"/map/{UID}/api/state", headers={"Authorization": "Bearer x"})
    assert reply.headers["WWW-Authenticate"].lower().startswith("bearer")


def test_old_tokens_lock_nobody_out(world: MapWorld) -> None:
    for _ in range(LIMIT + 5):
        world.client.get(f"/map/{UID}/api/state", headers={"Authorization": "Bearer x"})
    assert world.client.get("/versions", headers=LOG_IN).status_code == 200


def test_a_token_ends_after_fifteen_minutes(world: MapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = world.headers()
    now = __import__("time").time()
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 14 * 60)
    assert world.client.get(f"/map/{UID}/api/state", headers=headers).status_code == 200
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 16 * 60)
    assert world.client.get(f"/map/{UID}/api/state", headers=headers).status_code == 401


def test_revoking_the_key_ends_its_sessions(world: MapWorld) -> None:
    headers = world.headers(OTHER, OTHER_KEY)
    by_log_in = world.client.post(f"/map/{OTHER}/api/session", headers=LOG_IN).get_json()["token"]
    with world.db.write() as session:
        project = projects.ensure(session, OTHER)
        before = dict(project.connection)
        projects.configure(
            session, project, connection={k: v for k, v in before.items() if k != CONNECTION_KEY} | {"x": 1}
        )
    try:
        assert world.client.get(f"/map/{OTHER}/api/state", headers=headers).status_code == 401
        again = world.client.post(f"/map/{OTHER}/api/session", json={"key": OTHER_KEY})
        assert again.status_code == 403
        log_in = {"Authorization": f"Bearer {by_log_in}"}
        assert world.client.get(f"/map/{OTHER}/api/state", headers=log_in).status_code == 200
    finally:
        with world.db.write() as session:
            projects.configure(session, projects.ensure(session, OTHER), connection=before)


def test_the_log_in_opens_a_session_and_nothing_does_not(world: MapWorld) -> None:
    path = f"/map/{UID}/api/session"
    assert world.client.post(path).status_code == 401
    assert world.client.post(path, json={}).status_code == 401
    assert world.client.post(path, headers=basic("ann", "wrong")).status_code == 401
    reply = world.client.post(path, headers=LOG_IN)
    assert reply.get_json()["expires_in"] == 900


def test_a_token_opens_nothing_outside_the_map(world: MapWorld) -> None:
    for path in ("/versions", "/status", "/metrics", "/"):
        assert world.client.get(path, headers=world.headers()).status_code == 401


def test_a_foreign_page_gets_no_session(world: MapWorld) -> None:
    reply = world.client.post(
        f"/map/{UID}/api/session", json={"key": KEY}, headers={"Sec-Fetch-Site": "cross-site", **LOG_IN}
    )
    assert reply.status_code == 403


@pytest.mark.parametrize("body", ["[]", "{", '{"key": 1}', '{"key": ["x"]}', '{"key": "\\ud800"}'])
def test_hostile_session_bodies(world: MapWorld, body: str) -> None:
    reply = world.client.post(f"/map/{UID}/api/session", data=body, content_type="application/json")
    assert reply.status_code in (400, 403)


def test_strangers_cannot_make_lantern_read_much(world: MapWorld) -> None:
    body = '{"key": "' + "x" * 5000 + '"}'
    assert world.client.post(f"/map/{UID}/api/session", data=body, content_type="application/json").status_code == 413


def test_a_key_in_a_body_of_unknown_length_is_not_overlooked(world: MapWorld) -> None:
    """Without a length it would pass for no key at all."""
    reply = world.client.post(
        f"/map/{UID}/api/session",
        input_stream=io.BytesIO(b'{"key": "wrong"}'),
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked", **LOG_IN},
    )
    assert reply.status_code == 413


def test_who_only_looks_cannot_either(world: MapWorld) -> None:
    body, kind = '{"rows": [' + "1," * 2**20 + "1]}", "application/json"
    reply = world.client.post(f"/map/{UID}/api/items", data=body, content_type=kind, headers=world.headers())
    assert reply.status_code == 413


def test_the_signing_key_is_kept_and_private(tmp_path: Path) -> None:
    home = Settings(home=tmp_path / "home").home
    key = signing_key(home)
    assert signing_key(home) == key
    assert stat.S_IMODE((home / FILE_NAME).stat().st_mode) == 0o600
    assert [file.name for file in home.iterdir()] == [FILE_NAME]
