"""The simulated session on data files of every kind, and no label that was not asked for gets anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.core.hyperparameters import RunConfig
from ml_backend.core.labels import LabelSet
from ml_backend.core.trainer import EpochReport, TrainingReport
from ml_backend.data.dataset import read_dataset
from ml_backend.engine.pool import Pool, PoolSettings
from ml_backend.engine.simulation import SimulationOptions, simulate
from ml_backend.engine.simulation.embedded import Embedded
from ml_backend.engine.simulation.lantern import run_loop
from ml_backend.engine.simulation.methods import BASELINES, run_baseline
from ml_backend.engine.simulation.oracle import Oracle
from ml_backend.engine.simulation.problem import make_problem
from ml_backend.engine.simulation.queries import ask_random
from ml_backend.errors import ConfigError, InputError
from tests.engine.simulated import FAST, GROUPS, problem, save, vectors

pytestmark = pytest.mark.slow

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


def test_there_is_a_row_for_each_method_budget_and_seed(data_file: Path) -> None:
    methods = ("lantern", "random+logreg", "lantern+knn")
    rows = simulate(data_file, replace(OPTIONS, baselines=methods[1:])).rows
    cells = [(row.seed, row.method, row.budget) for row in rows]
    assert sorted(cells) == sorted((s, m, b) for s in (0, 1) for m in methods for b in BUDGETS)


def test_labels_reach_training_only_when_they_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that the pool is ever given is watched."""
    world, seen = problem(), []
    train, create = Pool.train, Pool.create

    def watched(
        pool: Pool,
        run: RunConfig,
        label_sets: Sequence[LabelSet] = (),
        *,
        on_epoch: Callable[[EpochReport], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> TrainingReport:
        seen.append(
            [(int(r), s.classes[int(t.argmax())]) for s in label_sets for r, t in zip(s.rows, s.targets, strict=True)]
        )
        return train(pool, run, label_sets, on_epoch=on_epoch, should_stop=should_stop)

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
