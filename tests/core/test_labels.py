"""s, tau, p(y|x): the formulas against naive loops, and what a label must do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_backend.core.labels import (
    LabelSet,
    check_label_set,
    class_probabilities,
    component_means,
    disagreement,
    leave_one_out_probabilities,
    same_answers,
    sample_coverage,
    soft_counts,
    tau,
)
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.errors import ConfigError, InputError
from tests.core.random_pools import classes, components, dense, responsibilities, seeds, sizes, targets

ALPHAS = st.one_of(st.none(), st.floats(1e-3, 10))


@given(seeds, sizes, components, classes)
def test_soft_counts_are_the_sum_of_r_times_target(seed: int, n: int, k: int, y: int) -> None:
    rng = np.random.default_rng(seed)
    r, t = responsibilities(rng, n, k, min(k, 3)), targets(rng, n, y)
    naive = np.zeros((k, y))
    for i in range(n):
        for m in range(r.indices.shape[1]):
            naive[r.indices[i, m]] += r.values[i, m] * t[i]
    np.testing.assert_allclose(soft_counts(r, t, k), naive, atol=1e-6)


@given(seeds, components, classes, ALPHAS)
def test_tau_rows_are_distributions_and_follow_a_new_label(seed: int, k: int, y: int, alpha0: float | None) -> None:
    rng = np.random.default_rng(seed)
    s = rng.exponential(size=(k, y)) * rng.integers(0, 2, (k, 1))
    before = tau(s, alpha0)
    np.testing.assert_allclose(before.sum(axis=1), 1.0)
    assert before.min() > 0
    np.testing.assert_allclose(before[s.sum(axis=1) == 0], 1 / y)
    c, label = rng.integers(k), rng.integers(y)
    s[c, label] += 0.5
    after = tau(s, alpha0)
    others = np.arange(y) != label
    assert y == 1 or after[c, label] > before[c, label]
    assert np.all(after[c, others] < before[c, others])
    np.testing.assert_array_equal(np.delete(after, c, axis=0), np.delete(before, c, axis=0))


def test_the_default_smoothing_weighs_one_label_in_all() -> None:
    s = np.zeros((2, 4))
    s[0, 1] = 1.0
    np.testing.assert_allclose(tau(s, None)[0], [0.125, 0.625, 0.125, 0.125])


@given(seeds, sizes, components, classes, ALPHAS)
def test_class_probabilities_are_the_mixture_and_sum_to_one(
    seed: int, n: int, k: int, y: int, alpha0: float | None
) -> None:
    rng = np.random.default_rng(seed)
    store = tau(rng.exponential(size=(k, y)), alpha0)
    r = responsibilities(rng, n, k, max(1, k - 2))
    p = class_probabilities(r, store)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-5)
    naive = dense(r) @ store + (1 - dense(r).sum(axis=1, keepdims=True)) / y
    np.testing.assert_allclose(p, naive, atol=1e-5)


@given(seeds, sizes, components, classes)
def test_renumbering_the_components_changes_no_probability(seed: int, n: int, k: int, y: int) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, k)).astype(np.float32)
    t, order = targets(rng, n, y), rng.permutation(k)
    before, after = (
        SparseResponsibilities.from_logits(logits[:, columns], top_m=k, temperature=1.0)
        for columns in (np.arange(k), order)
    )
    p_before = class_probabilities(before, tau(soft_counts(before, t, k), None))
    p_after = class_probabilities(after, tau(soft_counts(after, t, k), None))
    np.testing.assert_allclose(p_before, p_after, atol=1e-5)


@given(seeds, st.integers(2, 12), components, classes, ALPHAS)
def test_leave_one_out_equals_refitting_without_the_item(
    seed: int, n: int, k: int, y: int, alpha0: float | None
) -> None:
    rng = np.random.default_rng(seed)
    r, t = responsibilities(rng, n, k, min(k, 4)), targets(rng, n, y)
    p, floor = leave_one_out_probabilities(r, t, soft_counts(r, t, k), alpha0, chunk=5)
    assert np.all(floor <= p.min(axis=1) + 1e-9)
    for i in range(n):
        rest = np.delete(np.arange(n), i)
        store = tau(soft_counts(r.take(rest), t[rest], k), alpha0)
        np.testing.assert_allclose(p[i], class_probabilities(r.take(np.array([i])), store)[0], atol=1e-5)


@given(seeds, sizes, components)
def test_component_means_are_the_weighted_means(seed: int, n: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    r, values = responsibilities(rng, n, k, min(k, 3)), rng.random(n).astype(np.float32)
    weights = dense(r)
    mass = weights.sum(axis=0)
    naive = np.where(mass > 0, weights.T @ values / np.where(mass > 0, mass, 1.0), 0.0)
    np.testing.assert_allclose(component_means(r, values), naive, atol=1e-5)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([], 0.0),
        ([0], 0.0),
        ([0, 1, 2], 0.0),
        ([0, 0], 1.0 - math.sqrt(2.0) / 2.0),
        ([0, 0, 1, 2], 0.5 - math.sqrt(3.0) / 4.0),
        ([0, 0, 0, 1], 0.75 - math.sqrt(0.75) / 4.0),
        ([0] * 100 + [1] * 100, 1.0),
    ],
)
def test_sample_coverage_is_the_share_of_classes_named_twice_less_its_error(labels: list[int], expected: float) -> None:
    assert sample_coverage(np.eye(4)[labels].reshape(-1, 4)) == pytest.approx(expected)


@given(seeds, st.integers(20, 60))
def test_sample_coverage_is_seldom_above_the_share_of_known_classes(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(30))
    claims = 0
    for _ in range(40):
        drawn = rng.choice(30, n, p=p)
        claims += sample_coverage(np.eye(30)[drawn]) > p[np.unique(drawn)].sum() + 0.01
    assert claims <= 20


def test_disagreement_is_zero_for_one_voice_and_one_for_an_even_split() -> None:
    t = np.array([[1, 0, 0], [0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3], [0.9, 0.1, 0]])
    given_split = disagreement(t)
    np.testing.assert_allclose(given_split[:3], [0, 1, 1], atol=1e-12)
    assert 0 < given_split[3] < 0.5


@pytest.mark.parametrize("alpha0", [0.0, -1.0, float("nan"), float("inf")])
def test_a_smoothing_that_is_no_positive_number_is_refused(alpha0: float) -> None:
    with pytest.raises(ConfigError, match="alpha0"):
        tau(np.zeros((2, 2)), alpha0)


@pytest.mark.parametrize(
    ("rows", "target", "match"),
    [
        ([0, 0], [[1, 0], [1, 0]], "twice"),
        ([0, 9], [[1, 0], [1, 0]], "row 9"),
        ([-1, 0], [[1, 0], [1, 0]], "row"),
        ([0, 1], [[1, 1], [1, 0]], "sum to 1"),
        ([0, 1], [[2, -1], [1, 0]], "negative"),
        ([0, 1], [[np.nan, 0], [1, 0]], "finite"),
    ],
)
def test_label_sets_that_do_not_fit_the_pool_are_refused(
    rows: list[int], target: list[list[float]], match: str
) -> None:
    labels = LabelSet("kind", ("a", "b"), np.array(rows), np.array(target, dtype=np.float64))
    with pytest.raises(InputError, match=match):
        check_label_set(labels, 5)


def test_the_same_answer_is_the_same_number_and_no_answer_is_a_number_of_its_own() -> None:
    half = np.array([[1.0, 0.0], [0.0, 1.0], [0.4, 0.6], [1.0, 0.0]])
    sentiment = LabelSet("sentiment", ("bad", "good"), np.array([1, 2, 4, 6]), half)
    first, second = same_answers([sentiment], 8), same_answers([], 3)
    assert first[1] == first[6]
    assert first[2] == first[4]
    assert len(set(first)) == 6
    assert len(set(second)) == 3


def test_with_several_controls_the_answers_are_the_same_where_all_of_them_are() -> None:
    one = LabelSet("one", ("a", "b"), np.array([0, 1, 2, 3]), np.eye(2)[[0, 0, 1, 0]])
    other = LabelSet("other", ("a", "b"), np.array([0, 1, 2]), np.eye(2)[[1, 1, 1]])
    answers = same_answers([one, other], 5)
    assert answers[0] == answers[1]
    assert len(set(answers)) == 4
