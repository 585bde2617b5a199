"""The map goes into a label config and out of it for good, though Label Studio writes other changes over it."""

from __future__ import annotations

import httpx
import pytest

from ml_backend.config import Settings
from ml_backend.label_studio import map_connect
from ml_backend.label_studio.map_config import find_map
from ml_backend.label_studio.map_connect import hide_map, show_map
from ml_backend.store import projects
from ml_backend.store.database import Database
from tests.label_studio.conftest import CONFIG, UID, project_row
from tests.label_studio.fake import FakeLabelStudio


class Overwritten:
    """The first change of the label config is written over by a change that began before it and ends after it."""

    def __init__(self, fake: FakeLabelStudio) -> None:
        self.fake, self.pending = fake, True
        fake.before = self

    def __call__(self, request: httpx.Request) -> httpx.Response | None:
        if not self.pending or request.method != "PATCH" or b"label_config" not in request.content:
            return None
        self.pending = False
        before = dict(self.fake.project)
        reply = self.fake.answer(request)
        self.fake.project = before
        return reply


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeLabelStudio:
    monkeypatch.setattr(map_connect, "SETTLE_SECONDS", 0.0)
    made = FakeLabelStudio()
    made.add_tasks(1, 2)
    return made


def test_it_is_shown_and_hidden_though_the_first_change_is_lost(
    db: Database, settings: Settings, fake: FakeLabelStudio
) -> None:
    with db.write() as session:
        projects.ensure(session, UID)
    Overwritten(fake)
    show_map(db, settings, fake.api(), project_row(db))
    assert find_map(str(fake.project["label_config"])) is not None
    Overwritten(fake)
    hide_map(db, fake.api(), project_row(db))
    assert fake.project["label_config"] == CONFIG
