"""What is changed in Label Studio while something of the map waits: nobody's answer is lost, and the newest counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from ml_backend.config import Settings
from ml_backend.label_studio import delivery, reconcile
from ml_backend.label_studio import outbox as sender
from ml_backend.store.database import Database
from tests.label_studio.conftest import UID
from tests.label_studio.desk import Desk
from tests.label_studio.fake_people import ANN

BOX = {"from_name": "box", "to_name": "text", "type": "labels", "value": {"labels": ["x"]}, "id": "bx"}
EARLIER, LATER = -60.0, 60.0

Tell = Callable[[Desk, str, dict[str, Any]], None]


@pytest.fixture
def desk(db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Nothing is sent until `go_on`."""
    monkeypatch.setattr(delivery, "FIRST_RETRY_SECONDS", 0.001)
    monkeypatch.setattr(sender, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(sender, "STILL_SECONDS", 0.05)
    monkeypatch.setattr(delivery, "LONG_SECONDS", 0.0)
    made = Desk(db, settings, asleep=True)
    monkeypatch.setattr(made.fake, "now", lambda: clock(2 * LATER))
    yield made
    made.close()


def webhook(desk: Desk, action: str, annotation: dict[str, Any]) -> None:
    desk.webhook(action, annotation=annotation)


def by_reconcile(desk: Desk, _action: str, _annotation: dict[str, Any]) -> None:
    reconcile.reconcile(desk.db, desk.fake.api_at("http://ls.test", ANN), UID)


def to_the_sender_alone(_desk: Desk, _action: str, _annotation: dict[str, Any]) -> None:
    """The webhook is lost."""


every_way = pytest.mark.parametrize("tell", [webhook, by_reconcile, to_the_sender_alone])


def clock(seconds: float) -> str:
    """Label Studio's, so long from now."""
    return datetime.fromtimestamp(time.time() + seconds, UTC).isoformat().replace("+00:00", "Z")


def made(desk: Desk, label: str, at: float = EARLIER, **changes: Any) -> dict[str, Any]:
    """The person's annotation 7 of task 1, told."""
    annotation = desk.fake.annotate(7, 1, label, updated_at=clock(at), **changes)
    desk.webhook("ANNOTATION_CREATED", annotation=annotation)
    return annotation


def changed(desk: Desk, result: list[dict[str, Any]], at: float = LATER, **changes: Any) -> dict[str, Any]:
    """The same, changed in Label Studio's editor."""
    desk.fake.annotations[7] = {**desk.fake.annotations[7], "result": result, "updated_at": clock(at), **changes}
    return desk.fake.annotations[7]


def go_on(desk: Desk) -> None:
    desk.asleep = False
    desk.acts.go_on(UID, desk.who())
    desk.sent()


def answered(label: str) -> dict[str, Any]:
    return {"from_name": "c", "to_name": "text", "type": "choices", "value": {"choices": [label]}, "id": "own"}


@every_way
@pytest.mark.parametrize("at", [EARLIER / 2, LATER])
def test_a_region_that_is_added_while_a_label_waits_stays(desk: Desk, tell: Tell, at: float) -> None:
    before = made(desk, "a")["result"]
    acted = desk.label("b", [1])
    tell(desk, "ANNOTATION_UPDATED", changed(desk, [*before, BOX], at))
    assert desk.labels() == {1: ["b"]}
    go_on(desk)
    assert desk.fake.labels() == desk.labels() == {1: ["b"]}
    assert BOX in desk.fake.annotations[7]["result"]
    desk.undo(acted)
    desk.sent()
    assert desk.fake.annotations[7]["result"] == [*before, BOX]


@every_way
def test_what_the_person_answered_in_label_studio_after_the_act_stays(desk: Desk, tell: Tell) -> None:
    made(desk, "a")
    acted = desk.label("b", [1, 2])
    tell(desk, "ANNOTATION_UPDATED", changed(desk, [answered("a"), BOX]))
    go_on(desk)
    assert desk.fake.labels() == desk.labels() == {1: ["a"], 2: ["b"]}
    assert desk.acts.list_newest(UID, 1)[0].progress.sent == 2
    assert desk.undo(acted).kept == 1
    desk.sent()
    assert desk.fake.labels() == desk.labels() == {1: ["a"]}


@every_way
def test_an_act_that_is_newer_than_the_answer_in_label_studio_replaces_it(desk: Desk, tell: Tell) -> None:
    """The webhook came late."""
    made(desk, "a")
    desk.label("b", [1])
    tell(desk, "ANNOTATION_UPDATED", changed(desk, [answered("a"), BOX], EARLIER / 2))
    go_on(desk)
    assert desk.fake.labels() == desk.labels() == {1: ["b"]}
    assert BOX in desk.fake.annotations[7]["result"]


@every_way
@pytest.mark.parametrize(("at", "label"), [(EARLIER, "b"), (LATER, "a")])
def test_a_person_who_submits_the_task_meanwhile_has_one_annotation_of_it(
    desk: Desk, tell: Tell, at: float, label: str
) -> None:
    acted = desk.label("b", [1])
    tell(desk, "ANNOTATION_CREATED", desk.fake.annotate(7, 1, "a", updated_at=clock(at)))
    go_on(desk)
    assert list(desk.fake.annotations) == [7]
    assert desk.fake.labels() == desk.labels() == {1: [label]}
    desk.undo(acted)
    desk.sent()
    assert desk.fake.labels() == desk.labels() == {1: ["a"]}


def test_an_annotation_that_answers_something_else_gets_the_label_too(desk: Desk) -> None:
    desk.label("b", [1])
    desk.webhook("ANNOTATION_CREATED", annotation=desk.fake.annotate(7, 1, "", result=[BOX], updated_at=clock(LATER)))
    go_on(desk)
    assert desk.fake.labels() == {1: ["b"]}
    assert BOX in desk.fake.annotations[7]["result"]


@every_way
def test_a_skip_in_label_studio_after_the_act_stays(desk: Desk, tell: Tell) -> None:
    desk.label("b", [1])
    tell(desk, "ANNOTATION_CREATED", desk.fake.annotate(7, 1, "a", was_cancelled=True, updated_at=clock(LATER)))
    go_on(desk)
    assert [one["was_cancelled"] for one in desk.fake.annotations.values()] == [True]
    assert desk.labels() == {}


@every_way
def test_an_answer_after_a_skip_on_the_map_stays(desk: Desk, tell: Tell) -> None:
    desk.acts.set_aside(UID, desk.who(), "unsure", [1])
    tell(desk, "ANNOTATION_CREATED", desk.fake.annotate(7, 1, "a", updated_at=clock(LATER)))
    go_on(desk)
    assert desk.fake.labels() == desk.labels() == {1: ["a"]}


def test_a_deletion_in_label_studio_after_the_act_stays(desk: Desk) -> None:
    made(desk, "a")
    desk.label("b", [1])
    desk.fake.annotations.clear()
    desk.webhook("ANNOTATIONS_DELETED", annotations=[{"id": 7}])
    assert desk.labels() == {}
    go_on(desk)
    assert desk.fake.annotations == {}


def test_what_is_made_anew_after_a_deletion_that_nobody_told_says_what_the_map_said_alone(desk: Desk) -> None:
    made(desk, "a", result=[answered("a"), BOX])
    desk.label("b", [1])
    desk.fake.annotations.clear()
    go_on(desk)
    assert desk.fake.labels() == desk.labels() == {1: ["b"]}
    assert BOX not in desk.fake.of(1)[1]["result"]


@every_way
def test_another_person_s_change_stays_when_theirs_is_overwritten(desk: Desk, tell: Tell) -> None:
    made(desk, "a", completed_by=2)
    desk.label("b", [1], overwrite=True)
    tell(desk, "ANNOTATION_UPDATED", changed(desk, [answered("a"), BOX], EARLIER / 2))
    go_on(desk)
    assert desk.fake.labels() == desk.labels() == {1: ["b"]}
    assert BOX in desk.fake.annotations[7]["result"]
    assert desk.fake.annotations[7]["completed_by"] == 2


@every_way
def test_what_is_changed_while_label_studio_fails_to_answer_the_map_stays(desk: Desk, tell: Tell) -> None:
    """Nobody knows whether it took the label before."""
    before, broken = made(desk, "a")["result"], [True]

    def fails(request: httpx.Request) -> httpx.Response | None:
        is_it = broken and request.method == "PATCH"
        return httpx.Response(502, json={"detail": "bad gateway"}) if is_it else None

    desk.fake.before = fails
    desk.asleep = False
    desk.label("b", [1])
    desk.until(lambda: "does not answer" in str(desk.errors()[0]))
    tell(desk, "ANNOTATION_UPDATED", changed(desk, [*before, BOX]))
    calls = len(desk.fake.calls)
    desk.until(lambda: len(desk.fake.calls) > calls + 4)  # the sender looked before, and called after
    broken.clear()
    desk.sent()
    assert desk.fake.labels() == desk.labels() == {1: ["b"]}
    assert BOX in desk.fake.annotations[7]["result"]


def test_an_undo_leaves_alone_what_was_changed_since_a_lost_answer(desk: Desk) -> None:
    """The label arrived, as the map does not know, and the person went on with it in Label Studio."""

    def lost(request: httpx.Request) -> httpx.Response | None:
        if request.method != "POST":
            return None
        desk.fake.before = None
        desk.fake.answer(request)
        desk.fake.before = lambda _: httpx.Response(502, json={"detail": "bad gateway"})
        raise httpx.ReadTimeout("lost", request=request)

    desk.fake.before = lost
    desk.asleep = False
    who = desk.who()
    acted = desk.acts.label(UID, who, "c", "b", [1])
    desk.until(lambda: "does not answer" in str(desk.errors()[0]))
    (there,) = desk.fake.annotations.values()
    there |= {"result": [*there["result"], BOX], "updated_at": clock(LATER)}
    desk.acts.undo(UID, who, acted.act.id)
    desk.fake.before = None
    desk.sent()
    (left,) = desk.fake.annotations.values()
    assert BOX in left["result"]


def test_an_act_that_failed_and_whose_task_was_answered_since_does_not_double_it(desk: Desk) -> None:
    desk.fake.before = lambda r: httpx.Response(400, json={"detail": "no"}) if r.method == "POST" else None
    desk.asleep = False
    desk.label("b", [1])
    assert desk.sent().failed == 1
    desk.fake.before = None
    desk.webhook("ANNOTATION_CREATED", annotation=desk.fake.annotate(7, 1, "a", updated_at=clock(LATER)))
    desk.label("b", [1])
    desk.sent()
    assert list(desk.fake.annotations) == [7]
    assert desk.fake.labels() == desk.labels() == {1: ["b"]}
    assert desk.acts.retry(UID, desk.who()) == 0


def test_what_others_do_on_the_task_meanwhile_is_theirs(desk: Desk) -> None:
    desk.label("b", [1])
    desk.webhook("ANNOTATION_CREATED", annotation=desk.fake.annotate(7, 1, "a", completed_by=2))
    go_on(desk)
    assert {number: one["completed_by"] for number, one in desk.fake.annotations.items()} == {7: 2, 1001: 1}
