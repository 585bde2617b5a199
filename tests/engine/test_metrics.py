"""Each figure against its definition, written out naively, and against scikit-learn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve

from ml_backend.core.calibration import expected_calibration_error
from ml_backend.engine.simulation.metrics import accuracy, auroc, fpr95
from ml_backend.errors import InputError

# Few different values, so that ties are common.
SCORES = st.lists(st.integers(-4, 4).map(lambda v: v / 2), min_size=1, max_size=40).map(np.array)


@settings(max_examples=40)
@given(SCORES, SCORES)
def test_auroc_is_the_chance_to_order_a_pair_right(known: NDArray[np.float64], unknown: NDArray[np.float64]) -> None:
    pairs = [(u > k) + 0.5 * (u == k) for k in known for u in unknown]
    assert auroc(known, unknown) == pytest.approx(np.mean(pairs))
    truth = np.r_[np.zeros(len(known)), np.ones(len(unknown))]
    assert auroc(known, unknown) == pytest.approx(roc_auc_score(truth, np.r_[known, unknown]))


@settings(max_examples=40)
@given(SCORES, SCORES)
def test_auroc_of_swapped_roles_is_the_complement(known: NDArray[np.float64], unknown: NDArray[np.float64]) -> None:
    assert auroc(known, unknown) + auroc(unknown, known) == pytest.approx(1.0)


@settings(max_examples=40)
@given(SCORES, SCORES)
def test_fpr95_by_definition(known: NDArray[np.float64], unknown: NDArray[np.float64]) -> None:
    accepting = [t for t in known if np.mean(known <= t) >= 0.95]
    assert fpr95(known, unknown) == pytest.approx(np.mean(unknown <= min(accepting)))
    known_is_positive = np.r_[np.ones(len(known)), np.zeros(len(unknown))]
    false, true, _ = roc_curve(known_is_positive, -np.r_[known, unknown], drop_intermediate=False)
    assert fpr95(known, unknown) == pytest.approx(false[true >= 0.95 - 1e-12][0])


def test_fpr95_of_perfect_and_of_useless_scores() -> None:
    known, unknown = np.arange(100.0), np.arange(200.0, 260.0)
    assert fpr95(known, unknown) == 0.0
    assert fpr95(known, known) == pytest.approx(0.95)


@settings(max_examples=50)
@given(st.integers(1, 120), st.integers(0, 10))
def test_calibration_error_by_definition(n: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    confidence, correct = random.random(n), random.random(n) < 0.5
    order, bins = np.argsort(confidence), min(15, n)
    total, start = 0.0, 0
    for b in range(bins):
        size = n // bins + (b < n % bins)
        rows = order[start : start + size]
        start += size
        total += abs(sum(confidence[rows]) - sum(correct[rows]))
    assert expected_calibration_error(confidence, correct, bins=15) == pytest.approx(total / n)


def test_accuracy() -> None:
    assert accuracy(np.array([True, False, True, True])) == 0.75
    assert accuracy(np.array([], bool)) == 0.0


Figure = Callable[[NDArray[np.float64], NDArray[np.float64]], float]


@pytest.mark.parametrize("figure", [auroc, fpr95])
def test_scores_that_cannot_be_compared_are_refused(figure: Figure) -> None:
    some = np.array([1.0])
    for known, unknown in ((np.array([]), some), (some, np.array([])), (some, np.array([np.nan]))):
        with pytest.raises(InputError):
            figure(known, unknown)
