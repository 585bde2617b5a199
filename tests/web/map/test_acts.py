"""Writing through the map: who may, what an act answers, and what the page sees of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from werkzeug.test import TestResponse

from ml_backend.label_studio.map_acts import MapActs
from ml_backend.label_studio.outbox import Outbox
from ml_backend.label_studio.people import People
from ml_backend.store import projects, senders
from tests.label_studio.fake_people import ANN, BOB, FakeWithPeople
from tests.web.map.conftest import CONFIG, OTHER, OTHER_KEY, UID, MapWorld, make_world

HEADER = "X-Label-Studio-Token"


class Page:
    """The page of project five with a person's token."""

    def __init__(self, home: Path) -> None:
        self.world: MapWorld = make_world(home)
        created = datetime.fromtimestamp(1_783_600_000, UTC).isoformat()
        self.fake = FakeWithPeople(project={"id": 5, "created_at": created, "label_config": CONFIG, "title": "p"})
        self.fake.add_tasks(*range(1, 61))
        maps = self.world.maps
        people = People(maps.connections, api_at=self.fake.api_at)
        self.sender = Outbox(self.world.db, on_refused=people.forget)
        object.__setattr__(maps, "people", people)
        object.__setattr__(maps, "acts", MapActs(self.world.db, self.world.engine, self.sender))
        self.token = self.world.headers()

    def post(self, path: str, body: object = None, *, token: str | None = ANN, project: str = UID) -> TestResponse:
        headers = self.token if project == UID else self.world.headers(project, OTHER_KEY)
        headers = headers | ({HEADER: token} if token is not None else {})
        return self.world.client.post(f"/map/{project}/api/{path}", json=body or {}, headers=headers)

    def get(self, path: str) -> Any:
        return self.world.client.get(f"/map/{UID}/api/{path}", headers=self.token).get_json()

    def column(self, name: str, kind: str, control: str = "kind") -> np.ndarray[Any, Any]:
        reply = self.world.client.get(f"/map/{UID}/api/columns/{name}?control={control}", headers=self.token)
        assert reply.status_code == 200, reply.text
        return np.frombuffer(reply.data[16:], dtype=kind)

    def label(self, *tasks: int, label: str = "network", **more: object) -> TestResponse:
        return self.post("acts", {"kind": "label", "control": "kind", "label": label, "tasks": list(tasks), **more})

    def sent(self) -> None:
        deadline = time.monotonic() + 20
        while self.get("state")["outbox"]["waiting"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def wait_until_needed(self, people: list[dict[str, object]]) -> None:
        """The thread that sends says so a moment after it was started, and leaves a moment after it was stopped."""
        deadline = time.monotonic() + 20
        while (needs := self.get("state")["outbox"]["needs"]) != people:
            assert time.monotonic() < deadline, needs
            time.sleep(0.02)


@pytest.fixture(scope="module")
def module_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    made = Page(tmp_path_factory.mktemp("acts"))
    yield made
    made.sender.stop()
    made.world.db.close()


@pytest.fixture
def page(module_page: Page) -> Iterator[Page]:
    """Every act is undone afterwards."""
    yield module_page
    for act in module_page.get("acts?limit=50")["acts"]:
        if not act["undone"]:
            token = ANN if act["person"] == "Ann Lee" else BOB
            assert module_page.post(f"acts/{act['id']}/undo", token=token).status_code == 200
    module_page.sent()


def test_signing_in_says_who_it_is(page: Page) -> None:
    reply = page.post("sign-in")
    assert reply.get_json() == {"person": {"id": 1, "name": "Ann Lee", "email": "ann@ls.test"}}
    assert page.post("sign-in", token=BOB).get_json()["person"]["name"] == "bob@ls.test"


def test_what_waits_since_a_restart_is_named_and_goes_on_with_the_sign_in(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(senders, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(page.fake, "before", lambda request: httpx.Response(503) if request.method == "POST" else None)
    assert page.label(50, 51).status_code == 200
    page.wait_until_needed([])
    page.sender.stop()
    page.wait_until_needed([{"id": 1, "name": "Ann Lee", "waiting": 2}])
    page.fake.before = None
    assert page.post("sign-in").status_code == 200
    page.sent()
    page.wait_until_needed([])


@pytest.mark.parametrize("path", ["sign-in", "acts", "acts/1/undo", "acts/retry", "controls/kind/classes"])
def test_writing_needs_the_view_token_and_the_person_s_own(page: Page, path: str) -> None:
    assert page.world.client.post(f"/map/{UID}/api/{path}", json={}, headers={HEADER: ANN}).status_code == 401
    for token in (None, "", "f" * 40, "ü", "x" * 5000):
        reply = page.post(path, token=token)
        assert reply.status_code == 401, token
        assert "sign in" in reply.get_json()["error"]


def test_a_person_without_access_is_turned_away(page: Page) -> None:
    page.fake.people["s" * 40] = {"id": 9, "first_name": "Sly", "last_name": "", "email": "s@x"}
    page.fake.strangers.add("s" * 40)
    reply = page.post("sign-in", token="s" * 40)
    assert (reply.status_code, reply.get_json()["error"][:11]) == (403, "Sly has no ")


def test_a_project_that_is_another_one_by_now_is_refused(page: Page) -> None:
    """Label Studio's database was reset and gave the number again."""
    assert page.post("sign-in", project=OTHER).status_code in (403, 502)


def test_a_project_without_a_label_studio_cannot_be_written_to(page: Page) -> None:
    with page.world.db.write() as session:
        project = projects.ensure(session, OTHER)
        connection = dict(project.connection)
        projects.configure(session, project, connection={k: v for k, v in connection.items() if k != "url"})
    reply = page.post("sign-in", project=OTHER)
    assert (reply.status_code, "lantern connect" in reply.get_json()["error"]) == (409, True)


def test_labels_show_at_once_then_as_sent_and_go_with_their_undo(page: Page) -> None:
    status = page.column("status", "u1")
    assert (status[20:30] == 2).sum() == 0
    reply = page.label(*range(21, 31))
    act = reply.get_json()["act"]
    assert (act["kind"], act["label"], act["tasks"], act["person"]) == ("label", "network", 10, "Ann Lee")
    assert reply.get_json()["kept"] == 0
    assert (page.column("status", "u1")[20:30] == 2).all()
    assert (page.column("class", "<u2")[20:30] == 1).all()
    page.sent()
    assert not page.column("pending", "u1").any()
    assert sorted(page.fake.of(1)) == list(range(21, 31))
    (listed,) = [a for a in page.get("acts")["acts"] if a["id"] == act["id"]]
    assert listed["progress"] == {"sent": 10, "failed": 0, "waiting": 0}
    assert page.post(f"acts/{act['id']}/undo").get_json()["act"]["undone"] is True
    assert not (page.column("status", "u1")[20:30] == 2).any()
    page.sent()
    assert page.fake.of(1) == {}
    assert page.post(f"acts/{act['id']}/redo").status_code == 200
    page.sent()
    assert len(page.fake.of(1)) == 10


def test_labels_of_others_are_kept_and_counted(page: Page) -> None:
    page.world.label(40, "battery", annotation_id=4000, annotator="2")
    assert page.label(40, 41).get_json()["kept"] == 1
    reply = page.label(40)
    assert (reply.status_code, "other people" in reply.get_json()["error"]) == (409, True)


def test_answers_that_are_no_label_set_tasks_aside(page: Page) -> None:
    for kind in ("skip", "unsure", "never_seen"):
        assert page.post("acts", {"kind": kind, "tasks": [50, 51]}).status_code == 200
    assert (page.column("status", "u1")[49:51] == 4).all()
    queue = page.get("queue?limit=60")
    assert not {item["task"] for item in queue["items"]} & {50, 51}


def test_sure_predictions_are_taken_as_they_are(page: Page) -> None:
    before = page.column("class", "<u2").copy(), page.column("status", "u1").copy()
    confidence = page.column("confidence", "u1") / 255.0
    reply = page.post("acts", {"kind": "accept", "control": "kind", "component": None, "min_confidence": 0.6})
    act = reply.get_json()["act"]
    accepted = page.column("status", "u1") == 2
    new = accepted & (before[1] != 2)
    assert new.sum() == act["tasks"] > 0
    assert (before[1][new] == 1).all(), "only what Lantern had named"
    assert confidence[new].min() >= 0.6 - 1 / 255
    assert (page.column("class", "<u2")[new] == before[0][new]).all()
    component = int(page.column("component", "<u4")[np.flatnonzero(new)[0]])
    page.post(f"acts/{act['id']}/undo")
    body = {"kind": "accept", "control": "kind", "component": component, "tasks": None, "min_confidence": 0.6}
    assert page.post("acts", body).get_json()["act"]["tasks"] <= act["tasks"]
    now = (page.column("status", "u1") == 2) & (before[1] != 2)
    assert (page.column("component", "<u4")[now] == component).all()


def test_predictions_of_the_chosen_tasks_alone_are_taken(page: Page) -> None:
    named = np.flatnonzero(page.column("status", "u1") == 1)
    rows = named[:3]
    tasks = [int(task) for task in page.column("ids", "<u4")[rows]]
    before = page.column("status", "u1").copy()
    body = {"kind": "accept", "control": "kind", "component": None, "tasks": tasks, "min_confidence": 0.0}
    assert page.post("acts", body).get_json()["act"]["tasks"] == len(tasks)
    assert np.flatnonzero(page.column("status", "u1") != before).tolist() == rows.tolist()


def test_a_person_s_token_is_asked_about_once_in_a_while_not_at_every_act(page: Page) -> None:
    page.post("sign-in")
    calls = page.fake.calls.count("GET /api/current-user/whoami")
    for task in (52, 53, 54):
        assert page.label(task).status_code == 200
    assert page.fake.calls.count("GET /api/current-user/whoami") == calls


def test_another_person_s_act_stays(page: Page) -> None:
    number = page.label(55).get_json()["act"]["id"]
    reply = page.post(f"acts/{number}/undo", token=BOB)
    assert (reply.status_code, "Ann Lee did this" in reply.get_json()["error"]) == (403, True)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "party", "tasks": [1]},
        {"kind": "label", "control": "kind", "label": "network"},
        {"kind": "label", "control": "kind", "label": "network", "tasks": []},
        {"kind": "label", "control": "kind", "label": "network", "tasks": ["1"]},
        {"kind": "label", "control": "kind", "label": "gone", "tasks": [1]},
        {"kind": "label", "control": "gone", "label": "network", "tasks": [1]},
        {"kind": "label", "control": 5, "label": "network", "tasks": [1]},
        {"kind": "accept", "control": "kind", "min_confidence": 2},
        {"kind": "accept", "control": "kind", "component": "all"},
        {"kind": "accept", "control": "gone"},
        {"kind": "skip"},
        {"kind": "skip", "tasks": list(range(50_001))},
    ],
)
def test_what_is_no_act_is_refused_in_words(page: Page, body: dict[str, object]) -> None:
    reply = page.post("acts", body)
    assert reply.status_code == 400, reply.text
    assert len(reply.get_json()["error"]) > 10


def test_undoing_what_is_not_there_or_undone_is_refused(page: Page) -> None:
    assert page.post("acts/99999/undo").status_code == 400
    number = page.label(56).get_json()["act"]["id"]
    assert page.post(f"acts/{number}/redo").status_code == 409
    assert page.post(f"acts/{number}/undo").status_code == 200
    assert page.post(f"acts/{number}/undo").status_code == 409


def test_a_class_is_added_where_it_can_be(page: Page) -> None:
    reply = page.post("controls/kind/classes", {"name": " water damage "})
    assert reply.get_json() == {"classes": ["battery", "network", "water damage"]}
    assert '<Choice value="water damage"/>' in page.fake.project["label_config"]
    assert page.label(57, label="water damage").status_code == 200
    for control, name in (("kind", "battery"), ("kind", " "), ("kind", "a\nb"), ("gone", "x")):
        assert page.post(f"controls/{control}/classes", {"name": name}).status_code == 400, name
