"""What the doctor says of the map beside the tasks."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from ml_backend.config import Settings
from ml_backend.label_studio import link_keys
from ml_backend.label_studio.findings import Severity
from ml_backend.label_studio.map_checkup import check_map
from ml_backend.label_studio.map_config import MapAddress, with_map
from ml_backend.store import projects
from ml_backend.store.database import Database
from tests.label_studio.conftest import CONFIG, UID, project_row

LABEL_STUDIO, LANTERN = "http://ls.test:8080", "http://lantern.test:9090"


class Web:
    """What both servers answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.policy: dict[str, str] = {}
        self.frame: dict[str, str] | None = {"content-security-policy": f"frame-ancestors 'self' {LABEL_STUDIO}"}
        monkeypatch.setattr(httpx, "get", self.get)

    def get(self, address: str, timeout: float) -> httpx.Response:
        headers = self.policy if address.startswith(LABEL_STUDIO) else self.frame
        if headers is None:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, headers=headers)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Web:
    return Web(monkeypatch)


@pytest.fixture
def config(db: Database) -> str:
    with db.write() as session:
        key = link_keys.new_key(session, projects.ensure(session, UID))
    return with_map(CONFIG, MapAddress(LANTERN, UID, key))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, label_studio_url=LABEL_STUDIO, browser_url=LANTERN)


def said(db: Database, settings: Settings, config: str) -> str:
    found = check_map(settings, project_row(db), config, LABEL_STUDIO)
    return "\n".join(f"{f.what} | {f.why} | {f.mend}" for f in found if f.severity is not Severity.OK)


def test_all_is_well_and_nothing_is_said_without_a_map(db: Database, settings: Settings, config: str, web: Web) -> None:
    assert said(db, settings, config) == ""
    assert list(check_map(settings, project_row(db), CONFIG, LABEL_STUDIO)) == []
    web.policy = {"content-security-policy-report-only": "default-src 'self'"}
    assert said(db, settings, config) == "", "reported is not refused"


def test_a_key_that_no_longer_opens(db: Database, settings: Settings, config: str, web: Web) -> None:
    with db.write() as session:
        link_keys.revoke(session, project_row(db))
    assert "revoked" in said(db, settings, config)


def test_another_address(db: Database, settings: Settings, config: str, web: Web) -> None:
    assert "LANTERN_BROWSER_URL" in said(db, replace(settings, browser_url="http://elsewhere.test"), config)


def test_mixed_content(db: Database, settings: Settings, config: str, web: Web) -> None:
    secure = replace(settings, label_studio_browser_url="https://ls.test")
    assert "mixed content" in said(db, secure, config)


@pytest.mark.parametrize(
    ("policy", "refused"),
    [
        ("default-src 'self'", "default-src"),
        (f"default-src 'self'; frame-src {LANTERN}", "default-src"),
        (f"default-src *; object-src 'none'; frame-src {LANTERN}", "object-src"),
        (f"default-src 'self' {LANTERN}", None),
        ("img-src 'self'", None),
        (f"default-src 'none'; object-src {LANTERN}; frame-src http:", None),
    ],
)
def test_an_enforced_policy(
    db: Database, settings: Settings, config: str, web: Web, policy: str, refused: str | None
) -> None:
    web.policy = {"content-security-policy": policy}
    text = said(db, settings, config)
    assert (refused in text and "LS_CSP_REPORT_ONLY" in text) if refused else text == ""


def test_pages_that_may_not_frame_it(db: Database, settings: Settings, config: str, web: Web) -> None:
    assert "LABEL_STUDIO_BROWSER_URL" in said(
        db, replace(settings, label_studio_browser_url="http://other.test:8080"), config
    )
    web.frame = {"x-frame-options": "DENY"}
    assert "may not be shown" in said(db, settings, config)
    web.frame = None
    assert "does not answer" in said(db, settings, config)
