"""The prior that a component without labels takes from its neighbourhood."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core.component_graph import ComponentGraph
from ml_backend.core.graph_prior import UNREACHED, GraphCounts, agreement
from ml_backend.core.labels import soft_counts, tau
from tests.core.random_pools import description, responsibilities, seeds, targets


def graph_of(affinity: NDArray[np.float64]) -> ComponentGraph:
    """Components of equal mass."""
    k = len(affinity)
    return ComponentGraph(affinity, affinity, np.full(k, 1 / k))


def random_graph(rng: np.random.Generator, k: int) -> ComponentGraph:
    affinity = rng.random((k, k))
    np.fill_diagonal(affinity, 1.0)
    return graph_of(affinity)


def tau_with_prior(graph: ComponentGraph, s: NDArray[np.float64]) -> NDArray[np.float64]:
    return GraphCounts.of(graph, s, None).tau


def test_a_component_without_labels_takes_those_of_the_nearest_region() -> None:
    chain = graph_of(np.array([[1.0, 0.5, 0.01], [0.5, 1.0, 0.02], [0.01, 0.02, 1.0]]))
    s = np.array([[2.0, 0.0], [0.0, 0.0], [0.0, 3.0]])
    named = tau_with_prior(chain, s)
    assert np.allclose(named.sum(axis=1), 1.0)
    assert named[1, 0] > 0.9
    assert named[0, 0] > tau(s, None)[0, 0]


def test_where_no_walk_leads_nothing_is_known() -> None:
    apart = graph_of(np.eye(3))
    s = np.array([[5.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    assert np.allclose(tau_with_prior(apart, s)[1], 0.5)


def test_one_label_nearby_outweighs_many_far_away() -> None:
    affinity = np.eye(9)
    affinity[0, 1:] = [0.4] + 7 * [0.12]
    s = np.zeros((9, 2))
    s[1, 0] = 1.0
    s[2:, 1] = 1.0
    named = tau_with_prior(graph_of(affinity), s)
    assert named[0, 0] > 0.5


def test_labels_that_say_the_same_agree_and_a_new_class_nearby_does_not() -> None:
    chain = graph_of(np.array([[1.0, 0.8, 0.3], [0.8, 1.0, 0.3], [0.3, 0.3, 1.0]]))
    then = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 2.0]])
    before = tau_with_prior(chain, then)
    more, new = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 3.0]]), np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    assert np.allclose(agreement(before, before), 1.0)
    assert (agreement(before, tau_with_prior(chain, then + more)) > 0.9).all()
    new_class = agreement(before, tau_with_prior(chain, then + new))
    assert new_class[1] < 0.5 < new_class[2], "a component without a label follows its neighbour, a labelled one stays"


@given(seeds, st.integers(2, 6), st.integers(2, 5))
def test_agreement_is_a_share_and_the_same_both_ways(seed: int, k: int, y: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, k)
    one, other = (tau_with_prior(graph, rng.random((k, y))) for _ in range(2))
    both_ways = agreement(one, other), agreement(other, one)
    assert np.allclose(*both_ways)
    assert (both_ways[0] >= 0.0).all()
    assert (both_ways[0] <= 1.0 + 1e-6).all()


def test_reach_is_the_walk_to_the_nearest_label() -> None:
    chain = graph_of(np.array([[1.0, 0.5, 0.1], [0.4, 1.0, 0.2], [0.0, 0.3, 1.0]]))
    assert np.allclose(
        GraphCounts.of(chain, np.array([[3.0, 1.0], [0.0, 0.0], [0.5, 0.0]]), None).reach, [1.0, 0.4, 0.5]
    )
    assert GraphCounts.of(chain, np.zeros((3, 2)), None).reach.max() == 0.0


@given(seeds, st.integers(2, 6), st.integers(2, 5))
def test_many_labels_leave_no_room_for_the_prior(seed: int, k: int, y: int) -> None:
    rng = np.random.default_rng(seed)
    s = 1e6 * rng.random((k, y)) + 1e5
    assert np.allclose(tau_with_prior(random_graph(rng, k), s), tau(s, None), atol=1e-4)


@given(seeds, st.integers(1, 8), st.integers(2, 6), st.integers(1, 4))
def test_what_is_left_out_is_as_if_the_others_had_been_labelled_alone(seed: int, n: int, k: int, y: int) -> None:
    """Many labels on few components: the cap max(n_c, 1) binds with the item's own label, without it, or in both."""
    rng = np.random.default_rng(seed)
    r, t = responsibilities(rng, n, k, top_m=min(k, 3)), targets(rng, n, y)
    graph = random_graph(rng, k)
    counts = GraphCounts.of(graph, soft_counts(r, t, k), None)
    left_out = counts.left_out(r, t)
    for i in range(n):
        others = np.flatnonzero(np.arange(n) != i)
        alone = tau_with_prior(graph, soft_counts(r.take(others), t[others], k))
        np.testing.assert_allclose(left_out[i], alone[r.indices[i]], atol=1e-5)
    np.testing.assert_allclose(counts.left_out(r, np.zeros_like(t)), counts.tau[r.indices], atol=1e-9)


def test_a_real_graph_gives_distributions() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, 5))
    d = description(responsibilities(rng, 60, 8), points)
    s = soft_counts(d.responsibilities.take(np.arange(5)), targets(rng, 5, 3), 8)
    named = GraphCounts.of(d.component_graph, s, 0.1).tau
    assert np.allclose(named.sum(axis=1), 1.0)
    assert (named > 0).all()


def tau_by_the_formula(
    affinity: NDArray[np.float64], s: NDArray[np.float64], alpha0: float | None
) -> NDArray[np.float64]:
    """The header of `graph_prior.py`, class by class: q and UNREACHED labels of nothing, scaled to the mass m."""
    k, y = s.shape
    m = 1.0 if alpha0 is None else alpha0 * y
    n = [sum(s[c]) for c in range(k)]
    named = np.empty((k, y))
    for c in range(k):
        q = []
        for label in range(y):
            squares = sum((affinity[c, d] * s[d, label] / max(n[d], 1.0)) ** 2 for d in range(k))
            q.append(math.sqrt(squares) + UNREACHED / y)
        for label in range(y):
            named[c, label] = (s[c, label] + m * q[label] / sum(q)) / (n[c] + m)
    return named


@given(seeds, st.integers(1, 6), st.integers(1, 5), st.sampled_from([0.2, 3.0, 40.0]), st.none() | st.floats(0.01, 3))
def test_tau_is_the_formula_from_a_few_labels_to_many(
    seed: int, k: int, y: int, most: float, alpha0: float | None
) -> None:
    """With many labels on a component the cap max(n, 1) binds: they bring along no more than one would."""
    rng = np.random.default_rng(seed)
    graph, s = random_graph(rng, k), most * rng.random((k, y)) * rng.integers(0, 2, (k, 1))
    found = GraphCounts.of(graph, s, alpha0).tau
    np.testing.assert_allclose(found, tau_by_the_formula(graph.affinity, s, alpha0), rtol=1e-9)


def test_a_class_that_was_asked_about_often_does_not_swamp_the_others() -> None:
    affinity = np.array([[1.0, 0.5, 0.5], [0.5, 1.0, 0.0], [0.5, 0.0, 1.0]])
    graph = graph_of(affinity)
    once = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    often = np.array([[0.0, 0.0], [200.0, 0.0], [0.0, 1.0]])
    assert np.allclose(tau_with_prior(graph, once)[0], 0.5)
    assert np.allclose(tau_with_prior(graph, often)[0], 0.5)


@given(seeds, st.integers(1, 6), st.integers(1, 5))
def test_agreement_is_the_cube_of_one_minus_the_total_variation_distance(seed: int, k: int, y: int) -> None:
    one, other = np.random.default_rng(seed).dirichlet(np.ones(y), (2, k))
    distance = 0.5 * np.abs(one - other).sum(axis=1)
    np.testing.assert_allclose(agreement(one, other), (1 - distance) ** 3, atol=1e-6)
