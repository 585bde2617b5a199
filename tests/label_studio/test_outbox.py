"""Sending to a Label Studio that loses answers, breaks down, forgets people: everything arrives once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from ml_backend.config import Settings
from ml_backend.label_studio import delivery
from ml_backend.label_studio import outbox as sender
from ml_backend.store import outbox
from ml_backend.store.database import Database
from ml_backend.store.tables import OutboxEntry
from tests.label_studio.conftest import UID
from tests.label_studio.desk import Desk
from tests.label_studio.fake_people import ANN, BOB


@pytest.fixture
def desk(db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(delivery, "FIRST_RETRY_SECONDS", 0.001)
    monkeypatch.setattr(sender, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(sender, "STILL_SECONDS", 0.05)
    made = Desk(db, settings)
    yield made
    made.close()


def is_change(request: httpx.Request, method: str = "POST") -> bool:
    return "/annotations/" in request.url.path and request.method == method


def losing(desk: Desk, is_it: Callable[[httpx.Request], bool]) -> None:
    """Carries such calls out and loses the first answer to each address."""
    lost: set[str] = set()
    within: list[bool] = []

    def before(request: httpx.Request) -> httpx.Response | None:
        if within or not is_it(request) or request.url.path in lost:
            return None
        lost.add(request.url.path)
        within.append(True)
        desk.fake.answer(request)
        within.clear()
        raise httpx.ReadTimeout("lost", request=request)

    desk.fake.before = before


def test_a_lost_answer_makes_no_second_annotation(desk: Desk) -> None:
    losing(desk, is_change)
    desk.label("a", [1, 2, 3])
    desk.acts.set_aside(UID, desk.who(), "skip", [4])
    assert desk.sent().sent == 4
    assert sorted(desk.fake.of(1)) == [1, 2, 3, 4]
    assert len(desk.fake.annotations) == 4
    assert desk.labels() == {1: ["a"], 2: ["a"], 3: ["a"]}


def test_what_was_wanted_in_the_meantime_is_what_is_there_in_the_end(desk: Desk) -> None:
    """The first call came through with the older label, its answer was lost, and the person changed it."""
    losing(desk, is_change)
    desk.label("a", [1, 2])
    desk.label("b", [1])
    desk.sent()
    assert desk.fake.labels() == desk.labels() == {1: ["b"], 2: ["a"]}
    assert len(desk.fake.annotations) == 2


@pytest.mark.parametrize("status", [500, 502, 429])
def test_a_label_studio_that_stumbles_is_tried_again(desk: Desk, status: int) -> None:
    stumbles = {1: 2, 2: 1}

    def before(request: httpx.Request) -> httpx.Response | None:
        task = int(request.url.path.split("/")[3]) if is_change(request) else 0
        if stumbles.get(task):
            stumbles[task] -= 1
            return httpx.Response(status, json={"detail": "database is locked"})
        return None

    desk.fake.before = before
    desk.label("a", [1, 2, 3])
    counts = desk.sent()
    assert (counts.sent, counts.failed) == (3, 0)
    assert desk.fake.labels() == {1: ["a"], 2: ["a"], 3: ["a"]}


@pytest.mark.slow
def test_a_label_studio_that_is_busy_for_long_loses_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite is locked while predictions are deleted, for minutes in a large project."""
    monkeypatch.setattr(delivery, "LONGEST_RETRY_SECONDS", 0.01)
    refusals = iter(range(3 * delivery.MOST_ATTEMPTS))

    def before(request: httpx.Request) -> httpx.Response | None:
        is_locked = (is_change(request) or is_change(request, "DELETE")) and next(refusals, None) is not None
        return httpx.Response(500, json={"detail": "database is locked"}) if is_locked else None

    desk.fake.before = before
    acted = desk.label("a", [1, 2])
    assert (desk.sent().sent, desk.sent().failed) == (2, 0)
    assert desk.fake.labels() == {1: ["a"], 2: ["a"]}
    refusals = iter(range(3 * delivery.MOST_ATTEMPTS))
    desk.undo(acted)
    assert desk.sent().failed == 0
    assert desk.fake.annotations == {}


def test_a_process_that_ends_leaves_the_rest_to_the_next_one(desk: Desk, db: Database, settings: Settings) -> None:
    """It ends after the calls that it is at, and nothing is claimed any more."""
    begun, go_on = threading.Event(), threading.Event()

    def before(request: httpx.Request) -> httpx.Response | None:
        if is_change(request):
            begun.set()
            go_on.wait(10)
        return None

    desk.fake.before = before
    desk.label("a", list(range(1, 17)))
    assert begun.wait(10)
    (thread,) = [one for one in threading.enumerate() if isinstance(one, sender.Sender)]
    thread.stop()
    go_on.set()
    thread.join()
    assert 1 <= len(desk.fake.annotations) <= sender.PARALLEL
    desk.fake.before = None
    other = Desk(db, settings, desk.fake)
    other.acts.go_on(UID, other.who())
    assert other.sent().sent == 16
    assert len(desk.fake.annotations) == 16
    other.close()


@pytest.mark.slow
def test_one_that_fails_for_good_is_named_no_longer_counts_and_can_be_tried_again(desk: Desk) -> None:
    broken = True

    def before(request: httpx.Request) -> httpx.Response | None:
        is_it = broken and is_change(request) and request.url.path == "/api/tasks/2/annotations/"
        return httpx.Response(500, json={"detail": "boom"}) if is_it else None

    desk.fake.before = before
    desk.label("a", [1, 2, 3])
    assert desk.sent().failed == 1
    (acted,) = desk.acts.list_newest(UID, 5)
    assert (acted.progress.sent, acted.progress.failed) == (2, 1)
    assert "boom" in str(acted.progress.error)
    assert desk.labels() == {1: ["a"], 3: ["a"]}
    broken = False
    assert desk.acts.retry(UID, desk.who()) == 1
    assert desk.sent().failed == 0
    assert desk.labels() == {1: ["a"], 2: ["a"], 3: ["a"]}


@pytest.mark.parametrize(
    ("status", "detail", "said"),
    [
        (404, "Not found.", "no longer in Label Studio"),
        (403, "no", "may not do this"),
        (400, "skip", "skip"),
        (413, None, "413"),
    ],
)
def test_what_label_studio_refuses_fails_at_once_and_its_undo_is_clean(
    desk: Desk, status: int, detail: str | None, said: str
) -> None:
    def before(request: httpx.Request) -> httpx.Response | None:
        if not (is_change(request) and request.url.path == "/api/tasks/2/annotations/"):
            return None
        by_a_proxy = httpx.Response(status, text="the body is too large")
        return by_a_proxy if detail is None else httpx.Response(status, json={"detail": detail})

    desk.fake.before = before
    changed = desk.row().labels_changed
    acted = desk.label("a", [1, 2])
    assert desk.sent().failed == 1
    assert desk.row().labels_changed == changed + 3, "two labels came, one of them went again"
    assert said in str(desk.errors()[0])
    assert desk.fake.posts()["POST /api/tasks/2/annotations/"] == 1
    desk.undo(acted)
    assert desk.sent().failed == 0
    assert desk.fake.annotations == {}


def test_a_label_studio_that_is_down_is_waited_out(desk: Desk) -> None:
    down = True

    def before(request: httpx.Request) -> httpx.Response | None:
        if down and is_change(request):
            raise httpx.ConnectError("refused", request=request)
        return None

    desk.fake.before = before
    desk.label("a", range(1, 21))
    desk.until(lambda: sum(desk.fake.posts().values()) > 60)
    assert len(desk.labels()) == 20
    assert "does not answer" in str(desk.errors()[0])
    down = False
    assert desk.sent().sent == 20
    assert desk.errors() == [None]


def test_a_token_that_is_taken_away_stops_the_sending_until_the_person_signs_in(desk: Desk) -> None:
    known = dict(desk.fake.people)

    def before(request: httpx.Request) -> httpx.Response | None:
        if is_change(request) and len(desk.fake.annotations) >= 3:
            desk.fake.people = {}
        return None

    desk.fake.before = before
    desk.label("a", range(1, 11))
    desk.until(lambda: "sign in again" in str(desk.errors()[0]))
    calls = sum(desk.fake.posts().values())
    assert len(desk.labels()) == 10, "they still count"
    time.sleep(0.1)
    assert sum(desk.fake.posts().values()) == calls
    desk.fake.before, desk.fake.people = None, {"c" * 40: known[ANN]}
    desk.acts.go_on(UID, desk.who("c" * 40))
    desk.sent()
    assert len(desk.fake.annotations) == 10
    assert desk.errors() == [None]


def test_nobody_sends_what_another_person_has_waiting(desk: Desk) -> None:
    desk.asleep = True
    desk.label("a", [1], token=BOB)
    desk.asleep = False
    desk.label("a", [2])
    desk.until(lambda: desk.counts().sent == 1)
    assert {a["completed_by"] for a in desk.fake.annotations.values()} == {1}
    desk.acts.go_on(UID, desk.who(BOB))
    desk.sent()
    assert sorted(desk.fake.of(2)) == [1]


def test_an_undo_while_a_label_is_on_its_way_takes_it_back(desk: Desk) -> None:
    on_its_way, go_on = threading.Event(), threading.Event()

    def before(request: httpx.Request) -> httpx.Response | None:
        if is_change(request) and not go_on.is_set():
            on_its_way.set()
            desk.fake.lock.release()
            assert go_on.wait(10)
            desk.fake.lock.acquire()
        return None

    desk.fake.before = before
    acted = desk.label("a", range(1, 11))
    assert on_its_way.wait(10)
    desk.undo(acted)
    assert desk.given() == []
    go_on.set()
    desk.sent()
    assert desk.fake.annotations == {}
    assert desk.given() == []
    desk.redo(acted)
    desk.sent()
    assert len(desk.fake.annotations) == len(desk.labels()) == 10


def test_an_undo_whose_answer_was_lost_is_done_once(desk: Desk) -> None:
    acted = desk.label("a", [1, 2, 3])
    desk.sent()
    losing(desk, lambda request: is_change(request, "DELETE"))
    desk.undo(acted)
    assert desk.sent().failed == 0
    assert desk.fake.annotations == {}


def test_two_processes_share_the_work_and_send_nothing_twice(desk: Desk, settings: Settings, tmp_path: Path) -> None:
    other = Desk(Database.open(tmp_path), settings, fake=desk.fake)
    desk.asleep = True
    desk.label("a", range(1, 21))
    for one in (desk, other):
        one.sender.wake(one.row(), one.who())
    desk.sent()
    assert set(desk.fake.posts().values()) == {1}
    assert len(desk.fake.annotations) == 20
    other.close()
    other.db.close()


@pytest.mark.slow
def test_what_a_dead_process_had_taken_is_sent_after_a_while(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It died between Label Studio's answer and writing it down."""
    desk.asleep = True
    desk.label("a", [1, 2])
    with desk.db.write() as session:
        taken = outbox.claim(session, desk.row(), 1, "dead", 10, 0.5, time.time())
    assert len(taken) == 2
    api = desk.who().api
    api.create_annotation(1, {**(taken[0].wanted or {}), "unique_id": taken[0].unique_id})
    desk.asleep = False
    desk.acts.go_on(UID, desk.who())
    time.sleep(0.1)
    assert desk.fake.posts()["POST /api/tasks/2/annotations/"] == 0, "still taken"
    desk.sent()
    assert sorted(desk.fake.of(1)) == [1, 2]
    assert len(desk.fake.annotations) == 2


def test_an_answer_that_comes_after_another_process_took_over_changes_nothing(
    desk: Desk, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its call took longer than its claim lasts; the person wants the label back meanwhile."""
    monkeypatch.setattr(sender, "CLAIM_SECONDS", 0.2)
    given = desk.label("a", [1])
    desk.sent()
    called, answered = threading.Event(), threading.Event()
    deliver = delivery.Delivery.deliver

    def slowly(self: delivery.Delivery, entry: OutboxEntry) -> delivery.Outcome:
        outcome = deliver(self, entry)
        if entry.wanted is None and not called.is_set():
            called.set()
            answered.wait(20)
        return outcome

    monkeypatch.setattr(delivery.Delivery, "deliver", slowly)
    desk.undo(given)
    assert called.wait(20)
    other = Desk(Database.open(tmp_path), settings, fake=desk.fake)
    other.redo(given)
    other.sent()
    answered.set()
    desk.sender.stop(20)
    assert list(desk.fake.of(1)) == [1]
    assert desk.labels() == {1: ["a"]}
    other.close()
    other.db.close()


def test_an_annotation_that_was_deleted_in_label_studio_is_made_anew_when_it_is_labelled_again(desk: Desk) -> None:
    desk.label("a", [1])
    desk.sent()
    desk.fake.annotations.clear()
    desk.label("b", [1])
    desk.sent()
    assert desk.fake.labels() == desk.labels() == {1: ["b"]}


def test_tokens_are_kept_nowhere_and_forgotten_when_nothing_waits(desk: Desk, tmp_path: Path) -> None:
    desk.label("a", [1])
    desk.sent()
    desk.until(lambda: not desk.sender._senders)
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or ANN.encode() not in file.read_bytes()


@pytest.mark.parametrize("label", ["a", "b"], ids=["same label", "other label"])
@pytest.mark.parametrize("is_told", [False, True])
def test_a_number_that_a_restored_label_studio_gave_to_somebody_else_is_theirs(
    desk: Desk, label: str, is_told: bool
) -> None:
    undone = desk.label("a", [1])
    desk.label("a", [2])
    desk.sent()
    first, second = sorted(desk.fake.annotations)
    desk.fake.annotations.clear()  # a backup from before these acts
    for number, task in ((first, 8), (second, 9)):
        theirs = desk.fake.annotate(number, task, label, completed_by=2, updated_at=desk.fake.now())
        if is_told:
            desk.webhook("ANNOTATION_CREATED", annotation=theirs)
    before = {number: dict(annotation) for number, annotation in desk.fake.annotations.items()}
    desk.undo(undone)
    desk.label("b", [2])
    desk.sent()
    assert {number: desk.fake.annotations.get(number) for number in before} == before
    assert desk.fake.of(1).keys() == {2}, "what is wanted is made anew"
    assert desk.labels() == {2: ["b"], 8: [label], 9: [label]}
    assert is_told or desk.row().reconcile_requested is not None


@pytest.mark.parametrize("label", ["b", None], ids=["changed", "undone"])
def test_what_a_proxy_says_while_label_studio_restarts_takes_nothing_for_gone(desk: Desk, label: str | None) -> None:
    acted = desk.label("a", [1])
    desk.sent()
    (number,) = desk.fake.annotations
    pages = [httpx.Response(404, text="404 page not found")] * 3
    desk.fake.before = lambda request: pages.pop() if pages and "/annotations/" in request.url.path else None
    if label is None:
        desk.undo(acted)
    else:
        desk.label(label, [1, 2])
    assert desk.sent().failed == 0
    assert desk.fake.labels() == ({} if label is None else {1: ["b"], 2: ["b"]})
    assert desk.fake.of(1).get(1, {}).get("id") == (None if label is None else number)
