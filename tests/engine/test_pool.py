"""The pool in memory with the real model on small synthetic groups whose classes are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.core.hyperparameters import RunConfig
from ml_backend.core.labels import LabelSet
from ml_backend.core.query import Reason
from ml_backend.engine.pool import Pool, PoolSettings, combine, rank
from ml_backend.errors import CheckpointError, ConfigError, InputError

GROUPS, PER_GROUP, DIMENSION = 8, 60, 16
SETTINGS = PoolSettings(n_components=24, latent_dim=4, device="cpu")


def items(
    n_per_group: int = PER_GROUP, seed: int = 0, groups: int = GROUPS
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit vectors around one direction per group, and the group of each."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), n_per_group)
    x = 3.0 * np.eye(groups, DIMENSION)[group] + 0.6 * rng.normal(size=(len(group), DIMENSION))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), group


def label_set(group: NDArray[np.int64], per_group: int = 2) -> LabelSet:
    rows = np.concatenate([np.flatnonzero(group == g)[:per_group] for g in range(GROUPS)])
    return LabelSet("kind", tuple(f"g{g}" for g in range(GROUPS)), rows, np.eye(GROUPS)[group[rows]])


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool.create(items()[0], SETTINGS, seed=0)


def test_a_pool_is_described_before_any_training(pool: Pool) -> None:
    d = pool.describe()
    n = GROUPS * PER_GROUP
    assert len(d) == len(pool) == n
    assert d.neighbours.shape == d.similarities.shape == (n, 15)
    assert np.all(d.neighbours != np.arange(n)[:, None])
    for share in (d.density, d.novelty):
        assert share.dtype == np.float32
        assert 0 <= share.min() <= share.max() <= 1
    assert d.aleatoric.min() > 0
    np.testing.assert_allclose(np.sort(d.novelty)[[0, -1]], [1 / n, 1.0], rtol=1e-5)


def test_a_described_pool_holds_the_directions_in_which_its_neighbours_are_nearest(pool: Pool) -> None:
    d = pool.describe()
    assert d.directions is not None
    rows = d.directions.astype(np.float32)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=2e-3)
    np.testing.assert_allclose((rows @ rows.T)[0, d.neighbours[0]], d.similarities[0], atol=5e-3)
    assert pool.describe_new(items(3, seed=5)[0]).directions is None


def test_new_ordinary_items_are_rarely_strange_and_strange_ones_nearly_always(pool: Pool) -> None:
    ordinary = pool.describe_new(items(200, seed=5)[0])
    assert np.mean(ordinary.novelty <= 0.05) < 0.12
    strange = np.random.default_rng(3).normal(size=(100, DIMENSION)).astype(np.float32)
    strange[:, :GROUPS] = 0.0
    d = pool.describe_new(strange / np.linalg.norm(strange, axis=1, keepdims=True))
    assert np.mean(d.novelty <= 0.01) > 0.9
    assert d.density.max() < ordinary.density.mean()


def test_an_item_of_the_pool_asked_as_new_finds_itself(pool: Pool) -> None:
    d = pool.describe_new(pool.x[7:9])
    assert d.neighbours[:, 0].tolist() == [7, 8]


@pytest.mark.slow
def test_training_keeps_component_identities(pool: Pool) -> None:
    x, group = items()
    trained = Pool.create(x, SETTINGS, seed=0)
    before = trained.describe().responsibilities.indices[:, 0]
    report = trained.train(RunConfig(epochs=2, seed=1), [label_set(group)])
    assert len(report.epochs) == 2
    after = trained.describe().responsibilities.indices[:, 0]
    assert np.mean(before == after) > 0.8


def test_a_stopped_training_leaves_a_usable_pool() -> None:
    stopped = Pool.create(items(20)[0], SETTINGS, seed=0)
    assert stopped.train(RunConfig(epochs=1), should_stop=lambda: True).stopped
    assert np.isfinite(stopped.describe().responsibilities.log_r[:, 0]).all()


def test_a_restored_pool_gives_the_same_answers(pool: Pool) -> None:
    state = pool.state()
    assert all(np.isfinite(values).all() for values in state.values())
    restored = Pool.restore(pool.x, SETTINGS, state)
    new = items(3, seed=9)[0]
    for a, b in ((pool.describe(), restored.describe()), (pool.describe_new(new), restored.describe_new(new))):
        np.testing.assert_array_equal(a.responsibilities.log_r, b.responsibilities.log_r)
        np.testing.assert_array_equal(a.novelty, b.novelty)
        np.testing.assert_array_equal(a.neighbours, b.neighbours)


def test_a_state_that_does_not_fit_is_refused(pool: Pool) -> None:
    state = pool.state()
    with pytest.raises(CheckpointError, match="480 items"):
        Pool.restore(pool.x[:-1], SETTINGS, state)
    with pytest.raises(CheckpointError, match="cannot be read"):
        Pool.restore(pool.x, SETTINGS, {k: v for k, v in state.items() if k != "pool.config"})


def test_an_extended_pool_keeps_old_rows_and_links_both_ways() -> None:
    grown = Pool.create(items()[0], SETTINGS, seed=0)
    before = grown.describe()
    twins = grown.x[[5, 100]]
    grown.extend(twins)
    d = grown.describe()
    n = GROUPS * PER_GROUP
    assert len(d) == len(grown) == n + 2
    assert d.neighbours[n:, 0].tolist() == [5, 100]
    assert d.neighbours[[5, 100], 0].tolist() == [n, n + 1]
    assert len(set(before.places)) == n
    np.testing.assert_array_equal(d.places, [*range(n), 5, 100])
    np.testing.assert_array_equal(d.responsibilities.log_r[:n], before.responsibilities.log_r)
    assert np.all(np.diff(d.similarities, axis=1) <= 1e-6)
    state = grown.state()
    np.testing.assert_array_equal(Pool.restore(grown.x, SETTINGS, state).describe().novelty, d.novelty)


def test_neighbours_that_lead_round_a_ring_are_no_copies() -> None:
    """Each of 2,000 points is at a cosine of 1 - 5e-6 of the next: they were one place once, and one question."""
    angle = np.linspace(0.0, 2.0 * np.pi, 2_000, endpoint=False)
    ring = np.column_stack([np.cos(angle), np.sin(angle)]).astype(np.float32)
    d = Pool.create(ring, PoolSettings(device="cpu"), seed=0).describe()
    assert len(set(d.places)) == 2_000
    ranking = rank(d, combine([], d), np.empty(0, np.int64), label_sets=())
    head = np.argsort(-ranking.value, kind="stable")[:20]
    assert (ranking.reason[head] == Reason.UNLABELLED_GROUP).sum() >= 15
    eighths = (angle[head] // (np.pi / 4)).astype(int)
    assert len(set(eighths.tolist())) == 8


@pytest.mark.parametrize("n", [1, 2, 5])
def test_tiny_pools_work(n: int) -> None:
    small = Pool.create(items()[0][:n], PoolSettings(device="cpu"), seed=0)
    small.train(RunConfig(epochs=1))
    d = small.describe()
    assert len(d) == n
    assert np.count_nonzero(d.neighbours >= 0) == n * (n - 1)
    assert 0 < d.novelty.min() <= d.novelty.max() <= 1


@pytest.mark.slow
def test_images_are_pooled_as_well() -> None:
    rng = np.random.default_rng(0)
    images = (rng.random((80, 1, 8, 8)) * 60 + 180 * (np.arange(80) % 2)[:, None, None, None] * np.eye(8)).astype(
        np.uint8
    )
    settings = PoolSettings(n_components=6, latent_dim=4, device="cpu")
    pictured = Pool.create(images, settings, seed=0)
    pictured.train(RunConfig(epochs=1))
    d = pictured.describe()
    same_kind = d.neighbours % 2 == (np.arange(80) % 2)[:, None]
    assert same_kind.mean() > 0.7
    np.testing.assert_array_equal(Pool.restore(images, settings, pictured.state()).describe().novelty, d.novelty)


def test_an_empty_pool_and_odd_settings_are_refused(pool: Pool) -> None:
    with pytest.raises(InputError, match="at least one"):
        Pool.create(np.empty((0, 4), np.float32), PoolSettings(), seed=0)
    with pytest.raises(InputError, match="nothing"):
        pool.describe_new(pool.x[:0])
    with pytest.raises(ConfigError, match="query"):
        PoolSettings(query="random")
    with pytest.raises(ConfigError, match="temperature"):
        PoolSettings(temperature=0.0)


def test_a_small_pool_keeps_most_of_its_components_free() -> None:
    x = items(n_per_group=12)[0]
    pool = Pool.create(x, PoolSettings(latent_dim=4, device="cpu"), seed=0)
    assert pool.model.config.n_components == round(8 * math.sqrt(len(x)))
    assert len(np.unique(pool.describe().responsibilities.indices[:, 0])) <= len(x) // 4
    assert PoolSettings().placed(256) == 64 < PoolSettings().components(256)
    assert PoolSettings(n_components=40).placed(50) == 40
