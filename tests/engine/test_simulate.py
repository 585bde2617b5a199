"""The simulated session: truthful, nested, blind to labels that were not asked for, and graded as the issue says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from ml_backend.core.labels import LabelSet
from ml_backend.data.dataset import Dataset
from ml_backend.engine.pool import PoolSettings
from ml_backend.engine.simulation import LoopSettings, SimulationOptions, SimulationResult, simulate
from ml_backend.engine.simulation.embedded import Embedded
from ml_backend.engine.simulation.grading import grade
from ml_backend.engine.simulation.lantern import Reached, run_loop
from ml_backend.engine.simulation.methods import check_method, run_baseline
from ml_backend.engine.simulation.oracle import AskedLabels, Oracle
from ml_backend.engine.simulation.outcome import Fitted, Outcome
from ml_backend.engine.simulation.problem import Problem, make_problem
from ml_backend.errors import ConfigError, InputError
from tests.engine.labelled_blobs import CLASSES, blob_dataset, blob_problem

SMALL = LoopSettings(epochs=1, batch=6, pool=PoolSettings(n_components=12, latent_dim=4, device="cpu"))
ROW_KEYS = {
    "method", "budget", "seed", "accuracy_pool", "accuracy_test", "auroc_novelty", "auroc_s_ood", "fpr95", "ece",
    "seconds", "peak_mb",
}  # fmt: skip


def session(problem: Problem, budgets: tuple[int, ...], *, seed: int = 0) -> list[Reached]:
    return list(run_loop(problem, Oracle(problem.pool_truth), budgets, seed, SMALL))


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> SimulationResult:
    """One small simulation with test and oos split, from a file."""
    path = tmp_path_factory.mktemp("simulate") / "blobs.npz"
    data = blob_dataset(n=160, test=40, oos=20)
    assert data.x is not None
    assert data.y is not None
    assert data.split is not None
    np.savez(path, x=data.x, y=data.y, split=data.split)
    return simulate(path, SimulationOptions(budgets=(24, 8), seeds=1, loop=SMALL))


def test_the_json_has_the_documented_form(result: SimulationResult) -> None:
    read = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert set(read) == {"data", "settings", "rows"}
    assert read["data"] == "blobs"
    assert all(set(row) == ROW_KEYS for row in read["rows"])
    assert {(row["method"], row["budget"], row["seed"]) for row in read["rows"]} == {
        (method, budget, 0)
        for method in (
            "lantern", "random+logreg", "lantern+logreg", "lantern+knn", "lantern+labelspreading", "lantern+kmeans+tau",
        )
        for budget in (8, 24)
    }  # fmt: skip


def test_clear_groups_are_learned_and_strangers_are_told_apart(result: SimulationResult) -> None:
    [row] = [row for row in result.rows if row.method == "lantern" and row.budget == 24]
    assert row.accuracy_pool is not None
    assert row.accuracy_pool > 0.9
    assert row.accuracy_test is not None
    assert row.accuracy_test > 0.9
    assert row.auroc_novelty is not None
    assert row.auroc_novelty > 0.9
    assert row.fpr95 is not None
    assert row.fpr95 < 0.5
    assert 0 <= row.ece <= 1
    assert row.seconds > 0
    assert row.peak_mb > 10


def test_settings_say_what_the_figures_depend_on(result: SimulationResult) -> None:
    assert result.settings["budgets"] == [8, 24]
    assert result.settings["encoder"] == "vector"
    assert result.settings["items"] == {"pool": 160, "test": 40, "ood": 20}


def test_labels_that_were_not_asked_for_change_nothing() -> None:
    """The same session on a pool whose other labels are nonsense, with classes that do not exist."""
    problem, _ = blob_problem(n=120, test=30)
    [honest] = session(problem, (16,))
    nonsense = np.array([f"nonsense {i}" for i in range(120)])
    nonsense[honest.labels.asked] = problem.pool_truth[honest.labels.asked]
    scrambled = replace(problem, pool_truth=nonsense, test_truth=np.array(["?"] * 30))
    [other] = session(scrambled, (16,))
    assert other.labels == honest.labels
    for part in ("pool", "test"):
        for name, values in vars(honest.fitted(part)).items():
            assert np.array_equal(values, getattr(other.fitted(part), name)), name


def test_budgets_nest_and_a_seed_repeats_itself() -> None:
    problem, _ = blob_problem(n=120)
    first, second = session(problem, (7, 20))
    assert second.labels.first(7) == first.labels
    assert len(set(second.labels.rows)) == 20
    [again] = session(problem, (7,))
    assert again.labels == first.labels


def test_items_of_an_ood_label_are_neither_asked_nor_in_the_pool() -> None:
    dataset = blob_dataset(n=160, test=40)
    problem = make_problem(dataset, ood_labels=("cat", "dog"))
    assert set(problem.pool_truth) == set(problem.test_truth) == {"ant", "bee"}
    assert dataset.y is not None
    assert len(problem.ood) == np.isin(dataset.y, ("cat", "dog")).sum()
    with pytest.raises(InputError, match=r"'cow'.*ant, bee"):
        make_problem(dataset, ood_labels=("cow",))


def test_oos_rows_are_skipped_by_the_person_and_cost_a_question() -> None:
    dataset = blob_dataset(n=60, oos=40)
    assert dataset.split is not None
    moved = replace(dataset, split=np.where(dataset.split == "oos_test", "oos_train", dataset.split))
    assert len(make_problem(moved).pool) == 60
    problem = make_problem(moved, oos_in_pool=True)
    assert len(problem.pool) == 100
    asked = Oracle(problem.pool_truth).ask(AskedLabels(), list(range(100)))
    assert asked.answers.count(None) == 40
    given = asked.label_set
    assert given is not None
    assert given.classes == CLASSES
    assert len(given.rows) == 60


def test_the_person_is_not_asked_twice() -> None:
    oracle = Oracle(np.array(["a", "b"]))
    with pytest.raises(InputError, match="twice"):
        oracle.ask(oracle.ask(AskedLabels(), [0]), [1, 0])


def test_grading_counts_the_rest_of_the_pool_only() -> None:
    problem, _ = blob_problem(n=40)
    labels = Oracle(problem.pool_truth).ask(AskedLabels(), [0, 1, 2, 3])
    given = labels.label_set
    assert isinstance(given, LabelSet)
    right = np.searchsorted(given.classes, problem.pool_truth).astype(np.int32)

    def fitted_with(wrong_rows: list[int]) -> Fitted:
        label = right.copy()
        label[wrong_rows] = (label[wrong_rows] + 1) % len(CLASSES)
        sure = np.ones(40, np.float32)
        return lambda _part: Outcome(label, sure)

    assert grade(problem, labels, fitted_with([0, 1, 2, 3])).figures.accuracy_pool == 1.0
    figures = grade(problem, labels, fitted_with([0, 10, 11, 12])).figures
    assert figures.accuracy_pool == pytest.approx(33 / 36)
    assert figures.ece == pytest.approx(3 / 36)
    assert figures.accuracy_test is None
    assert figures.auroc_novelty is None
    assert figures.fpr95 is None


def test_the_components_alone_are_graded_beside_the_label() -> None:
    problem, _ = blob_problem(n=40, test=10)
    labels = Oracle(problem.pool_truth).ask(AskedLabels(), [0, 1, 2, 3])
    given = labels.label_set
    assert given is not None
    truth = {"pool": problem.pool_truth, "test": problem.test_truth}

    def fitted(part: str) -> Outcome:
        right = np.searchsorted(given.classes, truth[part]).astype(np.int32)
        worse = right.copy()
        worse[-2:] = (worse[-2:] + 1) % len(CLASSES)
        return Outcome(right, np.ones(len(right), np.float32), p_label=worse)

    figures = grade(problem, labels, fitted).figures
    assert figures.accuracy_pool == figures.accuracy_test == 1.0
    assert figures.accuracy_pool_components == pytest.approx(34 / 36)
    assert figures.accuracy_test_components == pytest.approx(8 / 10)


def test_baselines_on_lanterns_labels_get_exactly_those() -> None:
    problem, data = blob_problem(n=80)
    labels = Oracle(problem.pool_truth).ask(AskedLabels(), [3, 1, 4, 15, 9, 2, 6])
    [cell] = run_baseline("lantern+knn", problem, data, [7], 0, {7: labels})
    assert cell.labels == labels
    assert cell.method == "lantern+knn"


def test_a_pool_that_is_skipped_as_a_whole_is_an_input_error() -> None:
    dataset = blob_dataset(n=60)
    assert dataset.y is not None
    sparse = replace(dataset, y=np.where(np.arange(60) == 59, dataset.y, ""))
    problem = make_problem(sparse)
    unknown = AskedLabels((0, 1), (None, None))
    with pytest.raises(InputError, match="none of the 2 items"):
        list(run_baseline("lantern+knn", problem, Embedded.of(problem), [2], 0, {2: unknown}))


def test_texts_are_encoded_and_empty_ones_left_out() -> None:
    texts = ["battery is low", "", "the disk is full", "battery empty, please charge"] * 5
    dataset = Dataset("texts", text=texts, y=np.array(["battery", "?", "disk", "battery"] * 5))
    problem = make_problem(dataset)
    assert problem.unreadable == 5
    assert len(problem.pool) == 15
    assert problem.encoder.startswith("wordllama")
    assert set(problem.pool_truth) == {"battery", "disk"}


@pytest.mark.parametrize("encoder", ["pixels", "text"])
def test_an_encoder_that_finds_nothing_to_read_is_named(encoder: str) -> None:
    with pytest.raises(ConfigError, match=encoder):
        make_problem(blob_dataset(n=20), encoder=encoder)


def test_data_without_labels_and_budgets_without_a_rest_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "few.npz"
    np.savez(path, x=np.eye(6, dtype=np.float32))
    with pytest.raises(InputError, match="no labels"):
        simulate(path, SimulationOptions())
    np.savez(path, x=np.eye(6, dtype=np.float32), y=np.array(list("ababab")))
    with pytest.raises(InputError, match="6 items"):
        simulate(path, SimulationOptions(budgets=(6,)))


@pytest.mark.parametrize(("items", "budgets"), [(1_000, (50, 100, 300)), (200, (50, 100)), (90, (45,)), (2, (1,))])
def test_the_usual_budgets_leave_half_of_the_pool(items: int, budgets: tuple[int, ...]) -> None:
    whole = make_problem(blob_dataset(n=1_000))
    problem = replace(whole, pool=whole.pool[:items], pool_truth=whole.pool_truth[:items])
    assert SimulationOptions().budgets_for(problem) == budgets


@pytest.mark.parametrize(
    "make",
    [
        partial(SimulationOptions, budgets=()),
        partial(SimulationOptions, budgets=(0,)),
        partial(SimulationOptions, seeds=0),
        partial(SimulationOptions, baselines=("magic",)),
    ],
)
def test_options_that_cannot_be_used_are_refused(make: Callable[[], SimulationOptions]) -> None:
    with pytest.raises(ConfigError):
        make()


@pytest.mark.parametrize("name", ["lantern+", "random", "random+magic", "magic+logreg", ""])
def test_a_method_that_means_nothing_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="QUERY\\+LEARNER"):
        check_method(name)
