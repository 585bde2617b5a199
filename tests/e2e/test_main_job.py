"""The main job on a real Label Studio, from import to disconnect: few labels in, many labelled tasks out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ml_backend.demo.lantern_process import LanternProcess
from ml_backend.demo.ports import free_port
from ml_backend.label_studio.connect import connect
from ml_backend.label_studio.disconnect import disconnect
from ml_backend.label_studio.wanted import TAB
from ml_backend.store.database import Database
from tests.conftest import RunningLabelStudio
from tests.e2e.world import KINDS, N_TASKS, World, guarded_settings, kind_of, make_world, wait_for

FIRST_LABELS = 12


@pytest.fixture(scope="class")
def world(label_studio: RunningLabelStudio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("lantern")
    settings = guarded_settings(folder / "home", free_port(), label_studio)
    lantern = LanternProcess(settings, folder / "lantern.log")
    lantern.start()
    try:
        lantern.wait_until_up()
        yield make_world(label_studio, settings, lantern)
    finally:
        lantern.stop()
        if not label_studio.process.is_up():
            label_studio.restart()


STRANGE = (
    "The violin section rehearses Vivaldi in the old chapel",
    "Knead the dough, let it rise, and bake it until golden brown",
    "A heron stands motionless among the reeds at dawn",
    "Quarterly rainfall in the valley exceeded every forecast of the vintners",
    "The goalkeeper saved two penalties in the second half",
    "Her grandmother's recipe for plum jam fills three pages",
)
"""Texts of no kind, unlike each other."""


class TestMainJob:
    steps = True
    before: dict[str, Any]

    def test_connect_makes_what_is_needed_and_nothing_twice(self, world: World) -> None:
        TestMainJob.before = world.in_label_studio()
        db = Database.open(world.settings.home)
        first = connect(db, world.settings, project=world.project)
        again = connect(db, world.settings, project=world.project)
        db.close()
        assert {change.what for change in first if change.changed} >= {"ML backend", "webhook", "project", "tab"}
        assert not [change for change in again if change.changed]

        (webhook,) = world.label_studio.api.webhooks(world.project)
        assert webhook["url"] == f"{world.lantern.url}/webhook"
        assert world.settings.webhook_secret in webhook["headers"].values()
        (backend,) = world.label_studio.api.backends(world.project)
        assert backend["state"] == "CO"

    def test_every_readable_task_gets_one_prediction(self, world: World) -> None:
        world.wait_until_spread()
        shown = world.shown()
        assert set(shown) == set(world.truth)
        assert world.unreadable not in shown
        assert all(0.0 <= prediction["score"] <= 1.0 for prediction in shown.values())
        push = world.status()["push"]
        assert push["created"] == push["sent"] == N_TASKS
        assert world.predict([world.unreadable, next(iter(world.truth))])["results"][0] == []

    def test_the_next_task_is_the_lowest_score(self, world: World) -> None:
        scores = {task: prediction["score"] for task, prediction in world.shown().items()}
        lowest = min(scores, key=lambda task: scores[task])
        following = world.annotator.next_task(world.project)
        assert following is not None
        assert following["id"] == lowest
        queue = [t for t in world.annotator.queue(world.project, TAB["title"], N_TASKS + 1) if t in scores]
        assert len(queue) == N_TASKS
        assert queue == sorted(queue, key=lambda task: scores[task])

    def test_a_label_counts_at_once(self, world: World) -> None:
        task = world.annotator.next_task(world.project)
        assert task is not None
        world.label(task["id"])
        world.wait_for_status(lambda status: status["labels"] == 1, "the webhook of the first label")
        (answer,) = world.predict([task["id"]])["results"]
        assert kind_of(answer) == world.truth[task["id"]]

    def test_webhooks_alone_make_it_train(self, world: World) -> None:
        before = world.status()
        weights = world.weights()
        while len(world.given) < FIRST_LABELS:
            task = world.annotator.next_task(world.project)
            assert task is not None
            assert task["id"] not in world.given
            world.label(task["id"])
        after = world.wait_for_status(
            lambda status: (
                status["training"]["status"] == "done"
                and status["training"]["run"] > before["training"]["run"]
                and status["labels_since_training"] == 0
            ),
            "a training after the webhooks",
        )
        assert after["reconciled_at"] == before["reconciled_at"]
        assert after["publication"]["model_version"] != before["publication"]["model_version"]
        assert world.weights() != weights

    def test_labels_spread_in_label_studio(self, world: World) -> None:
        world.wait_until_spread()
        assert world.in_label_studio()["model_version"] == world.status()["publication"]["model_version"]
        assert world.accuracy() > 0.7
        scores = {task: p["score"] for task, p in world.shown().items() if task not in world.given}
        following = world.annotator.next_task(world.project)
        assert following is not None
        assert following["id"] == min(scores, key=lambda task: scores[task])

    def test_updated_annotations_change_predictions(self, world: World) -> None:
        old, new = self._a_labelled_kind(world), self._another_kind(world)
        assert old in set(world.shown_kinds().values())
        for task in [task for task in world.given if world.truth[task] == old]:
            world.label(task, new)
        world.wait_until_spread()
        shown = world.shown_kinds()
        assert old not in set(shown.values())
        turned = [kind for task, kind in shown.items() if world.truth[task] == old]
        assert turned.count(new) > len(turned) / 2
        for task in [task for task in world.given if world.truth[task] == old]:
            world.label(task)
        world.wait_until_spread()
        assert old in set(world.shown_kinds().values())

    def test_deleted_annotations_take_their_predictions_along(self, world: World) -> None:
        gone = self._a_labelled_kind(world)
        for task in [task for task in world.given if world.truth[task] == gone]:
            world.unlabel(task)
        world.wait_until_spread()
        assert gone not in set(world.shown_kinds().values())

    def test_new_tasks_are_scored_without_being_asked(self, world: World) -> None:
        text = "Battery low: 9% left on the hall tablet. Plug in soon."
        ((task,),) = world.annotator.import_tasks(world.project, [{"text": text}])
        world.truth[task] = "battery"
        wait_for(lambda: None if task in world.shown() else "a prediction of the new task")

    def test_strange_tasks_that_come_together_get_no_label_until_one_is_known(self, world: World) -> None:
        tasks = [task for part in (STRANGE[:3], STRANGE[3:]) for task in self._imported(world, part)]
        named = {task: kind for task, kind in world.shown_kinds().items() if task in tasks}
        assert len(named) <= 1, named
        for task in tasks:
            world.label_studio.api.delete_task(task)
        wait_for(lambda: None if world.status()["tasks"] == len(world.truth) + 1 else "that they are gone")

    def test_start_training_button(self, world: World) -> None:
        (backend,) = world.label_studio.api.backends(world.project)
        before = world.status()["training"]["run"]
        world.label_studio.client.send("POST", f"/api/ml/{backend['id']}/train")
        world.wait_for_status(
            lambda status: status["training"]["run"] > before and status["training"]["status"] == "done",
            "the training that the button asks for",
        )
        world.wait_until_spread()

    def test_a_push_survives_that_label_studio_is_down_and_everything_a_restart(self, world: World) -> None:
        failed = world.status()["counters"].get("push_failed", 0)
        for task in [task for task in world.truth if task not in world.given][:5]:
            world.label(task)
        labels = len(world.given)
        world.wait_for_status(lambda status: status["labels"] == labels, "the last webhooks")
        world.label_studio.process.stop()
        world.wait_for_status(
            lambda status: status["counters"].get("push_failed", 0) > failed and status["labels_since_training"] == 0,
            "a training and a push that fails",
        )
        before, weights = world.status(), world.weights()

        world.lantern.stop()
        world.label_studio.restart()
        world.lantern.start()
        world.lantern.wait_until_up()
        assert world.weights() == weights
        assert world.status()["labels"] == before["labels"] == labels
        world.wait_until_spread()
        assert world.status()["training"]["run"] == before["training"]["run"]
        assert world.in_label_studio()["model_version"] == world.status()["publication"]["model_version"]
        assert set(world.shown()) == set(world.truth)

    def test_a_restart_changes_no_answer(self, world: World) -> None:
        tasks = list(world.truth)[:30]
        before, version = world.predict(tasks), world.status()["publication"]["model_version"]
        world.lantern.stop()
        world.lantern.start()
        world.lantern.wait_until_up()
        assert world.status()["publication"]["model_version"] == version
        assert world.predict(tasks) == before

    def test_disconnect_restores_the_project(self, world: World) -> None:
        db = Database.open(world.settings.home)
        disconnect(db, world.settings, world.label_studio.api, world.project)
        db.close()
        after = world.in_label_studio()
        for name in ("sampling", "show_collab_predictions", "label_config"):
            assert after[name] == TestMainJob.before[name], name
        assert world.label_studio.api.backends(world.project) == []
        assert world.label_studio.api.webhooks(world.project) == []
        titles = {view.get("data", {}).get("title") for view in world.label_studio.api.views(world.project)}
        assert TAB["title"] not in titles

    def _imported(self, world: World, texts: tuple[str, ...]) -> list[int]:
        """New tasks, once Label Studio has predictions of them."""
        (tasks,) = world.annotator.import_tasks(world.project, [{"text": text} for text in texts])
        wait_for(lambda: None if set(tasks) <= set(world.shown()) else "predictions of the new tasks")
        return tasks

    def _a_labelled_kind(self, world: World) -> str:
        """A kind whose removal leaves others: the one with the most labels, the first class aside."""
        labelled = [world.truth[task] for task in world.given]
        return max(KINDS[1:], key=labelled.count)

    def _another_kind(self, world: World) -> str:
        old = self._a_labelled_kind(world)
        return next(kind for kind in reversed(KINDS) if kind != old)
