"""Whose labels wait for nobody: after a restart nobody holds the tokens any more, and the map says whose they were."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy.orm import Session

from ml_backend.config import Settings
from ml_backend.label_studio import outbox as sender
from ml_backend.store import outbox, senders
from ml_backend.store.database import Database
from ml_backend.store.tables import Project
from tests.label_studio.conftest import UID
from tests.label_studio.desk import Desk
from tests.label_studio.fake_people import BOB

LATER = senders.FRESH_SECONDS + 1.0


@pytest.fixture
def desk(db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(sender, "STILL_SECONDS", 0.05)
    made = Desk(db, settings)
    yield made
    made.close()


def waiting(desk: Desk, after: float = LATER) -> dict[str, int]:
    """Name -> annotations that nobody sends, so many seconds from now."""
    with desk.db.read() as session:
        return {one.name: one.waiting for one in senders.stranded(session, desk.row(), time.time() + after)}


def unreachable(request: httpx.Request) -> httpx.Response | None:
    if "/annotations/" in request.url.path:
        raise httpx.ConnectError("refused", request=request)
    return None


def test_nobody_is_asked_for_while_somebody_sends_or_nothing_waits(desk: Desk) -> None:
    assert waiting(desk) == {}
    desk.fake.before = unreachable
    desk.label("a", [1, 2])
    desk.until(lambda: bool(desk.errors()[0]))
    assert waiting(desk) == {}, "Label Studio is down: the person's token is here all the same"
    desk.fake.before = None
    desk.label("b", [3])
    desk.sent()
    assert waiting(desk) == {}


def test_after_a_restart_those_are_named_whose_labels_wait_until_they_come_back(desk: Desk) -> None:
    desk.fake.before = unreachable
    desk.label("a", [1, 2])
    desk.label("a", [3], token=BOB)
    desk.until(lambda: all(desk.errors()))
    desk.sender.stop()
    assert waiting(desk) == {"Ann Lee": 2, "bob@ls.test": 1}
    assert waiting(desk, after=0.0) == {}, "a moment ago"
    desk.fake.before = None
    after_restart = Desk(desk.db, desk.settings, fake=desk.fake)
    after_restart.acts.go_on(UID, after_restart.who())
    after_restart.until(lambda: after_restart.counts().waiting == 1)
    assert waiting(after_restart) == {"bob@ls.test": 1}
    after_restart.close()


def test_a_process_that_was_killed_is_missed_after_a_while(desk: Desk) -> None:
    desk.asleep = True
    desk.label("a", [1, 2])
    now = time.time()
    with desk.db.write() as session:
        outbox.claim(session, desk.row(), 1, "dead", 1, sender.CLAIM_SECONDS, now)
        senders.beat(session, desk.row(), 1, "dead", now + sender.PRESENT_SECONDS)
    assert waiting(desk) == waiting(desk, sender.PRESENT_SECONDS + 1) == {}
    assert waiting(desk, sender.CLAIM_SECONDS + 1) == {"Ann Lee": 2}


def test_a_refused_token_is_asked_for_at_once(desk: Desk) -> None:
    who = desk.who()
    desk.fake.people = {}
    desk.acts.label(UID, who, "c", "a", [1])
    desk.until(lambda: "sign in again" in str(desk.errors()[0]))
    desk.until(lambda: waiting(desk) == {"Ann Lee": 1})


def test_whoever_waits_for_label_studio_says_so_again_and_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(sender, "FIRST_PAUSE_SECONDS", 3600.0)
    beats: list[float] = []
    beat = senders.beat

    def watched(session: Session, project: Project, person_id: int, owner: str, until: float) -> None:
        beats.append(time.monotonic())
        beat(session, project, person_id, owner, until)

    monkeypatch.setattr(senders, "beat", watched)
    desk.fake.before = unreachable
    desk.label("a", [1])
    desk.until(lambda: len(beats) > 5)
    assert sum(desk.fake.posts().values()) == 1
