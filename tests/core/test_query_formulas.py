"""The formulas behind the order: doubt, and what covering a component is worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core.component_graph import ComponentGraph
from ml_backend.core.description import PoolDescription
from ml_backend.core.query import QueryScores, rank_lantern
from ml_backend.core.responsibilities import SparseResponsibilities
from tests.core.random_pools import description, responsibilities, seeds
from tests.core.test_query import grouped, nothing_known, order, random_scores

N = 40


def doubt_formula(pool: PoolDescription, scores: QueryScores) -> NDArray[np.float64]:
    """s_OOD (1 - confidence) (1 - nearness), weighed with how typical the item is: half for the oddest."""
    factors = [scores.s_ood, 1 - scores.confidence, 1 - scores.nearness, 0.5 + 0.5 * pool.density]
    return np.asarray(np.prod([factor.astype(np.float64) for factor in factors], axis=0))


def by_doubt_alone(pool: PoolDescription, scores: QueryScores) -> NDArray[np.int64]:
    """The open items in the order of asking, where nothing was never seen and no batch comes first."""
    ranked = order(rank_lantern(pool, scores, never_seen_level=0.0, batch=0))
    return ranked[~(scores.labelled | scores.set_aside | scores.absent)[ranked]]


@given(seeds, st.integers(6, 60))
def test_behind_the_batch_items_are_asked_by_falling_doubt(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    pool = replace(
        description(responsibilities(rng, n, 5), rng.normal(size=(n, 4))),
        density=rng.random(n).astype(np.float32),
        novelty=np.ones(n, np.float32),
    )
    scores = random_scores(rng, n)
    asked = by_doubt_alone(pool, scores)
    assert len(asked) == np.count_nonzero(~(scores.labelled | scores.set_aside | scores.absent))
    assert np.all(np.diff(doubt_formula(pool, scores)[asked]) <= 1e-6)


@pytest.mark.parametrize(("name", "high_first"), [("s_ood", True), ("confidence", False), ("nearness", False)])
def test_where_one_score_alone_differs_it_decides(name: str, high_first: bool) -> None:
    pool, _ = grouped((N,))
    even = np.full(N, 0.5, np.float32)
    pool = replace(pool, density=even, novelty=np.ones(N, np.float32))
    values = np.random.default_rng(0).permutation(np.linspace(0.1, 0.9, N)).astype(np.float32)
    scores = replace(nothing_known(N), s_ood=even.copy(), confidence=even.copy(), nearness=even.copy())
    getattr(scores, name)[:] = values
    expected = np.argsort(-values if high_first else values)
    np.testing.assert_array_equal(by_doubt_alone(pool, scores), expected)


def test_of_items_alike_in_all_else_the_typical_one_comes_first() -> None:
    pool, _ = grouped((N,))
    density = np.random.default_rng(0).permutation(np.linspace(0.0, 1.0, N)).astype(np.float32)
    pool = replace(pool, density=density, novelty=np.ones(N, np.float32))
    even = np.full(N, 0.5, np.float32)
    scores = replace(nothing_known(N), s_ood=even, confidence=even, nearness=even)
    np.testing.assert_array_equal(by_doubt_alone(pool, scores), np.argsort(-density))


def test_the_most_typical_item_counts_twice_as_much_as_the_oddest() -> None:
    """s_OOD .45 at density 1 lies between .8 and 1 at density 0, which are worth .4 and .5 of it."""
    pool, _ = grouped((3,))
    pool = replace(pool, density=np.array([0.0, 1.0, 0.0], np.float32), novelty=np.ones(3, np.float32))
    scores = replace(nothing_known(3), s_ood=np.array([0.8, 0.45, 1.0], np.float32))
    assert by_doubt_alone(pool, scores).tolist() == [2, 1, 0]


@given(seeds, st.integers(1, 12), st.floats(0, 1))
def test_importance_is_mass_to_a_falling_power_times_the_square_of_what_is_unsure(
    seed: int, k: int, rooted: float
) -> None:
    rng = np.random.default_rng(seed)
    mass, unsure = rng.dirichlet(np.full(k, 0.5)) + 1e-6, rng.uniform(0.01, 1.0, k)
    worth = [float(m) ** (1 - rooted / 2) * float(u) ** 2 for m, u in zip(mass, unsure, strict=True)]
    found = ComponentGraph(np.eye(k), np.eye(k), mass).importance(rooted, unsure)
    np.testing.assert_allclose(found, np.array(worth) / sum(worth), rtol=1e-9)


def test_importance_goes_from_the_mass_itself_to_its_root() -> None:
    graph, sure_of_none = ComponentGraph(np.eye(2), np.eye(2), np.array([0.64, 0.04])), np.ones(2)
    np.testing.assert_allclose(graph.importance(0.0, sure_of_none), [16 / 17, 1 / 17])
    np.testing.assert_allclose(graph.importance(1.0, sure_of_none), [0.8, 0.2])
    np.testing.assert_allclose(graph.importance(0.0, np.array([0.25, 1.0])), [0.5, 0.5])
    np.testing.assert_array_equal(graph.importance(1.0, np.zeros(2)), [0.0, 0.0])


@given(seeds, st.integers(8, 30), st.floats(0, 0.99))
def test_affinity_is_the_chance_that_a_walk_gets_there_before_it_stops(seed: int, n: int, reach: float) -> None:
    """By the equations of a hitting chance: h_d = 1, h_c = reach sum_e step[c, e] h_e elsewhere."""
    rng, k = np.random.default_rng(seed), 4
    r = responsibilities(rng, n, k)
    near = rng.integers(-1, n, (n, 3)).astype(np.int32)
    cosine = np.where(near >= 0, rng.uniform(-0.3, 1.0, (n, 3)), 0.0).astype(np.float32)
    flow = 1e-9 * np.eye(k)
    for item, (others, cosines) in enumerate(zip(near.tolist(), cosine.tolist(), strict=True)):
        for other, weight in zip(others, cosines, strict=True):
            if other >= 0 and weight > 0:
                one, two = r.indices[item, 0], r.indices[other, 0]
                flow[one, two] += weight
                flow[two, one] += weight
    step = flow / flow.sum(axis=1, keepdims=True)
    graph = ComponentGraph.of(r, near, cosine, reach)
    for goal in range(k):
        stay = np.arange(k) == goal
        equations = np.where(stay[:, None], np.eye(k), np.eye(k) - reach * step)
        np.testing.assert_allclose(graph.affinity[:, goal], np.linalg.solve(equations, stay.astype(float)), atol=1e-6)


def test_affinity_is_what_walks_do_that_are_walked() -> None:
    """Monte Carlo over three components in a row, whose neighbours lie half in the next one."""
    home = np.array([0, 0, 1, 1, 2, 2])
    near = np.array([[1, 2], [0, 2], [0, 4], [3, 3], [2, 5], [4, 4]], np.int32)
    logits = np.where(np.eye(3)[home] > 0, 9.0, 0.0).astype(np.float32)
    r = SparseResponsibilities.from_logits(logits, top_m=3, temperature=1.0)
    graph = ComponentGraph.of(r, near, np.ones((6, 2), np.float32), 0.8)
    steps = {0: [0, 0, 0, 0, 1, 1, 1], 1: [0, 0, 0, 1, 1, 1, 1, 2, 2], 2: [1, 1, 2, 2, 2, 2, 2, 2]}
    rng, arrived, walks = np.random.default_rng(0), 0, 20_000
    for _ in range(walks):
        place = 0
        while place != 2 and rng.random() < 0.8:
            place = steps[place][rng.integers(len(steps[place]))]
        arrived += place == 2
    share = arrived / walks
    assert float(graph.affinity[0, 2]) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / walks))


@given(seeds, st.integers(8, 30))
def test_a_label_speaks_as_far_as_a_walk_leads_or_for_what_is_alike_and_a_question_does_not_stand_for_strangers(
    seed: int, n: int
) -> None:
    """The walk's chance (covering: at most cosine^4) or cosine^8, the larger one; below 0 a cosine says nothing."""
    rng, k = np.random.default_rng(seed), 5
    r = responsibilities(rng, n, k)
    near = rng.integers(-1, n, (n, 3)).astype(np.int32)
    similar = np.where(near >= 0, rng.random((n, 3)), 0.0).astype(np.float32)
    prototypes = rng.normal(size=(k, 3))
    prototypes /= np.linalg.norm(prototypes, axis=1, keepdims=True)
    cosines = (prototypes @ prototypes.T).astype(np.float32)
    walk = ComponentGraph.of(r, near, similar).affinity
    both = ComponentGraph.of(r, near, similar, cosines=cosines)
    alike = np.maximum(cosines, 0.0).astype(np.float64)
    np.testing.assert_allclose(both.affinity, np.maximum(walk, alike**8), atol=1e-6)
    np.testing.assert_allclose(both.covering, np.maximum(np.minimum(walk, alike**4), alike**8), atol=1e-6)
    believed = ComponentGraph.of(r, near, similar, cosines=cosines, trust=0.0)
    np.testing.assert_array_equal(believed.covering, believed.affinity)
    alone = ComponentGraph.of(r, near, similar)
    np.testing.assert_array_equal(alone.covering, alone.affinity)


@given(seeds, st.integers(8, 30))
def test_labels_with_the_same_answer_speak_independently_and_of_several_answers_the_strongest_counts(
    seed: int, n: int
) -> None:
    rng = np.random.default_rng(seed)
    pool = description(responsibilities(rng, n, 5), rng.normal(size=(n, 4)))
    graph, labelled = pool.component_graph, pool.responsibilities.take(np.arange(6))
    answers = rng.integers(0, 3, 6)
    alone = np.array([graph.covered_by(i, r) for i, r in zip(labelled.indices, labelled.values, strict=True)])
    expected = np.max([1 - np.prod(1 - alone[answers == answer], axis=0) for answer in set(answers)], axis=0)
    coverage = graph.coverage(labelled, answers)
    np.testing.assert_allclose(coverage, expected, atol=1e-9)
    np.testing.assert_allclose(graph.coverage(labelled, np.arange(6)), alone.max(axis=0), atol=1e-9)
    assert not graph.coverage(labelled.take(np.arange(0)), answers[:0]).any()
