"""Webhooks, reconcile, push and cleaning against a real Label Studio; the engine behind is scripted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from ml_backend.engine.heartbeat import ours
from ml_backend.errors import LabelStudioError
from ml_backend.label_studio import cleaning
from ml_backend.label_studio import push as push_module
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.client import LabelStudioClient
from ml_backend.label_studio.connect import connect
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.contract import Replies
from ml_backend.label_studio.duties import label_studio_duties
from ml_backend.label_studio.push import Pushed, Pusher
from ml_backend.label_studio.reconcile import reconcile
from ml_backend.label_studio.tokens import TokenKind
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import counters, projects, tasks
from ml_backend.store.tables import Project
from tests.label_studio.conftest import RICH_CONFIG, prediction, publish
from tests.label_studio.live import LiveLabelStudio, LiveLantern

pytestmark = pytest.mark.e2e


def wait_for(is_so: Callable[[], bool], seconds: float = 15) -> None:
    """Label Studio answers an annotator before or after its webhooks, as it likes."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


class Here:
    """One connected project, seen from Lantern."""

    def __init__(
        self, label_studio: LiveLabelStudio, lantern: LiveLantern, title: str, n_tasks: int, **fields: Any
    ) -> None:
        self.label_studio, self.lantern, self.db = label_studio, lantern, lantern.db
        self.number = label_studio.make_project(title, **fields)
        connect(lantern.db, lantern.settings, project=self.number)
        self.task_ids = label_studio.import_tasks(self.number, [{"text": f"text {i}"} for i in range(n_tasks)])
        self.uid = self.row().uid
        lantern.engine.task_ids = self.task_ids

    def row(self) -> Project:
        with self.db.read() as session:
            found = projects.by_label_studio_id(session, self.number)
        assert found is not None
        return found

    def labels(self) -> dict[int, str]:
        with self.db.read() as session:
            rows = annotation_rows.live(session, self.row())
        return {row.annotation_id: row.result[0]["value"]["choices"][0] for row in rows}

    def known_tasks(self) -> list[int]:
        with self.db.read() as session:
            return tasks.live_ids(session, self.row())

    def push(self, api: LabelStudioApi | None = None) -> Pushed:
        done = Pusher(self.db, self.lantern.engine, api or self.label_studio.api()).push(self.uid)
        assert done is not None
        return done

    def by_score(self) -> list[dict[str, Any]]:
        query = {"ordering": ["tasks:predictions_score"]}
        return self.label_studio.api().task_page(self.number, 1, 1000, query=query, full=True).tasks


def test_every_webhook_arrives_with_its_secret(label_studio: LiveLabelStudio, lantern: LiveLantern) -> None:
    here, client = Here(label_studio, lantern, "webhooks", 4), label_studio.api().client
    wait_for(lambda: here.known_tasks() == here.task_ids)
    first = label_studio.annotate(here.task_ids[0], "a")
    second = label_studio.annotate(here.task_ids[1], "b")
    label_studio.annotate(here.task_ids[2], "a", was_cancelled=True)
    wait_for(lambda: here.labels() == {first: "a", second: "b"})
    result = [{"from_name": "c", "to_name": "text", "type": "choices", "value": {"choices": ["b"]}}]
    client.send("PATCH", f"/api/annotations/{first}/", json={"result": result})
    client.send("DELETE", f"/api/annotations/{second}/")
    wait_for(lambda: here.labels() == {first: "b"})
    client.send("DELETE", f"/api/tasks/{here.task_ids[3]}/")
    wait_for(lambda: here.known_tasks() == here.task_ids[:3])
    [backend] = label_studio.api().backends(here.number)
    client.send("POST", f"/api/ml/{backend['id']}/train")
    wait_for(lambda: here.row().training_requested == 1)
    client.send("PATCH", f"/api/projects/{here.number}/", json={"label_config": RICH_CONFIG, "title": "renamed"})
    wait_for(lambda: here.row().label_config == RICH_CONFIG and here.row().title == "renamed")


def test_opening_a_task_asks_for_a_prediction_and_stores_it(
    label_studio: LiveLabelStudio, lantern: LiveLantern
) -> None:
    here = Here(label_studio, lantern, "live calls", 2)
    wait_for(lambda: here.known_tasks() == here.task_ids)
    version = publish(here.db, here.uid).model_version
    lantern.engine.special = {here.task_ids[1]: prediction(here.task_ids[1], never_seen=True, score=0.02)}
    opened = [label_studio.api().client.get(f"/api/tasks/{n}").body["predictions"] for n in here.task_ids]
    [[seen], [unseen]] = opened
    assert seen["result"][0]["value"]["choices"] == ["a"]
    assert (seen["score"], seen["model_version"]) == (0.5, version)
    assert (unseen["result"], unseen["score"], unseen["model_version"]) == ([], 0.02, version)


@pytest.mark.parametrize("kind", list(TokenKind))
def test_a_push_fills_score_column_tab_order_and_stream(
    label_studio: LiveLabelStudio, lantern: LiveLantern, kind: TokenKind
) -> None:
    here = Here(label_studio, lantern, "push", 12)
    wait_for(lambda: here.known_tasks() == here.task_ids)
    publish(here.db, here.uid)
    n = len(here.task_ids)
    lantern.engine.special = {t: prediction(t, score=(i + 1) / n) for i, t in enumerate(reversed(here.task_ids))}
    token = label_studio.personal_token if kind is TokenKind.PERSONAL else label_studio.legacy_token
    before = here.row()
    done = here.push(LabelStudioApi(LabelStudioClient(label_studio.url, token)))
    assert (done.sent, done.created) == (n, n)
    assert [task["id"] for task in here.by_score()] == list(reversed(here.task_ids))
    assert all(task["predictions_score"] is not None for task in here.by_score())
    following = label_studio.api().client.get(f"/api/projects/{here.number}/next").body
    assert following["id"] == here.task_ids[-1], "the stream begins with the lowest score"
    assert [p["model_version"] for p in following["predictions"]] == [done.model_version]
    after = here.row()
    for name in ("labels_version", "data_version", "training_requested", "labels_changed"):
        assert getattr(after, name) == getattr(before, name), f"{name}: our own calls must start nothing"


def test_the_second_version_replaces_the_first_and_cleaning_removes_it(
    label_studio: LiveLabelStudio, lantern: LiveLantern, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, api = Here(label_studio, lantern, "versions", 8), label_studio.api()
    wait_for(lambda: here.known_tasks() == here.task_ids)
    monkeypatch.setattr(push_module, "publish_labels", lambda db, uid, _: publish(db, uid))
    monkeypatch.setattr(cleaning, "MIN_QUIET_SECONDS", 0.0)
    api.import_predictions(
        here.number, [{"task": here.task_ids[0], "result": [], "score": 0.1, "model_version": "theirs"}]
    )
    publish(here.db, here.uid)
    first = here.push().model_version
    publish(here.db, here.uid)
    second = here.push().model_version
    assert api.model_versions(here.number) == {first: 8, second: 8, "theirs": 1}
    monkeypatch.setattr(cleaning, "QUIET_FACTOR", 1e9)
    monkeypatch.setattr(cleaning, "NIBBLE", 3)
    cleaning.clean_step(here.db, api, here.uid)
    assert api.model_versions(here.number) == {first: 5, second: 8, "theirs": 1}, "a few at a time while people label"
    monkeypatch.setattr(cleaning, "QUIET_FACTOR", 0.0)
    cleaning.clean_step(here.db, api, here.uid)
    assert api.model_versions(here.number) == {second: 8, "theirs": 1}
    assert api.project(here.number)["model_version"] == second
    assert cleaning.leftovers(here.db, here.uid, time.time()) is None


def test_a_version_that_somebody_chose_by_hand_is_not_deleted(
    label_studio: LiveLabelStudio, lantern: LiveLantern, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, api = Here(label_studio, lantern, "chosen", 3), label_studio.api()
    wait_for(lambda: here.known_tasks() == here.task_ids)
    monkeypatch.setattr(cleaning, "MIN_QUIET_SECONDS", 0.0)
    monkeypatch.setattr(cleaning, "QUIET_FACTOR", 0.0)
    publish(here.db, here.uid)
    first = here.push().model_version
    publish(here.db, here.uid)
    here.push()
    api.update_project(here.number, {"model_version": first})
    cleaning.clean_step(here.db, api, here.uid)
    assert api.project(here.number)["model_version"] == first
    assert api.model_versions(here.number)[first] == 3


def test_tasks_that_are_gone_and_predictions_that_do_not_fit(
    label_studio: LiveLabelStudio,
    lantern: LiveLantern,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, api = Here(label_studio, lantern, "odd", 5), label_studio.api()
    wait_for(lambda: here.known_tasks() == here.task_ids)
    publish(here.db, here.uid)
    [hook] = api.webhooks(here.number)
    api.update_webhook(hook["id"], {"is_active": False})
    api.client.send("DELETE", f"/api/tasks/{here.task_ids[4]}/")

    def misfit(self: Any, task: Any) -> dict[str, Any]:
        label = "no such label" if task.task_id == here.task_ids[0] else "a"
        region = {"from_name": "c", "to_name": "text", "type": "choices", "value": {"choices": [label]}}
        return {"task": task.task_id, "result": [region], "score": 0.5, "model_version": self.model_version}

    monkeypatch.setattr(Replies, "import_item", misfit)
    done = here.push()
    assert (done.sent, done.created) == (4, 3)
    assert "dropped 1 of 4 predictions" in caplog.text
    assert here.row().reconcile_requested is not None
    with here.db.read() as session:
        assert counters.read(session, here.row())["predictions_refused"] == 1
    reconcile(here.db, api, here.uid)
    assert here.known_tasks() == here.task_ids[:4]


def test_reconcile_repairs_what_no_webhook_told(label_studio: LiveLabelStudio, lantern: LiveLantern) -> None:
    here, api = Here(label_studio, lantern, "reconcile", 3), label_studio.api()
    wait_for(lambda: here.known_tasks() == here.task_ids)
    result = [{"from_name": "c", "to_name": "text", "type": "choices", "value": {"choices": ["b"]}}]
    [imported] = label_studio.import_tasks(
        here.number, [{"data": {"text": "with a label"}, "annotations": [{"result": result}]}]
    )
    deleted = label_studio.annotate(here.task_ids[0], "a")
    [hook] = api.webhooks(here.number)
    api.update_webhook(hook["id"], {"is_active": False})
    kept = label_studio.annotate(here.task_ids[1], "a")
    api.client.send("DELETE", f"/api/annotations/{deleted}/")
    api.client.send("PATCH", f"/api/tasks/{here.task_ids[2]}/", json={"data": {"text": "edited"}})
    done = reconcile(here.db, api, here.uid)
    labels = here.labels()
    assert labels.pop(kept) == "a"
    assert list(labels.values()) == ["b"], "the imported one; the deleted one is gone"
    assert done.tasks == 4
    with here.db.read() as session:
        found = {task.task_id: task.data for task in tasks.live(session, here.row())}
    assert found[here.task_ids[2]] == {"text": "edited"}
    assert found[imported] == {"text": "with a label"}
    again = reconcile(here.db, api, here.uid)
    assert (again.tasks_changed, again.labels_changed) == (0, 0)


def test_the_worker_waits_while_label_studio_is_down_and_goes_on(
    label_studio: LiveLabelStudio, lantern: LiveLantern, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Here(label_studio, lantern, "outage", 3)
    publish(here.db, here.uid)
    connections = Connections(lantern.settings)
    duties = label_studio_duties(here.db, lantern.settings, connections, lantern.engine, ours)
    with monkeypatch.context() as patch:
        patch.setattr(LabelStudioClient, "_request", _down)
        for duty in duties[:2]:
            assert duty.due(here.uid)
            duty.run(here.uid)
            assert not duty.due(here.uid), "it waits before it tries again"
    assert set(here.row().connection["errors"]) == {"reconcile", "push"}
    monkeypatch.setattr("ml_backend.label_studio.duties.time.monotonic", lambda: time.perf_counter() + 1e6)
    for duty in duties[:2]:
        assert duty.due(here.uid)
        duty.run(here.uid)
    assert here.row().connection["errors"] == {}
    assert [task["predictions_score"] for task in here.by_score()] == [0.5, 0.5, 0.5]


def _down(*_: Any) -> Any:
    raise LabelStudioError("down")
