"""The simulated session: budgets, no leaks, the same again with the same seed, and figures that mean what they say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.core.labels import LabelSet
from ml_backend.data.dataset import read_dataset
from ml_backend.engine.pool import Pool, PoolSettings
from ml_backend.engine.simulation import SimulationOptions, SimulationResult, SimulationRow, simulate
from ml_backend.engine.simulation.embedded import Embedded
from ml_backend.engine.simulation.lantern import run_loop
from ml_backend.engine.simulation.methods import BASELINES, check_method, run_baseline
from ml_backend.engine.simulation.oracle import AskedLabels, Oracle
from ml_backend.engine.simulation.problem import make_problem
from ml_backend.engine.simulation.queries import ask_random
from ml_backend.errors import ConfigError, InputError
from tests.engine.simulated import FAST, GROUPS, problem, save, vectors

BUDGETS = (12, 24)
OPTIONS = SimulationOptions(budgets=BUDGETS, seeds=2, loop=FAST)


@pytest.fixture(scope="module")
def data_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Groups with a test split, and strangers in oos_train and oos_test."""
    path = tmp_path_factory.mktemp("data") / "groups.npz"
    pool, y = vectors(40, seed=0)
    test, y_test = vectors(15, seed=1)
    strange, y_strange = vectors(20, seed=2, groups=range(GROUPS, GROUPS + 2))
    half = len(strange) // 2
    sizes = (len(pool), len(test), half, len(strange) - half)
    split = np.repeat(["train", "test", "oos_train", "oos_test"], sizes)
    return save(path, x=np.concatenate([pool, test, strange]), y=np.concatenate([y, y_test, y_strange]), split=split)


@pytest.fixture(scope="module")
def result(data_file: Path) -> SimulationResult:
    return simulate(data_file, OPTIONS)


def of(result: SimulationResult, method: str, budget: int) -> list[SimulationRow]:
    return [row for row in result.rows if (row.method, row.budget) == (method, budget)]


def test_there_is_a_row_for_each_method_budget_and_seed(result: SimulationResult) -> None:
    cells = {(row.method, row.budget, row.seed) for row in result.rows}
    assert cells == {(m, b, s) for m in ("lantern", *BASELINES) for b in BUDGETS for s in (0, 1)}
    assert len(result.rows) == len(cells)


def test_easy_groups_are_solved_and_strangers_found(result: SimulationResult) -> None:
    for row in of(result, "lantern", 24):
        assert row.accuracy_pool is not None
        assert row.accuracy_pool > 0.95
        assert row.accuracy_test is not None
        assert row.accuracy_test > 0.95
        assert row.auroc_novelty is not None
        assert row.auroc_novelty > 0.9
        assert row.auroc_s_ood is not None
        assert row.ece < 0.3


def test_json_has_the_documented_shape(result: SimulationResult) -> None:
    content = json.loads(json.dumps(result.to_json()))
    assert set(content) == {"data", "settings", "rows"}
    assert content["data"] == "groups"
    assert content["settings"]["items"] == {"pool": 240, "test": 90, "ood": 20}
    columns = {"method", "budget", "seed", "accuracy_pool", "accuracy_test", "auroc_novelty", "auroc_s_ood", "fpr95",
               "ece", "seconds", "peak_mb"}  # fmt: skip
    for row in content["rows"]:
        assert set(row) == columns == set(get_type_hints(SimulationRow))
        assert all(
            0 <= row[name] <= 1
            for name in columns
            if name.startswith(("acc", "auroc", "fpr", "ece")) and row[name] is not None
        )
        assert row["seconds"] >= 0
        assert row["peak_mb"] > 10


def test_the_same_seed_gives_the_same_figures(data_file: Path, result: SimulationResult) -> None:
    again = simulate(data_file, replace(OPTIONS, seeds=1, baselines=()))
    first = [row for row in result.rows if row.method == "lantern" and row.seed == 0]
    stable = [replace(row, seconds=0.0, peak_mb=0.0) for row in first]
    assert [replace(row, seconds=0.0, peak_mb=0.0) for row in again.rows] == stable


def test_labels_reach_training_only_when_they_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that the pool is ever given is watched."""
    world, seen = problem(), []
    train, create = Pool.train, Pool.create

    def watched(pool: Pool, run: object, label_sets: tuple[LabelSet, ...] = (), **more: object) -> object:
        seen.append(
            [(int(r), s.classes[int(t.argmax())]) for s in label_sets for r, t in zip(s.rows, s.targets, strict=True)]
        )
        return train(pool, run, label_sets, **more)  # type: ignore[arg-type]

    def watched_create(x: NDArray[np.generic], settings: PoolSettings, *, seed: int) -> Pool:
        created.append(x)
        return create(x, settings, seed=seed)

    created: list[NDArray[np.generic]] = []
    monkeypatch.setattr(Pool, "train", watched)
    monkeypatch.setattr(Pool, "create", watched_create)
    reached = list(run_loop(world, Oracle(world.pool_truth), [10, 25], 0, FAST))
    [x] = created
    np.testing.assert_array_equal(x, world.pool)
    assert seen[0] == []
    answered = [row for part in reached[-1:] for row in part.labels.rows]
    for labels in seen:
        assert {row for row, _ in labels} <= set(answered)
        assert all(world.pool_truth[row] == name for row, name in labels)
    assert sorted(row for row, _ in seen[-1]) == sorted(answered)


def test_a_session_asks_what_the_budget_permits_and_budgets_nest() -> None:
    world = problem()
    small, large = run_loop(world, Oracle(world.pool_truth), [10, 25], 0, FAST)
    assert len(small.labels) == len(set(small.labels.rows)) == 10
    assert len(large.labels) == len(set(large.labels.rows)) == 25
    assert large.labels.rows[:10] == small.labels.rows


def test_the_truth_of_unasked_items_changes_no_question_and_no_answer() -> None:
    world = problem()
    [first] = run_loop(world, Oracle(world.pool_truth), [20], 0, FAST)
    other = np.full_like(world.pool_truth, "g9")
    other[first.labels.asked] = world.pool_truth[first.labels.asked]
    altered = replace(world, pool_truth=other, test_truth=np.full_like(world.test_truth, "g9"))
    [again] = run_loop(altered, Oracle(altered.pool_truth), [20], 0, FAST)
    assert again.labels == first.labels
    for part in ("pool", "test", "ood"):
        np.testing.assert_array_equal(again.fitted(part).label, first.fitted(part).label)
        np.testing.assert_array_equal(again.fitted(part).confidence, first.fitted(part).confidence)


def test_items_without_a_label_are_skipped_but_count_as_asked() -> None:
    world = problem()
    truth = np.where(np.arange(len(world.pool)) % 3 == 0, "", world.pool_truth)
    [reached] = run_loop(replace(world, pool_truth=truth), Oracle(truth), [30], 0, FAST)
    skipped = reached.labels.answers.count(None)
    assert skipped > 0
    assert len(reached.labels) == 30
    assert reached.labels.label_set is not None
    assert len(reached.labels.label_set.rows) == 30 - skipped


def test_ood_labels_leave_the_pool_and_are_the_unknown(data_file: Path) -> None:
    dataset = read_dataset(data_file)
    made = make_problem(dataset, ood_labels=("g0", "g1"))
    assert not {"g0", "g1"} & (set(made.pool_truth) | set(made.test_truth))
    assert len(made.pool) == 160
    assert len(made.test) == 60
    assert len(made.ood) == 2 * (40 + 15)
    result = simulate(data_file, replace(OPTIONS, seeds=1, budgets=(12,), ood_labels=("g0",), baselines=()))
    assert result.settings["ood_labels"] == ["g0"]
    assert result.rows[0].auroc_s_ood is not None
    with pytest.raises(InputError, match=r"'g77'.*g0"):
        make_problem(dataset, ood_labels=("g77",))


def test_oos_items_are_never_in_the_pool_and_their_labels_never_shown(data_file: Path) -> None:
    made = make_problem(read_dataset(data_file))
    assert (len(made.pool), len(made.test), len(made.ood)) == (240, 90, 20)
    assert not {f"g{g}" for g in range(GROUPS, GROUPS + 2)} & (set(made.pool_truth) | set(made.test_truth))
    with_strangers = make_problem(read_dataset(data_file), oos_in_pool=True)
    assert len(with_strangers.pool) == 240 + 20
    assert np.count_nonzero(with_strangers.pool_truth == "") == 20


def test_without_test_split_and_strangers_their_figures_are_none(tmp_path: Path) -> None:
    x, y = vectors(30, seed=0)
    result = simulate(save(tmp_path / "plain.npz", x=x, y=y), SimulationOptions(budgets=(12,), loop=FAST))
    for row in result.rows:
        assert row.accuracy_pool is not None
        assert (row.accuracy_test, row.auroc_novelty, row.auroc_s_ood, row.fpr95) == (None, None, None, None)
        assert 0 <= row.ece <= 1


def test_x_wins_over_text_unless_an_encoder_is_given(tmp_path: Path) -> None:
    x, y = vectors(10, seed=0)
    text = np.array([f"message {name} number {i}" for i, name in enumerate(y)])
    dataset = read_dataset(save(tmp_path / "both.npz", x=x, y=y, text=text))
    assert make_problem(dataset).encoder == "vector"
    encoded = make_problem(dataset, encoder="text")
    assert encoded.encoder != "vector"
    assert encoded.pool.shape[1] != x.shape[1]
    with pytest.raises(ConfigError, match="pixels"):
        make_problem(dataset, encoder="pixels")


@pytest.mark.slow
def test_pictures_are_simulated_as_well(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.repeat(["left", "right"], 30)
    x = rng.integers(0, 40, (60, 8, 8), dtype=np.uint8)
    x[:30, :, :4] += 180
    x[30:, :, 4:] += 180
    options = SimulationOptions(budgets=(10,), loop=replace(FAST, pool=replace(FAST.pool, n_components=8)))
    result = simulate(save(tmp_path / "halves.npz", x=x, y=y), options)
    for row in result.rows:
        assert row.accuracy_pool is not None
        assert row.accuracy_pool > 0.9, row.method


@pytest.mark.parametrize(
    ("wrong", "message"), [({"budgets": ()}, "budgets"), ({"budgets": (0,)}, "budgets"), ({"seeds": 0}, "seeds")]
)
def test_bad_options_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(OPTIONS, **wrong)  # type: ignore[arg-type]


def test_a_budget_that_leaves_nothing_to_predict_is_refused(data_file: Path) -> None:
    with pytest.raises(InputError, match="240 labels leaves nothing"):
        simulate(data_file, replace(OPTIONS, budgets=(240,)))


def test_nobody_can_answer_for_data_without_labels(tmp_path: Path) -> None:
    x, _ = vectors(10, seed=0)
    with pytest.raises(InputError, match="no labels"):
        simulate(save(tmp_path / "unlabelled.npz", x=x), OPTIONS)
    split = np.full(len(x), "test")
    with pytest.raises(InputError, match="no item of the pool"):
        simulate(save(tmp_path / "tests.npz", x=x, y=np.full(len(x), "a"), split=split), OPTIONS)


def test_progress_rises_to_the_end(data_file: Path) -> None:
    shares: list[float] = []
    simulate(data_file, replace(OPTIONS, baselines=()), progress=lambda _what, share: shares.append(share))
    assert shares == sorted(shares)
    assert shares[0] >= 0
    assert shares[-1] == 1.0


@pytest.mark.parametrize("method", BASELINES)
def test_a_baseline_sees_no_label_that_was_not_asked_for(method: str) -> None:
    """Another truth for everything else must change no answer, only the grades."""
    world, budget = problem(), 18
    given = ask_random(Embedded.of(world), Oracle(world.pool_truth), [budget], 0)[budget]
    other = np.full_like(world.pool_truth, "g9")
    other[given.asked] = world.pool_truth[given.asked]
    altered = replace(world, pool_truth=other, test_truth=np.full_like(world.test_truth, "g9"))
    [cell] = run_baseline(method, world, Embedded.of(world), [budget], 0, {budget: given})
    [again] = run_baseline(method, altered, Embedded.of(altered), [budget], 0, {budget: given})
    assert again.labels == cell.labels == given
    np.testing.assert_allclose(again.graded.confidence, cell.graded.confidence, rtol=1e-5)
    assert cell.graded.correct.mean() > 0.9
    assert not again.graded.correct.any()


def test_unknown_methods_are_refused() -> None:
    for method in BASELINES:
        check_method(method)
    for method in ("random", "random+forest", "guess+logreg", "+", "medoid+"):
        with pytest.raises(ConfigError, match="logreg"):
            check_method(method)


def test_an_oracle_answers_once_and_skips_what_has_no_class() -> None:
    oracle = Oracle(np.array(["cat", "", "dog"]))
    labels = oracle.ask(AskedLabels(), [2, 1])
    assert labels.answers == ("dog", None)
    assert labels.label_set is not None
    assert labels.label_set.classes == ("dog",)
    assert labels.label_set.rows.tolist() == [2]
    for again in ([2], [0, 0]):
        with pytest.raises(InputError, match="twice"):
            oracle.ask(labels, again)
    assert oracle.ask(AskedLabels(), [1]).label_set is None
