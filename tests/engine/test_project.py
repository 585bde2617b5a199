"""From rows in the store to published scores: the engine's steps, seen through views and predictions."""

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
from ml_backend.data.media import read_data_uri
from ml_backend.data.pictures import to_data_uri
from ml_backend.engine import project as project_module
from ml_backend.engine.checkpoint import load_model
from ml_backend.engine.pool_settings import PoolSettings
from ml_backend.engine.project import ProjectEngine
from ml_backend.errors import ConfigError, LeaseLost, MediaError, StoreBusy, StoreError, TrainingError
from ml_backend.store import artifacts, projects, publications, runs, tasks
from ml_backend.store.tables import TrainingRun

from .conftest import CONFIG, UID, World

KINDS = {
    "battery": [
        "Battery at {} percent, plug in soon",
        "Low battery: {} percent left",
        "Only {} % charge remains in the battery",
    ],
    "network": ["Wi-Fi lost on channel {}", "No network connection since {} minutes", "Wireless dropped {} times"],
    "payment": ["Payment of {} euro declined", "Your card was refused for {} euro", "Card charge of {} euro failed"],
}
TRUTH = {
    100 * k + i: (kind, texts[i % 3].format(i + 3))
    for k, (kind, texts) in enumerate(KINDS.items(), start=1)
    for i in range(30)
}


def fill(world: World) -> None:
    world.configure()
    world.add_tasks([(task, {"text": text}) for task, (_, text) in TRUTH.items()])


def accuracy(world: World) -> float:
    answered = {p.task_id: p.answers["kind"][0][0] for p in world.view().predictions() if p.answers.get("kind")}
    return sum(answered.get(task) == kind for task, (kind, _) in TRUTH.items()) / len(TRUTH)


def label_head_of_queue(world: World, n: int) -> None:
    for _ in range(n):
        asked = min(world.view().predictions(), key=lambda p: p.score)
        world.label(asked.task_id, TRUTH[asked.task_id][0])


def test_the_queue_is_there_before_the_first_label_and_nothing_is_predicted(world: World) -> None:
    fill(world)
    world.work()
    predictions = world.view().predictions()
    assert [p.task_id for p in predictions] == sorted(TRUTH)
    assert not any(p.answers.get("kind") for p in predictions)
    assert len({p.score for p in predictions}) == len(predictions)


def test_a_handful_of_labels_from_the_queue_spreads_to_most_tasks(world: World) -> None:
    fill(world)
    world.work()
    label_head_of_queue(world, 18)
    assert accuracy(world) >= 0.6


def test_a_label_counts_at_once_and_goes_again_when_it_is_changed(world: World) -> None:
    fill(world)
    world.work()
    world.label(101, "battery")
    before = {p.task_id: p for p in world.view().predictions([101])}[101]
    assert before.answers["kind"][0][0] == "battery"
    world.label(101, "payment")
    after = {p.task_id: p for p in world.view().predictions([101])}[101]
    assert after.answers["kind"][0][0] == "payment"


@pytest.mark.slow
def test_enough_labels_start_a_training_and_each_publication_has_a_version_of_its_own(world: World) -> None:
    fill(world)
    world.work()
    first = world.view().model_version
    label_head_of_queue(world, world.settings.start_training_each_n_updates)
    assert world.worker.due(UID)
    world.work()
    assert world.view().model_version != first
    with world.db.read() as session:
        project = projects.ensure(session, UID)
        run = runs.newest(session, project)
        assert run is not None
        assert run.status == "done"
        assert len(run.epochs) == 5
        assert project.labels_changed == 0


def test_a_restart_gives_the_same_version_and_the_same_answers(world: World) -> None:
    fill(world)
    world.work()
    label_head_of_queue(world, 5)
    before = world.view()
    expected = before.predictions()
    world.db.close()
    world.start()
    assert world.work() == 0
    assert world.view().model_version == before.model_version
    assert world.view().predictions() == expected


def test_new_tasks_are_scored_without_training_and_deleted_ones_are_gone(world: World) -> None:
    fill(world)
    world.work()
    label_head_of_queue(world, 9)
    world.add_tasks([(900, {"text": "Low battery: 7 percent left"})])
    world.delete_tasks([101, 102])
    world.work()
    view = world.view()
    assert {101, 102}.isdisjoint(view.task_ids.tolist())
    assert 900 in view.task_ids
    assert len(view.predictions()) == len(TRUTH) - 1


def test_a_project_whose_tasks_are_all_deleted_takes_new_ones_in(world: World) -> None:
    fill(world)
    world.work()
    world.label(100, "battery")
    world.work()
    world.delete_tasks(list(TRUTH))
    world.work()
    assert world.view().predictions() == []
    world.start()
    again = [(5000 + task, {"text": text}) for task, (_, text) in TRUTH.items()]
    world.add_tasks(again)
    world.work()
    assert {one.task_id for one in world.view().predictions()} == {task for task, _ in again}


def test_a_task_that_the_publication_does_not_know_is_folded_in(world: World) -> None:
    fill(world)
    world.work()
    label_head_of_queue(world, 12)
    known, new = world.engine.predict(
        UID, [(103, {"text": "ignored, the task is known"}), (5000, {"text": "Your card was refused for 99 euro"})]
    )
    assert known.task_id == 103
    assert known == world.view().predictions([103])[0]
    assert new.task_id == 5000
    assert new.answers["kind"][0][0] == "payment"
    assert 0.0 <= new.score <= 1.0


def test_before_the_first_publication_tasks_are_answered_as_unreadable(world: World) -> None:
    world.configure()
    [prediction] = world.engine.predict(UID, [(1, {"text": "hello"})])
    assert not prediction.readable
    assert prediction.reason_unreadable


def test_unreadable_tasks_say_why_and_the_others_go_on(world: World) -> None:
    fill(world)
    world.add_tasks([(950, {"text": "   "}), (951, {"other": 1})])
    world.work()
    with world.db.read() as session:
        reasons = tasks.unreadable(session, projects.ensure(session, UID))
    assert set(reasons) == {950, 951}
    assert len(world.view().predictions()) == len(TRUTH)


def test_a_field_that_was_wrong_and_is_right_again_leaves_nothing_behind(world: World) -> None:
    def reasons() -> dict[int, str]:
        with world.db.read() as session:
            return tasks.unreadable(session, projects.ensure(session, UID))

    fill(world)
    world.work()
    world.configure(field="no_such_field")
    world.add_tasks([(952, {"text": "a payment"})])
    world.work()
    assert reasons()
    world.configure(field="text")
    world.work()
    assert reasons() == {}
    assert len(world.view().predictions()) == len(TRUTH) + 1


def test_new_tasks_that_cannot_be_read_leave_nothing_behind(world: World) -> None:
    fill(world)
    world.work()
    published = world.view().number
    world.add_tasks([(950, {"text": "   "})])
    world.work()
    with world.db.read() as session:
        project = projects.ensure(session, UID)
        newest = publications.newest(session, project)
    assert newest is not None
    assert newest.number == published
    assert newest.data_version == project.data_version


def test_a_renamed_label_is_dropped_and_never_shifted_to_another_class(world: World) -> None:
    fill(world)
    world.work()
    label_head_of_queue(world, 9)
    world.configure(
        '<View><Text name="text" value="$text"/><Choices name="kind" toName="text">'
        '<Choice value="network"/><Choice value="payment"/><Choice value="power"/></Choices></View>'
    )
    world.work()
    named = {p.answers["kind"][0][0] for p in world.view().predictions() if p.answers.get("kind")}
    assert named <= {"network", "payment"}


def test_a_damaged_publication_is_passed_over_and_made_anew(world: World) -> None:
    fill(world)
    world.work()
    with world.db.read() as session:
        newest = publications.newest(session, projects.ensure(session, UID))
    assert newest is not None
    [tensors] = (world.home / newest.description_path).glob("*.safetensors")
    tensors.write_bytes(tensors.read_bytes()[:-100])
    world.db.close()
    world.start()
    view = world.engine.view(UID)
    assert view is not None
    assert view.number < newest.number


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


def test_weights_of_a_project_are_checked_with_the_key_named(world: World) -> None:
    fill(world)
    world.configure(weights={"kl": -1})
    with pytest.raises(ConfigError, match="kl"):
        world.work()


def test_the_s_ood_query_gives_exactly_one_minus_s_ood(world: World) -> None:
    fill(world)
    world.configure(query="s_ood")
    world.work()
    for task, (kind, _) in list(TRUTH.items())[::9]:
        world.label(task, kind)
    predictions = world.view().predictions()
    np.testing.assert_allclose([p.score for p in predictions], [1 - p.scores["s_ood"] for p in predictions], atol=1e-6)


@pytest.mark.slow
def test_a_picture_whose_server_was_down_is_read_later(world: World) -> None:
    picture = to_data_uri(np.full((1, 8, 8), 200, dtype=np.uint8))
    down = True

    def fetch(address: str) -> bytes:
        if down:
            raise MediaError("the server is down")
        return read_data_uri(picture)

    world.fetch = fetch
    world.start()
    world.configure(
        '<View><Image name="image" value="$image"/><Choices name="kind" toName="image">'
        '<Choice value="a"/><Choice value="b"/></Choices></View>'
    )
    world.add_tasks([(i, {"image": f"http://pictures.example/{i}.png"}) for i in range(1, 9)])
    world.work()
    assert world.engine.view(UID) is None
    down = False
    world.start()
    world.work()
    assert len(world.view().predictions()) == 8
