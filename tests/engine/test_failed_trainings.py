"""Trainings that fail, wait, lose their lease or meet another worker: what is published stays right."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.core.model import ComponentModel
from ml_backend.core.trainer import Trainer
from ml_backend.engine import project as project_module
from ml_backend.engine.checkpoint import load_model
from ml_backend.engine.pool_settings import PoolSettings
from ml_backend.engine.project import ProjectEngine
from ml_backend.errors import LeaseLost, StoreBusy, StoreError, TrainingError
from ml_backend.store import artifacts, projects, publications, runs
from ml_backend.store.tables import TrainingRun

from .conftest import CONFIG, UID, World
from .test_project import TRUTH, fill, label_head_of_queue


def test_a_training_on_a_model_that_cannot_be_read_makes_the_pool_anew(world: World) -> None:
    fill(world)
    world.work()
    with world.db.write() as session:
        project = projects.ensure(session, UID)
        newest = publications.newest(session, project)
        projects.request_training(session, project)
    assert newest is not None
    for tensors in (world.home / newest.model_path).glob("*.safetensors"):
        tensors.write_bytes(tensors.read_bytes()[:-100])
    world.db.close()
    world.start()
    world.work()
    assert world.view().number > newest.number


def test_a_training_waits_while_no_task_can_be_read(world: World) -> None:
    fill(world)
    world.work()
    published = world.view().number
    world.configure(CONFIG.replace("$text", "$no_such_field"))
    ask_for_training(world)
    world.work()
    assert not world.worker.due(UID)
    world.configure(CONFIG)
    world.work()
    run = newest_run(world)
    assert (run.status, run.publication_number) == ("done", world.view().number)
    assert world.view().number > published


def test_a_run_that_keeps_killing_its_worker_is_failed_and_not_tried_for_ever(world: World) -> None:
    fill(world)
    world.work()
    with world.db.write() as session:
        project = projects.ensure(session, UID)
        run = runs.create(session, project, {"epochs": 5}, 0.0)
        for _ in range(runs.MAX_ATTEMPTS):
            assert runs.start(session, run, 0.0)
    version = world.view().model_version
    world.work()
    assert not world.worker.due(UID)
    assert world.view().model_version == version
    with world.db.read() as session:
        assert session.get_one(TrainingRun, run.id).status == "failed"


@pytest.mark.parametrize(
    ("error", "status"),
    [(TrainingError("the loss is not finite"), "failed"), (StoreBusy("busy"), "running"), (MemoryError(), "running")],
)
def test_nothing_that_a_failed_training_learned_is_ever_published(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, status: str
) -> None:
    fill(world)
    world.work()
    before = published_weights(world)
    ask_for_training(world)
    epoch = Trainer.epoch
    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "epoch", in_turn(epoch, raising(error)))
        with contextlib.nullcontext() if status == "failed" else pytest.raises(type(error)):
            world.worker.run(UID)
    with world.db.write() as session:
        run = runs.newest(session, projects.ensure(session, UID))
        assert run is not None
        assert run.status == status
        runs.fail(session, run, "given up", 0.0)
        project = projects.ensure(session, UID)
        requested = project.training_requested
        projects.training_handled(session, project, requested=requested, labels_changed=project.labels_changed)
    world.add_tasks([(999, {"text": "Battery at 3 percent, plug in soon"})])
    world.work()
    assert 999 in world.view().task_ids
    for name, values in published_weights(world).items():
        assert np.array_equal(values, before[name]), name


@pytest.mark.parametrize(
    ("n", "text", "prior"),
    [
        (20, "Low battery: {} percent left now", "mixture"),
        (30, "Low battery: {} percent left now", "mixture"),
        (30, "Low battery: 7 percent left now", "mixture"),
        (30, "Low battery: 7 percent left now", "standard"),
    ],
)
def test_new_tasks_that_are_copies_of_each_other_are_trained_on(world: World, n: int, text: str, prior: str) -> None:
    fill(world)
    world.configure(epochs=1, prior=prior)
    world.work()
    label_head_of_queue(world, 12)
    before = published_model(world)
    copies = [900 + i for i in range(n)]
    world.add_tasks([(task, {"text": text.format(i)}) for i, task in enumerate(copies)])
    world.label(copies[0], "battery")
    world.work()
    run = newest_run(world)
    assert (run.status, run.attempts, len(run.epochs)) == ("done", 1, 1)
    answered = {p.task_id: p.answers["kind"][0][0] for p in world.view().predictions() if p.answers.get("kind")}
    assert sorted(p.task_id for p in world.view().predictions()) == sorted([*TRUTH, *copies])
    assert {answered[task] for task in copies} == {"battery"}
    assert published_model(world).epochs_done == before.epochs_done + 1


def test_a_training_that_a_full_disk_ends_says_so_and_follows_when_there_is_space(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(world)
    world.configure(epochs=1)
    world.work()
    label_head_of_queue(world, 12)
    with monkeypatch.context() as patched:
        patched.setattr(artifacts, "save_file", raising(OSError(errno.ENOSPC, "No space left on device")))
        for _ in range(runs.MAX_ATTEMPTS + 1):
            assert world.worker.due(UID)
            with pytest.raises(StoreError):
                world.worker.run(UID)
    ended = newest_run(world)
    assert ended.status == "failed"
    assert "No space left on device" in str(ended.error)
    assert world.worker.due(UID)
    world.work()
    assert newest_run(world).status == "done"
    assert published_model(world).epochs_done == 2


def newest_run(world: World) -> TrainingRun:
    with world.db.read() as session:
        run = runs.newest(session, projects.ensure(session, UID))
    assert run is not None
    return run


def test_new_tasks_whose_publication_failed_are_taken_in_by_the_next_step(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(world)
    world.work()
    world.add_tasks([(999, {"text": "Battery at 3 percent, plug in soon"})])
    with monkeypatch.context() as patched:
        patched.setattr(project_module, "publish_model", raising(StoreBusy("busy")))
        with pytest.raises(StoreBusy):
            world.worker.run(UID)
    assert world.worker.due(UID)
    world.work()
    assert 999 in world.view().task_ids


def test_a_training_whose_lease_is_lost_ends_and_leaves_publication_and_run_to_the_new_owner(world: World) -> None:
    fill(world)
    world.work()
    before = world.view().model_version
    ask_for_training(world)

    def lost_after_an_epoch() -> None:
        with world.db.read() as session:
            run = runs.unfinished(session, projects.ensure(session, UID))
        if run is not None and run.epochs:
            raise LeaseLost("taken over")

    theirs = ProjectEngine(world.db, world.settings, world.engine.readers, check_lease=lost_after_an_epoch)
    with pytest.raises(LeaseLost):
        theirs.run(UID)
    assert world.view().model_version == before
    run = newest_run(world)
    assert (run.status, len(run.epochs)) == ("running", 1)


def test_a_worker_goes_on_from_what_another_one_has_published(world: World) -> None:
    fill(world)
    world.work()
    other = ProjectEngine(world.db, world.settings, world.engine.readers)
    ask_for_training(world)
    other.run(UID)
    world.add_tasks([(999, {"text": "Battery at 3 percent, plug in soon"})])
    other.run(UID)
    published = published_model(world).epochs_done
    ask_for_training(world)
    world.worker.run(UID)
    assert 999 in world.view().task_ids
    assert published_model(world).epochs_done > published


def ask_for_training(world: World) -> None:
    with world.db.write() as session:
        projects.request_training(session, projects.ensure(session, UID))


def test_a_lease_lost_just_before_the_end_publishes_nothing(world: World) -> None:
    fill(world)
    world.work()
    before = world.view().model_version
    world.add_tasks([(999, {"text": "Battery at 3 percent, plug in soon"})])
    theirs = ProjectEngine(world.db, world.settings, world.engine.readers, check_lease=raising(LeaseLost("taken")))
    with pytest.raises(LeaseLost):
        theirs.run(UID)
    assert world.view().model_version == before


def published_weights(world: World) -> dict[str, NDArray[Any]]:
    return published_model(world).state()


def published_model(world: World) -> ComponentModel:
    with world.db.read() as session:
        newest = publications.newest(session, projects.ensure(session, UID))
    assert newest is not None
    return load_model(world.home / newest.model_path, PoolSettings()).pool.model


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def in_turn(*functions: Callable[..., Any]) -> Callable[..., Any]:
    """A function that does what these do, one after the other."""
    waiting = iter(functions)
    return lambda *args, **named: next(waiting)(*args, **named)
