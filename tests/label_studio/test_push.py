"""Pushes: all tasks under one new version, then the pointer, then the old version; whatever breaks in between."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from ml_backend.engine.prediction import TaskPrediction
from ml_backend.errors import LabelStudioError, LabelStudioUnreachable, LeaseLost
from ml_backend.label_studio import push as module
from ml_backend.label_studio.push import Pusher
from ml_backend.store import counters, projects, pushes, tasks
from ml_backend.store.database import Database
from ml_backend.store.tables import Push
from tests.label_studio.conftest import CONFIG, UID, FakeEngine, prediction, project_row, publish
from tests.label_studio.fake import FakeLabelStudio, lost_answer

IMPORT = "/api/projects/3/import/predictions"


@pytest.fixture
def fake(db: Database, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLabelStudio]:
    """Ten tasks on both sides, one publication, batches of four."""
    monkeypatch.setattr(module, "SMALLEST_BATCH", 4)
    monkeypatch.setattr(module, "publish_labels", lambda db, uid, _: publish(db, uid))
    found = FakeLabelStudio()
    found.add_tasks(*range(1, 11))
    with db.write() as session:
        project = projects.ensure(session, UID)
        projects.configure(session, project, label_config=CONFIG)
        tasks.upsert_many(session, project, found.tasks.items())
    engine.task_ids = list(range(1, 11))
    publish(db)
    yield found
    scores = [p["score"] for p in found.predictions]
    assert all(isinstance(score, float) and 0 <= score <= 1 for score in scores), "no null score is ever sent"


def push_all(db: Database, engine: FakeEngine, fake: FakeLabelStudio) -> Any:
    return Pusher(db, engine, fake.api()).push(UID)


def newest(db: Database) -> Push:
    with db.read() as session:
        found = pushes.newest(session, projects.ensure(session, UID))
    assert found is not None
    return found


def label(db: Database) -> None:
    with db.write() as session:
        projects.touch_labels(session, projects.ensure(session, UID), 1, 0.0)


def test_every_task_once_then_the_pointer(db: Database, engine: FakeEngine, fake: FakeLabelStudio) -> None:
    done = push_all(db, engine, fake)
    assert fake.versions() == {"lantern-test-1": 10}
    assert sorted(p["task"] for p in fake.predictions) == list(range(1, 11))
    assert fake.project["model_version"] == "lantern-test-1"
    assert (done.sent, done.created, done.refused) == (10, 10, 0)
    row = newest(db)
    assert (row.state, row.sent, row.created, row.old_versions) == ("done", 10, 10, [])
    assert fake.calls.index("PATCH /api/projects/3/") > max(
        i for i, c in enumerate(fake.calls) if c.endswith("predictions")
    )


def test_the_next_version_replaces_and_leaves_the_old_one_to_the_cleaner(
    db: Database, engine: FakeEngine, fake: FakeLabelStudio
) -> None:
    fake.predictions.append({"id": 1, "task": 1, "score": 0.1, "model_version": "of-somebody-else"})
    push_all(db, engine, fake)
    publish(db)
    push_all(db, engine, fake)
    assert fake.project["model_version"] == "lantern-test-2"
    assert newest(db).old_versions == ["lantern-test-1"]
    assert fake.versions()["of-somebody-else"] == 1


def test_labels_alone_get_a_version_of_their_own(db: Database, engine: FakeEngine, fake: FakeLabelStudio) -> None:
    push_all(db, engine, fake)
    label(db)
    assert push_all(db, engine, fake).model_version == "lantern-test-2"
    assert newest(db).labels_version == project_row(db).labels_version


def test_abstentions_are_stored_and_unreadable_tasks_are_not(
    db: Database, engine: FakeEngine, fake: FakeLabelStudio
) -> None:
    engine.special = {
        1: prediction(1, never_seen=True, score=0.01),
        2: TaskPrediction.unreadable(2, "empty text"),
        3: prediction(3, score=math.nan),
    }
    assert push_all(db, engine, fake).sent == 8
    stored = {p["task"]: p for p in fake.predictions}
    assert (stored[1]["result"], stored[1]["score"]) == ([], 0.01)
    assert 2 not in stored
    assert 3 not in stored


def test_dropped_predictions_are_counted_and_explained(
    db: Database, engine: FakeEngine, fake: FakeLabelStudio, caplog: pytest.LogCaptureFixture
) -> None:
    engine.special = {5: prediction(5, answers={"c": (("a", 0.5),)})}
    fake.drop = lambda item: item["task"] == 5
    done = push_all(db, engine, fake)
    assert (done.created, done.refused) == (9, 1)
    assert fake.project["model_version"] == "lantern-test-1"
    with db.read() as session:
        assert counters.read(session, projects.ensure(session, UID))["predictions_refused"] == 1
    assert "dropped 1 of 4 predictions" in caplog.text


def test_when_everything_is_dropped_the_project_keeps_what_it_shows(
    db: Database, engine: FakeEngine, fake: FakeLabelStudio
) -> None:
    fake.drop = lambda item: True
    assert push_all(db, engine, fake) is None
    assert fake.project["model_version"] == ""
    assert newest(db).state == "failed"


def test_a_task_that_is_gone_costs_only_itself(db: Database, engine: FakeEngine, fake: FakeLabelStudio) -> None:
    del fake.tasks[3], fake.tasks[9]
    assert push_all(db, engine, fake).created == 8
    assert project_row(db).reconcile_requested is not None


def test_deleted_tasks_are_not_sent(db: Database, engine: FakeEngine, fake: FakeLabelStudio) -> None:
    with db.write() as session:
        tasks.delete_many(session, projects.ensure(session, UID), [1, 2])
    assert push_all(db, engine, fake).sent == 8


def fail_on_import(count: int) -> Any:
    """The import call number `count` finds Label Studio down."""
    seen: list[int] = []

    def before(request: httpx.Request) -> httpx.Response | None:
        if request.url.path == IMPORT:
            seen.append(1)
            if len(seen) == count:
                raise httpx.ConnectError("down", request=request)
        return None

    return before


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_an_outage_is_gone_on_from_where_it_was(
    db: Database, engine: FakeEngine, fake: FakeLabelStudio, batch: int
) -> None:
    fake.before = fail_on_import(batch)
    with pytest.raises(LabelStudioUnreachable):
        push_all(db, engine, fake)
    assert fake.project["model_version"] == "", "a half push is not shown"
    assert newest(db).sent == 4 * (batch - 1)
    fake.before = None
    push_all(db, engine, fake)
    assert sorted(p["task"] for p in fake.predictions) == list(range(1, 11)), "nothing lost, nothing twice"
    assert newest(db).number == 1


def lose_answer(fake: FakeLabelStudio, count: int) -> None:
    """The answer to the import call number `count` is lost, and no other."""
    seen: list[int] = []

    def before(request: httpx.Request) -> httpx.Response | None:
        if request.url.path == IMPORT:
            seen.append(1)
            if len(seen) == count:
                return lost_answer(fake, IMPORT)(request)
        return None

    fake.before = before


@pytest.mark.parametrize(
    ("size", "count"),
    [(4, 1), (4, 2), (4, 3), (5, 2), (5_000, 1)],
    ids=["first", "middle", "last", "full-last", "only"],
)
def test_a_batch_whose_answer_was_lost_is_not_sent_twice(
    db: Database, engine: FakeEngine, fake: FakeLabelStudio, monkeypatch: pytest.MonkeyPatch, size: int, count: int
) -> None:
    monkeypatch.setattr(module, "SMALLEST_BATCH", size)
    lose_answer(fake, count)
    with pytest.raises(LabelStudioUnreachable):
        push_all(db, engine, fake)
    fake.before = None
    done = push_all(db, engine, fake)
    assert (done.sent, done.created) == (10, 10)
    assert sorted(p["task"] for p in fake.predictions) == list(range(1, 11))
    assert fake.versions() == {"lantern-test-1": 10}


def locked(fake: FakeLabelStudio, failures: int, *, carried_out: bool) -> Callable[[httpx.Request], Any]:
    """The first imports get a 500 after they did what they ask for, or before."""
    left = [1] * failures

    def before(request: httpx.Request) -> httpx.Response | None:
        if request.url.path != IMPORT or not left:
            return None
        left.pop()
        if carried_out:
            fake.before = None
            fake.answer(request)
            fake.calls.pop()
            fake.before = before
        return httpx.Response(500, json={"detail": "database is locked"})

    return before


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_label_studio_that_is_locked_for_a_moment_does_not_end_the_push(
    db: Database, engine: FakeEngine, fake: FakeLabelStudio, carried_out: bool
) -> None:
    fake.before = locked(fake, 2, carried_out=carried_out)
    assert push_all(db, engine, fake).created == 10
    assert sorted(p["task"] for p in fake.predictions) == list(range(1, 11)), "nothing lost, nothing twice"
    assert newest(db).created == 10


def test_a_label_studio_that_stays_locked_is_gone_on_with_later(
    db: Database, engine: FakeEngine, fake: FakeLabelStudio
) -> None:
    fake.before = locked(fake, 99, carried_out=False)
    with pytest.raises(LabelStudioUnreachable, match="locked"):
        push_all(db, engine, fake)
    assert fake.calls.count(f"POST {IMPORT}") == 5
    fake.before = None
    assert push_all(db, engine, fake).created == 10
    assert newest(db).number == 1


@pytest.mark.parametrize("size", [4, 5_000])
def test_a_lost_answer_about_refused_predictions_begins_a_new_version(
    db: Database, engine: FakeEngine, fake: FakeLabelStudio, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(module, "SMALLEST_BATCH", size)
    fake.drop = lambda item: item["task"] == 1
    lose_answer(fake, 1)
    with pytest.raises(LabelStudioUnreachable):
        push_all(db, engine, fake)
    fake.before = None
    with pytest.raises(LabelStudioError, match="pushing again"):
        push_all(db, engine, fake)
    assert fake.project["model_version"] == "", "what may lack some is not shown"
    assert push_all(db, engine, fake).model_version == "lantern-test-2"
    shown = [p["task"] for p in fake.predictions if p["model_version"] == "lantern-test-2"]
    assert sorted(shown) == list(range(2, 11))
    assert newest(db).old_versions == ["lantern-test-1"]


@pytest.mark.parametrize("path", ["/api/projects/3/", "/api/projects/3/model-versions/"])
def test_an_outage_after_the_import_sends_nothing_again(
    db: Database, engine: FakeEngine, fake: FakeLabelStudio, path: str
) -> None:
    def before(request: httpx.Request) -> httpx.Response | None:
        imported = fake.calls.count(f"POST {IMPORT}") == 3
        return httpx.Response(503) if imported and request.url.path == path else None

    fake.before = before
    with pytest.raises(LabelStudioUnreachable):
        push_all(db, engine, fake)
    fake.before = None
    push_all(db, engine, fake)
    assert fake.versions() == {"lantern-test-1": 10}
    assert fake.project["model_version"] == "lantern-test-1"
    assert fake.calls.count(f"POST {IMPORT}") == 3


@pytest.mark.parametrize("batches", [0, 1, 3])
def test_a_worker_whose_project_was_taken_over_leaves_the_rest_to_the_new_owner(
    db: Database, engine: FakeEngine, fake: FakeLabelStudio, batches: int
) -> None:
    def check_lease() -> None:
        if fake.calls.count(f"POST {IMPORT}") == batches:
            raise LeaseLost("taken over")

    with pytest.raises(LeaseLost):
        Pusher(db, engine, fake.api(), check_lease=check_lease).push(UID)
    assert fake.calls.count(f"POST {IMPORT}") == batches
    assert fake.project["model_version"] == ""
    push_all(db, engine, fake)
    assert sorted(p["task"] for p in fake.predictions) == list(range(1, 11))


@pytest.mark.parametrize("batches", [1, 3])
def test_a_disconnect_in_the_middle_stays_as_it_left_the_project(
    db: Database, engine: FakeEngine, fake: FakeLabelStudio, batches: int
) -> None:
    def before(request: httpx.Request) -> None:
        if request.url.path == IMPORT and fake.calls.count(f"POST {IMPORT}") == batches:
            with db.write() as session:
                projects.configure(session, projects.ensure(session, UID), connection={"connected": False})

    fake.before = before
    assert push_all(db, engine, fake) is None
    assert fake.project["model_version"] == ""
    assert fake.calls.count(f"POST {IMPORT}") == batches, "nothing more is sent"
    fake.before = None
    with db.write() as session:
        projects.configure(session, projects.ensure(session, UID), connection={"connected": True})
    assert push_all(db, engine, fake).created == 10


def test_a_half_push_is_given_up_when_the_predictions_move_on(
    db: Database, engine: FakeEngine, fake: FakeLabelStudio
) -> None:
    fake.before = fail_on_import(2)
    with pytest.raises(LabelStudioUnreachable):
        push_all(db, engine, fake)
    fake.before = None
    label(db)
    assert push_all(db, engine, fake).model_version == "lantern-test-2"
    assert newest(db).old_versions == ["lantern-test-1"], "what it left is cleared away"
    assert fake.versions() == {"lantern-test-1": 4, "lantern-test-2": 10}


def test_predictions_that_vanish_are_noticed_before_the_pointer_moves(
    db: Database, engine: FakeEngine, fake: FakeLabelStudio
) -> None:
    def before(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/model-versions/"):
            fake.predictions = fake.predictions[:3]
        return None

    fake.before = before
    with pytest.raises(LabelStudioError, match="found"):
        push_all(db, engine, fake)
    fake.before = None
    assert fake.project["model_version"] == ""
    assert push_all(db, engine, fake).model_version == "lantern-test-2", "under a fresh version"


def test_a_label_config_that_changed_unheard_is_taken_first(
    db: Database, engine: FakeEngine, fake: FakeLabelStudio
) -> None:
    fake.project["label_config"] = CONFIG.replace('"b"', '"c"')
    push_all(db, engine, fake)
    assert project_row(db).label_config == fake.project["label_config"]


def test_another_project_under_the_same_number_gets_nothing(
    db: Database, engine: FakeEngine, fake: FakeLabelStudio
) -> None:
    fake.project["created_at"] = "2027-01-01T00:00:00Z"
    with pytest.raises(LabelStudioError):
        push_all(db, engine, fake)
    assert fake.predictions == []


def test_nothing_is_sent_before_there_is_a_model(db: Database, engine: FakeEngine) -> None:
    with db.write() as session:
        projects.configure(session, projects.ensure(session, UID), label_config=CONFIG)
    fake = FakeLabelStudio()
    assert push_all(db, engine, fake) is None
    assert not any("import" in call for call in fake.calls)


def test_what_is_sent_is_strict_json(db: Database, engine: FakeEngine, fake: FakeLabelStudio) -> None:
    engine.special = {1: prediction(1, answers={"c": (("a", math.inf),)})}
    bodies: list[bytes] = []
    fake.before = lambda request: bodies.append(request.content) if request.url.path == IMPORT else None
    push_all(db, engine, fake)
    for body in bodies:
        json.loads(body, parse_constant=lambda word: pytest.fail(f"{word} was sent"))
