"""A person steers: runs as asked for, stopped, measured, brought back; settings that hold at once."""

from __future__ import annotations

import dataclasses
import errno
import time
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from sqlalchemy.orm import Session

from ml_backend.core.hyperparameters import LossWeights
from ml_backend.engine import kept_models
from ml_backend.engine.prediction import TaskPrediction
from ml_backend.engine.publishing import project_folder
from ml_backend.engine.run_effects import changed_rows
from ml_backend.engine.steering import Steering
from ml_backend.errors import ConflictError, InputError
from ml_backend.store import artifacts, projects, publications, runs
from ml_backend.store.tables import TrainingRun

from .conftest import UID, World

pytestmark = pytest.mark.slow

KINDS = ("battery", "network", "payment")
N = 90


def fill(world: World, noise: float = 0.4) -> None:
    """Vectors around one direction a kind; the ids' remainders by three are the truth."""
    world.configure(n_components=8)
    add(world, range(1, N + 1), noise)
    world.work()


def add(world: World, ids: range, noise: float = 0.4) -> None:
    random = np.random.default_rng(ids.start)
    centres = np.random.default_rng(0).normal(size=(3, 12))
    rows = [(i, {"embedding": (centres[i % 3] + noise * random.normal(size=12)).round(4).tolist()}) for i in ids]
    world.add_tasks(rows)


def label(world: World, *ids: int) -> None:
    for task in ids:
        world.label(task, KINDS[task % 3])


def steering(world: World) -> Steering:
    return Steering(world.db, world.settings)


def train(world: World, **wish: object) -> TrainingRun:
    number = steering(world).ask(UID, {"epochs": 1, **wish}, "Ann")
    world.work()
    return run_of(world, number)


def run_of(world: World, number: int) -> TrainingRun:
    with world.db.read() as session:
        found = runs.get(session, projects.ensure(session, UID), number)
    assert found is not None
    return found


def named(world: World) -> dict[int, TaskPrediction]:
    return {p.task_id: p for p in world.view().predictions()}


@pytest.fixture
def trained(world: World) -> World:
    fill(world)
    label(world, 1, 2, 3, 4, 5, 6)
    return world


def test_a_run_does_what_was_asked_for(trained: World) -> None:
    run = train(trained, epochs=2, weights={"classification": 3.0, "sparsity": 0.0}, phase="labels")
    assert (run.status, run.error) == ("done", None)
    assert run.request["requested_by"] == "Ann"
    assert run.request["weights"] == dataclasses.asdict(LossWeights(classification=3.0, sparsity=0.0))
    assert [epoch["phase"] for epoch in run.epochs] == ["labels", "labels"]
    for epoch in run.epochs:
        losses, weighted = epoch["losses"], epoch["weighted"]
        for term, weight in (("classification", 3.0), ("contrastive", 1.0), ("reconstruction", 1.0), ("sparsity", 0.0)):
            assert weighted[term] == pytest.approx(weight * losses[term], rel=1e-4, abs=1e-7), term
        assert losses["classification"] > 0
        assert sum(weighted.values()) == pytest.approx(losses["total"], rel=1e-4)
        assert 1.0 <= epoch["usage"] <= 8.0
        assert 0.0 <= epoch["accuracy"] <= 1.0


def test_a_term_without_weight_is_not_learned(trained: World) -> None:
    before = run_of(trained, 1)
    with_labels = train(trained, epochs=5, phase="labels")
    steering(trained).restore(UID, before.id, "Ann")
    trained.work()
    without = train(trained, epochs=5, phase="labels", weights={"classification": 0.0})
    assert without.epochs[-1]["weighted"]["classification"] == 0.0
    assert with_labels.epochs[-1]["weighted"]["classification"] > 0.0
    assert without.epochs[-1]["losses"] != with_labels.epochs[-1]["losses"]


def test_a_phase_is_for_one_run_and_a_prior_stays(trained: World) -> None:
    run = train(trained, phase="reconstruction", prior="vamp")
    assert (run.phase, run.request["prior"]) == ("reconstruction", "vamp")
    assert run.epochs[0]["weighted"]["classification"] == 0.0
    assert train(trained).phase == "labels"
    assert steering(trained).overview(UID)["prior"] == "vamp"
    assert train(trained).request["prior"] == "vamp"


def test_one_run_at_a_time_and_none_before_there_is_a_model(world: World) -> None:
    world.configure(n_components=8)
    with pytest.raises(ConflictError, match="no model"):
        steering(world).ask(UID, {"epochs": 1}, "Ann")
    fill(world)
    steering(world).ask(UID, {"epochs": 1}, "Ann")
    with pytest.raises(ConflictError, match="queued"):
        steering(world).ask(UID, {"epochs": 1}, "Ann")


@pytest.mark.parametrize(
    "wish",
    [
        {"epochs": 6},
        {"epochs": 0},
        {"epochs": "2"},
        {"epochs": True},
        {"epochs": None},
        {"weights": {"kl": -1}},
        {"weights": {"kl": "big"}},
        {"weights": {"kl": 1e9}},
        {"weights": {"nonsense": 1}},
        {"weights": [1]},
        {"prior": "flat"},
        {"phase": "last"},
    ],
)
def test_what_cannot_be_trained_is_refused_at_once(world: World, wish: dict[str, object]) -> None:
    with pytest.raises(InputError):
        steering(world).ask(UID, {"epochs": 1, **wish}, "Ann")


def test_a_run_stopped_by_hand_is_over_and_published(trained: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stopped after its first epoch, from outside, while the trainer asks whether it should go on."""
    ticks = iter(range(1000))
    monkeypatch.setattr("ml_backend.engine.training.time", FakeTime(lambda: float(next(ticks))))
    record = runs.epoch

    def stop_after(
        session: Session, run: TrainingRun | int, report: Mapping[str, object], *, phase: str | None = None
    ) -> None:
        record(session, run, report, phase=phase)
        runs.request_stop(session, projects.ensure(session, UID), 1.0)

    monkeypatch.setattr(runs, "epoch", stop_after)
    before = trained.view().number
    run = train(trained, epochs=5)
    assert (run.status, len(run.epochs)) == ("done", 1)
    assert run.publication_number == trained.view().number > before
    assert steering(trained).runs(UID)[0]["stopped"]
    assert not trained.worker.due(UID), "it was put back in the queue"


class FakeTime:
    """The module `time` as a training sees it."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.monotonic = monotonic
        self.time = time.time


def test_a_run_that_still_waits_is_stopped_without_being_done(trained: World) -> None:
    number = steering(trained).ask(UID, {"epochs": 1}, "Ann")
    version = trained.view().model_version
    assert steering(trained).stop(UID) == number
    trained.work()
    assert run_of(trained, number).epochs == []
    assert trained.view().model_version == version
    with pytest.raises(ConflictError):
        steering(trained).stop(UID)


def test_a_run_says_what_it_changed(world: World) -> None:
    fill(world, noise=3.0)
    labelled = range(1, 31)
    label(world, *labelled)
    before = named(world)
    effect = train(world, epochs=5, phase="labels").effect
    assert effect is not None
    assert 0.0 < effect["interval"]["low"] < effect["accuracy"] < effect["interval"]["high"] < 1.0
    assert 0.0 < effect["accuracy_before"] < 1.0
    assert 1.0 < effect["usage"] <= 8.0
    after = named(world)
    different = {task for task in after if task not in labelled and _class(before, task) != _class(after, task)}
    ids = world.view().snapshot.task_ids
    assert set(ids[changed_rows(world.db, UID, ids, "kind")].tolist()) == different
    assert effect["changed"] == len(different) > 0
    assert not changed_rows(world.db, UID, ids, "another control").any()


def _class(predictions: dict[int, TaskPrediction], task: int) -> str | None:
    answers = predictions[task].answers.get("kind") or ()
    return answers[0][0] if answers else None


def test_back_to_an_earlier_run_its_predictions_are_there_again(trained: World) -> None:
    first = train(trained, epochs=2)
    expected = named(trained)
    components = trained.view().snapshot.description.responsibilities.indices.copy()
    for _ in range(4):
        train(trained, epochs=2, weights={"reconstruction": 5.0, "contrastive": 0.0})
    assert named(trained) != expected
    back = steering(trained).restore(UID, first.id, "Ann")
    trained.work()
    assert run_of(trained, back).status == "done"
    assert named(trained) == expected
    np.testing.assert_array_equal(trained.view().snapshot.description.responsibilities.indices, components)
    assert steering(trained).overview(UID)["weights"] == first.request["weights"]
    again = train(trained)
    assert again.epochs[0]["model_epoch"] == first.epochs[-1]["model_epoch"] + 1, (
        "training goes on from the model brought back"
    )


def test_tasks_that_came_since_are_in_the_model_brought_back(trained: World) -> None:
    first = train(trained)
    expected = named(trained)
    add(trained, range(200, 210))
    trained.delete_tasks([9])
    trained.work()
    train(trained)
    trained.db.close()
    trained.start()
    steering(trained).restore(UID, first.id, "Ann")
    trained.work()
    now = named(trained)
    assert set(now) == set(expected) - {9} | set(range(200, 210))
    kept = [task for task in expected if task != 9]
    assert np.mean([_class(now, task) == _class(expected, task) for task in kept]) > 0.95
    assert trained.worker.due(UID) is False


def test_only_the_newest_runs_can_be_brought_back(trained: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_models, "KEPT_RUNS", 4)
    first = run_of(trained, 1)
    for _ in range(6):
        train(trained)
    listed = steering(trained).runs(UID)
    assert [run["restorable"] for run in listed] == [True] * 4 + [False] * (len(listed) - 4)
    with pytest.raises(ConflictError, match="no longer"):
        steering(trained).restore(UID, first.id, "Ann")
    with trained.db.read() as session:
        project = projects.ensure(session, UID)
        assert len(publications.list_all(session, project)) == 3
    folders = [path.name for path in project_folder(trained.db, project).iterdir() if path.is_dir()]
    assert len([name for name in folders if name.startswith("model-")]) == 4
    assert len([name for name in folders if name.startswith("changes-")]) == 1


def test_a_model_that_takes_too_much_room_is_given_up(trained: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_models, "KEPT_BYTES", 1)
    for _ in range(5):
        train(trained)
    listed = steering(trained).runs(UID)
    assert [run["restorable"] for run in listed] == [True] * 3 + [False] * (len(listed) - 3)


def test_a_damaged_model_is_not_brought_back(trained: World) -> None:
    first = train(trained)
    train(trained)
    path = trained.home / str(run_of(trained, first.id).model_path)
    next(path.glob("*.safetensors")).write_bytes(b"damaged")
    before = trained.view().model_version
    back = steering(trained).restore(UID, first.id, "Ann")
    trained.work()
    assert run_of(trained, back).status == "failed"
    assert trained.view().model_version == before


def test_a_full_disk_brings_no_model_back_and_says_so(trained: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = train(trained)
    train(trained)
    before = trained.view().model_version

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(artifacts, "save_file", full)
    back = steering(trained).restore(UID, first.id, "Ann")
    trained.work()
    assert run_of(trained, back).status == "failed"
    assert "No space left on device" in str(run_of(trained, back).error)
    assert trained.view().model_version == before


def test_alpha0_holds_at_once_without_training(trained: World) -> None:
    before, version = named(trained), trained.view().labels_version
    assert steering(trained).set(UID, {"alpha0": 30.0})["alpha0"] == 30.0
    after = named(trained)
    assert np.mean([after[t].scores["ambiguity"] != before[t].scores["ambiguity"] for t in before]) > 0.5
    assert trained.view().labels_version > version, "what was pushed to Label Studio is out of date"
    assert not trained.worker.due(UID)
    [folded] = trained.engine.predict(UID, [(999, {"embedding": [0.1] * 12})])
    assert folded.readable
    steering(trained).set(UID, {"alpha0": None})
    assert named(trained) == before
    steering(trained).set(UID, {"never_seen_level": 0.9})
    assert sum(p.never_seen for p in trained.view().predictions()) > N / 2


def test_settings_that_cannot_hold_are_refused(trained: World) -> None:
    before = trained.view().labels_version
    wishes = (
        {"alpha0": 0},
        {"alpha0": -1.0},
        {"alpha0": "1"},
        {"alpha0": 1e9},
        {"never_seen_level": 1.0},
        {"prior": 1},
    )
    for wish in wishes:
        with pytest.raises(InputError):
            steering(trained).set(UID, wish)
    assert trained.view().labels_version == before


def test_presets_and_contributions_are_shown(trained: World) -> None:
    shown = steering(trained).overview(UID)
    assert set(shown["presets"]) == {"balanced", "cluster-tight", "classifier-first"}
    assert shown["presets"]["balanced"] == shown["defaults"] == shown["weights"]
    assert shown["next_phase"] == "labels"
    assert sum(shown["contributions"].values()) == pytest.approx(1.0)
    weights = {**shown["defaults"], "kl": 0.25}
    train(trained, weights=weights)
    assert steering(trained).overview(UID)["weights"]["kl"] == 0.25
