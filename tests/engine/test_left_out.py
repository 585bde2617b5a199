"""The accuracy that labels promise is told once they can be wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from ml_backend.core.labels import LabelSet
from ml_backend.engine.left_out import LeftOutAccuracy, accuracy_at_a_glance, left_out_accuracy
from ml_backend.engine.pool import Pool, PoolSettings, propagate
from tests.engine.labelled_blobs import CLASSES, blob_dataset


@pytest.fixture(scope="module")
def pool() -> Pool:
    x = blob_dataset(n=80).x
    assert x is not None
    return Pool.create(x, PoolSettings(), seed=0)


def labels_of(*classes: int) -> LabelSet:
    """Of the first rows, in this order."""
    return LabelSet("label", CLASSES, np.arange(len(classes)), np.eye(len(CLASSES))[list(classes)])


def test_labels_of_one_class_promise_nothing(pool: Pool) -> None:
    alone = labels_of(0, 0, 0)
    assert left_out_accuracy([propagate(pool.describe(), alone).store]) is None
    assert accuracy_at_a_glance(pool, [alone]) is None


def test_from_two_classes_on_there_is_an_estimate(pool: Pool) -> None:
    both = labels_of(0, 0, 1, 1)
    found = left_out_accuracy([propagate(pool.describe(), both).store])
    assert found is not None
    assert found.labels == 4
    assert 0.0 <= found.low <= found.estimate <= found.high <= 1.0
    assert accuracy_at_a_glance(pool, [both]) is not None


def test_a_question_with_one_class_adds_nothing_to_another(pool: Pool) -> None:
    alone, both = (propagate(pool.describe(), labels_of(*classes)).store for classes in ((0, 0, 0), (0, 0, 1, 1)))
    assert left_out_accuracy([alone, both]) == left_out_accuracy([both])


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_the_one_that_is_published(right: int, n: int, low: float, high: float) -> None:
    """Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3; and mirrored for what is wrong."""
    found, mirrored = LeftOutAccuracy.of(right, n), LeftOutAccuracy.of(n - right, n)
    assert (found.estimate, found.labels) == (right / n, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5.1e-5)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((low, high), abs=5.1e-5)


@given(st.integers(1, 500), st.floats(0, 1))
def test_at_both_ends_the_estimate_is_196_standard_deviations_away(n: int, share: float) -> None:
    """Wilson's definition: |estimate - end| = 1.96 sqrt(end (1 - end) / n), also where annotators share a label."""
    found = LeftOutAccuracy.of(share * n, n)
    assert 0 <= found.low <= found.estimate <= found.high <= 1
    for end in (found.low, found.high):
        assert abs(found.estimate - end) == pytest.approx(1.96 * np.sqrt(end * (1 - end) / n), abs=1e-7)


@pytest.mark.parametrize("n", [10, 30, 100, 400])
def test_the_interval_holds_the_true_accuracy_in_95_of_100_cases(n: int) -> None:
    """Exactly, by the binomial distribution: on average over accuracies, and nearly so at each."""
    intervals = [LeftOutAccuracy.of(right, n) for right in range(n + 1)]
    low, high = np.array([i.low for i in intervals]), np.array([i.high for i in intervals])
    coverage = [
        float(binom.pmf(np.arange(n + 1), n, p) @ ((low <= p) & (p <= high))) for p in np.linspace(0.02, 0.98, 193)
    ]
    assert float(np.mean(coverage)) == pytest.approx(0.95, abs=0.01)
    assert min(coverage) > 0.89


def test_the_interval_holds_the_true_accuracy_of_simulated_sessions() -> None:
    random, n = np.random.default_rng(0), 60
    truth = random.uniform(0.3, 0.99, 4000)
    found = [LeftOutAccuracy.of(int(right), n) for right in random.binomial(n, truth)]
    inside = [i.low <= p <= i.high for i, p in zip(found, truth, strict=True)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)


def test_the_estimate_is_the_share_of_labels_that_a_store_of_all_the_others_names(pool: Pool) -> None:
    """Each label in turn is taken away and the others propagated; every fifth is wrong."""
    n, description = 20, pool.describe()
    classes = (np.arange(n) + (np.arange(n) % 5 == 0)) % len(CLASSES)
    everything = labels_of(*classes.tolist())
    right = 0
    for row in range(n):
        rest = np.delete(np.arange(n), row)
        others = LabelSet("label", CLASSES, everything.rows[rest], everything.targets[rest])
        right += int(propagate(description, others).label[row]) == classes[row]
    assert 0 < right < n
    assert left_out_accuracy([propagate(description, everything).store]) == LeftOutAccuracy.of(right, n)


def test_the_only_label_of_its_class_is_no_test(pool: Pool) -> None:
    found = left_out_accuracy([propagate(pool.describe(), labels_of(0, 0, 1, 1, 2)).store])
    assert found is not None
    assert found.labels == 4
