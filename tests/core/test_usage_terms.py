"""Spread and sparsity are one entropy with two signs: the first fills components, the second empties them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.core.hyperparameters import LossWeights, Phase, RunConfig
from ml_backend.core.model import ComponentModel, EpochReport, TrainingData
from tests.core.synthetic import blobs
from tests.core.test_model import CONFIG, K, model_of

NOTHING = LossWeights(**dict.fromkeys(vars(LossWeights()), 0.0))


@pytest.fixture(scope="module")
def pool() -> NDArray[np.float32]:
    """Kinds that run into each other, so that items can change their component."""
    return blobs(240, 3, 20, seed=5, noise=0.8)[0]


def used(model: ComponentModel, x: NDArray[np.float32]) -> float:
    """exp(H(p_hat)), p_hat(c) = mean_i r_c(x_i)."""
    r = model.responsibilities(x)
    p_hat = np.bincount(r.indices.ravel(), weights=r.values.ravel(), minlength=K) / len(x)
    return float(np.exp(-(p_hat * np.log(np.maximum(p_hat, 1e-30))).sum()))


def train_alone(model: ComponentModel, x: NDArray[np.float32], weights: LossWeights, epochs_done: int) -> float:
    """Three epochs with these weights only, from that point of the curriculum on; components in use after them."""
    model.epochs_done = epochs_done
    run = RunConfig(epochs=3, device="cpu", phase=Phase.PRIOR, weights=weights, batch_size=60, learning_rate=0.02)
    model.train(TrainingData(x), run)
    return used(model, x)


def one_batch(x: NDArray[np.float32], epochs_done: int) -> EpochReport:
    """An epoch of one batch: its terms are those of the usage that it leaves."""
    model = model_of(x)
    model.epochs_done = epochs_done
    run = RunConfig(epochs=1, device="cpu", phase=Phase.PRIOR, batch_size=len(x))
    return model.train(TrainingData(x), run).epochs[0]


@pytest.mark.parametrize("epochs_done", [0, 1, 6])
def test_sparsity_is_the_entropy_of_the_usage_and_spread_is_minus_that(
    pool: NDArray[np.float32], epochs_done: int
) -> None:
    report = one_batch(pool, epochs_done)
    assert report.losses.sparsity == pytest.approx(np.log(report.usage), rel=1e-4)
    assert report.losses.spread == pytest.approx(-np.log(report.usage), rel=1e-4)
    assert report.usage > 2.0


def test_what_is_minimised_has_minus_the_entropy_early_and_plus_the_entropy_later(pool: NDArray[np.float32]) -> None:
    early, late = one_batch(pool, 0), one_batch(pool, 6)
    assert early.weighted["spread"] == pytest.approx(-LossWeights().spread * np.log(early.usage), rel=1e-4)
    assert early.weighted["sparsity"] == 0.0
    assert late.weighted["spread"] == 0.0
    assert late.weighted["sparsity"] == pytest.approx(LossWeights().sparsity * np.log(late.usage), rel=1e-4)
    for report in (early, late):
        assert report.losses.total == pytest.approx(sum(report.weighted.values()), rel=1e-4)


def test_sparsity_alone_empties_components_and_spread_alone_fills_them_again(pool: NDArray[np.float32]) -> None:
    model = model_of(pool, replace(CONFIG, top_m=K))
    before = used(model, pool)
    assert train_alone(model, pool, NOTHING, 0) == pytest.approx(before, abs=1e-4)
    train_alone(model, pool, replace(NOTHING, sparsity=3.0), 6)
    fewer = train_alone(model, pool, replace(NOTHING, sparsity=3.0), 6)
    assert fewer < 0.7 * before
    assert train_alone(model, pool, replace(NOTHING, spread=3.0), 0) > 1.3 * fewer
