"""Noise in the data is not novelty: sigma learns where the noise is, novelty knows what was never there."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.label_efficiency.experiments.aleatoric import NOISE, right_half, with_noise
from ml_backend.core.hyperparameters import RunConfig
from ml_backend.engine.pool import Pool, PoolSettings
from ml_backend.engine.simulation.metrics import auroc
from tests.engine.small_digits import digits

LEFT_OUT = "5"
RUNS = 3


@pytest.mark.slow
def test_noise_raises_sigma_where_it_is_and_a_missing_digit_raises_novelty() -> None:
    """Half of the pool has noise on the right half, one digit is in nobody's pool."""
    random = np.random.default_rng(0)
    images, kinds = digits()
    known, missing = images[kinds != LEFT_OUT], images[kinds == LEFT_OUT]
    items, clean, to_spoil = known[:1200].copy(), known[1200:1400], known[1400:]
    mask = right_half(images.shape)
    noisy = with_noise(to_spoil, mask, NOISE, random)
    spoilt = random.permutation(len(items)) < len(items) // 2
    items[spoilt] = with_noise(items[spoilt], mask, NOISE, random)
    pool = Pool.create(items, PoolSettings(device="cpu"), seed=0)
    for run in range(RUNS):
        pool.train(RunConfig(epochs=5, seed=run, batch_size=32, device="cpu"), [])

    sigma = {name: pool.model.sigma(x).mean(0) for name, x in (("clean", clean), ("noisy", noisy))}
    assert sigma["noisy"][mask].mean() > 1.6 * sigma["clean"][mask].mean()
    assert sigma["noisy"][mask].mean() > 1.6 * sigma["noisy"][~mask].mean()
    assert sigma["noisy"][~mask].mean() == pytest.approx(sigma["clean"][~mask].mean(), rel=0.2)

    said = {name: pool.describe_new(x) for name, x in (("clean", clean), ("noisy", noisy), ("missing", missing))}
    novelty = {name: auroc(-said["clean"].novelty, -said[name].novelty) for name in ("noisy", "missing")}
    assert novelty["missing"] > 0.85
    assert abs(novelty["noisy"] - 0.5) < 0.2
    assert said["missing"].aleatoric.mean() == pytest.approx(said["clean"].aleatoric.mean(), rel=0.2)
