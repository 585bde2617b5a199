"""Calibration on synthetic answers whose true probabilities are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core.calibration import (
    apply_temperature,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    tempered_maximum,
    without_floor,
)
from tests.core.random_pools import seeds


def drawn(rng: np.random.Generator, n: int, y: int = 5) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """True distributions (n, y) and answers drawn from them, one-hot."""
    p = rng.dirichlet(np.full(y, 0.5), n)
    answers = (p.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=y - 1)
    return p, np.eye(y)[answers]


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_that_spoiled_the_truth_is_found_and_undone(temperature: float) -> None:
    rng = np.random.default_rng(0)
    truth, answers = drawn(rng, 3000)
    spoiled = apply_temperature(truth, 1 / temperature)
    fitted = fit_temperature(spoiled.astype(np.float64), answers)
    assert fitted == pytest.approx(temperature, rel=0.1)
    fresh_truth, fresh = drawn(rng, 3000)
    spoiled = apply_temperature(fresh_truth, 1 / temperature)
    mended = apply_temperature(spoiled, fitted)
    assert negative_log_likelihood(mended, fresh) <= negative_log_likelihood(spoiled, fresh) + 1e-3
    confidence, correct = mended.max(axis=1), mended.argmax(axis=1) == fresh.argmax(axis=1)
    assert expected_calibration_error(confidence, correct) < 0.04


@given(seeds, st.integers(1, 40), st.floats(0.3, 3))
def test_calibration_never_raises_the_loss_on_what_it_was_fitted_on(seed: int, n: int, temperature: float) -> None:
    truth, answers = drawn(np.random.default_rng(seed), n)
    p = apply_temperature(truth, temperature).astype(np.float64)
    mended = apply_temperature(p, fit_temperature(p, answers))
    assert negative_log_likelihood(mended, answers) <= negative_log_likelihood(p, answers) + 1e-6


def test_a_few_labels_hardly_move_the_temperature() -> None:
    confident = np.array([[0.9, 0.1]] * 2)
    wrong = np.array([[0.0, 1.0]] * 2)
    few = fit_temperature(confident, wrong)
    many = fit_temperature(confident.repeat(200, axis=0), wrong.repeat(200, axis=0))
    assert 1.0 < few < 1.5
    assert many > 2.0


def test_an_item_that_stands_for_many_weighs_more() -> None:
    p = np.array([[0.9, 0.1]] * 200)
    answers = np.eye(2)[np.arange(200) % 2]
    right_counts = fit_temperature(p, answers, np.where(answers[:, 0] == 1, 9.0, 1.0))
    assert right_counts == pytest.approx(1.0, abs=0.05)
    assert fit_temperature(p, answers, np.ones(200)) == pytest.approx(fit_temperature(p, answers))
    assert fit_temperature(p, answers) > 2.0


@given(seeds, st.integers(1, 20), st.integers(2, 6), st.floats(0.2, 4) | st.just(1.0))
def test_the_tempered_maximum_is_that_of_all_classes(seed: int, n: int, y: int, temperature: float) -> None:
    p = np.random.default_rng(seed).dirichlet(np.ones(y), n).astype(np.float32)
    whole = apply_temperature(p, temperature)
    single = tempered_maximum(p.copy(), p.max(axis=1), temperature)
    np.testing.assert_allclose(single, whole.max(axis=1), atol=2e-3)


@given(seeds, st.integers(1, 20), st.integers(1, 6))
def test_without_its_floor_p_is_a_distribution_again(seed: int, n: int, y: int) -> None:
    rng = np.random.default_rng(seed)
    floor = rng.uniform(0, 1 / y, n)
    p = floor[:, None] + (1 - y * floor)[:, None] * rng.dirichlet(np.ones(y), n)
    np.testing.assert_allclose(without_floor(p, floor).sum(axis=1), 1.0, atol=1e-6)


def test_the_floor_hides_what_the_labels_agree_on() -> None:
    floor = np.array([0.099, 0.1])
    p = np.tile(floor[:, None], (1, 10))
    p[0, 3] += 0.01
    certain, unknown = without_floor(p, floor).max(axis=1)
    assert certain > 0.4
    assert unknown == pytest.approx(0.1)


@pytest.mark.parametrize("shape", [(0, 3), (4, 1)])
def test_nothing_to_learn_from_leaves_temperature_one(shape: tuple[int, int]) -> None:
    assert fit_temperature(np.ones(shape), np.ones(shape)) == 1.0


@given(seeds, st.floats(0.1, 5))
def test_a_temperature_keeps_sums_and_the_order_of_classes(seed: int, temperature: float) -> None:
    p, _ = drawn(np.random.default_rng(seed), 7)
    mended = apply_temperature(p, temperature)
    np.testing.assert_allclose(mended.sum(axis=1), 1.0)
    np.testing.assert_array_equal(mended.argmax(axis=1), p.argmax(axis=1))


def test_ece_is_the_gap_between_confidence_and_accuracy() -> None:
    correct = np.array([True, False] * 50)
    assert expected_calibration_error(np.full(100, 0.5), correct) < 0.1
    assert expected_calibration_error(np.full(100, 0.9), np.zeros(100, bool)) == pytest.approx(0.9)
    assert expected_calibration_error(np.empty(0), np.empty(0, bool)) == 0.0


@given(seeds, st.integers(1, 60), st.booleans())
def test_the_temperature_is_the_most_probable_one_under_a_lognormal_prior_of_width_015(
    seed: int, n: int, weighted: bool
) -> None:
    """By a search over a grid: sum of weighted -log p_T(label) plus (log T / .15)^2 / 2, weights scaled to sum to n."""
    rng = np.random.default_rng(seed)
    p, answers = drawn(rng, n)
    p = np.maximum(p, 1e-6) / np.maximum(p, 1e-6).sum(axis=1, keepdims=True)
    weights = rng.uniform(0.1, 5.0, n) if weighted else np.ones(n)

    def cost(log_t: float) -> float:
        powered = p ** np.exp(-log_t)
        likelihood = (powered * answers).sum(axis=1) / powered.sum(axis=1)
        return float(-(weights * n / weights.sum()) @ np.log(likelihood)) + 0.5 * (log_t / 0.15) ** 2

    fitted = float(np.log(fit_temperature(p, answers, weights if weighted else None)))
    assert cost(fitted) <= min(cost(log_t) for log_t in np.linspace(-1.5, 1.5, 301)) + 1e-4


def test_ece_is_the_mean_gap_over_fifteen_bins_of_equal_mass() -> None:
    """Over- and underconfident halves cancel in the whole, and not bin by bin."""
    rng = np.random.default_rng(0)
    confidence = rng.random(450)
    correct = rng.random(450) < np.where(confidence > 0.5, 0.6, 0.4)
    parts = np.argsort(confidence).reshape(15, 30)
    gaps = [abs(confidence[part].mean() - correct[part].mean()) for part in parts]
    assert expected_calibration_error(confidence, correct) == pytest.approx(float(np.mean(gaps)))
    assert np.mean(gaps) > 0.1 > abs(confidence.mean() - correct.mean())
