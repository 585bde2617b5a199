"""What the doctor says before Label Studio has been asked anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ml_backend.config import Settings
from ml_backend.label_studio import doctor
from ml_backend.label_studio.doctor import diagnose
from ml_backend.label_studio.findings import Finding, Severity
from ml_backend.store import projects
from ml_backend.store.database import Database
from tests.label_studio.conftest import CONFIG
from tests.label_studio.test_client import make_jwt


@pytest.fixture(autouse=True)
def lantern_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_answers", lambda target: True)


def connect(db: Database, number: int, **connection: object) -> None:
    kept = {"connected": True, "url": "http://ls.test", "token": make_jwt(seconds=-5)}
    with db.write() as session:
        project = projects.ensure(session, f"{number}.17")
        projects.configure(session, project, label_config=CONFIG, connection=kept | connection)


def wrong(db: Database, settings: Settings, project: int | None) -> list[Finding]:
    bare = replace(settings, label_studio_url=None, label_studio_api_key=None)
    return [found for found in diagnose(db, bare, project=project) if found.severity is not Severity.OK]


def test_another_token_is_given_to_connect_which_kept_the_refused_one(db: Database, settings: Settings) -> None:
    connect(db, 3)
    (found,) = wrong(db, settings, 3)
    assert found.what == "Label Studio refuses the token"
    assert "`lantern connect`" in found.mend


def test_without_a_project_the_connected_ones_are_named(db: Database, settings: Settings) -> None:
    (found,) = wrong(db, settings, None)
    assert found.severity is Severity.ERROR
    assert "LABEL_STUDIO_URL" in found.mend
    connect(db, 5)
    connect(db, 3)
    connect(db, 4, connected=False)
    (found,) = wrong(db, settings, None)
    assert found.severity is Severity.WARNING
    assert found.mend == "run `lantern doctor --project 3`, `lantern doctor --project 5`"
