"""Both orders of the queue: s_ood exactly, and Lantern's own with its promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core.component_graph import ComponentGraph
from ml_backend.core.description import PoolDescription
from ml_backend.core.labels import LabelSet
from ml_backend.core.neighbour_votes import LEAST_CLOSENESS
from ml_backend.core.query import QueryScores, Ranking, Reason, rank_lantern, rank_s_ood
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.errors import InputError
from tests.core.random_pools import description, responsibilities, seeds

LEVEL = 0.01


def random_scores(rng: np.random.Generator, n: int) -> QueryScores:
    s_ood, evidence, ambiguity, confidence, clash, nearness = rng.random((6, n)).astype(np.float32)
    return QueryScores(
        s_ood,
        evidence,
        ambiguity,
        confidence,
        clash,
        nearness,
        float(rng.random()),
        rng.integers(0, 3, n),
        rng.random(n) < 0.3,
        rng.random(n) < 0.1,
        rng.random(n) < 0.1,
    )


def grouped(sizes: tuple[int, ...], seed: int = 0) -> tuple[PoolDescription, NDArray[np.int64]]:
    """A pool of well separated groups, one component each (K = groups + 2 empty ones), and the group of each item."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    points = 6 * np.eye(len(sizes), 12)[group] + rng.normal(size=(len(group), 12))
    logits = np.full((len(group), len(sizes) + 2), -4.0, np.float32)
    logits[np.arange(len(group)), group] = 4.0
    return description(SparseResponsibilities.from_logits(logits, top_m=3, temperature=1.0), points), group


def nothing_known(n: int) -> QueryScores:
    zero, one = np.zeros(n, np.float32), np.ones(n, np.float32)
    labelled, set_aside, absent = np.zeros((3, n), bool)
    return QueryScores(one, zero, zero, zero, zero, zero, 0.0, np.arange(n), labelled, set_aside, absent)


def order(ranking: Ranking) -> NDArray[np.int64]:
    return np.argsort(-ranking.value, kind="stable")


@given(seeds, st.integers(6, 40))
def test_the_seed_order_is_s_ood_itself(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    pool, scores = description(responsibilities(rng, n, 5), rng.normal(size=(n, 4))), random_scores(rng, n)
    np.testing.assert_array_equal(rank_s_ood(pool, scores, never_seen_level=LEVEL).value, scores.s_ood)


@settings(max_examples=40)
@given(seeds, st.integers(6, 60), st.integers(0, 80))
def test_lanterns_order_gives_every_item_its_own_place_and_labelled_items_the_last(
    seed: int, n: int, batch: int
) -> None:
    rng = np.random.default_rng(seed)
    pool, scores = description(responsibilities(rng, n, 5), rng.normal(size=(n, 4))), random_scores(rng, n)
    ranking = rank_lantern(pool, scores, never_seen_level=LEVEL, batch=batch)
    np.testing.assert_allclose(np.sort(ranking.value), (np.arange(n) + 0.5) / n, rtol=1e-5)
    queue = order(ranking)
    closed = scores.labelled | scores.set_aside | scores.absent
    assert not closed[queue[: int((~closed).sum())]].any()
    assert set(ranking.reason.tolist()) <= {int(reason) for reason in Reason}
    again = rank_lantern(pool, scores, never_seen_level=LEVEL, batch=batch)
    np.testing.assert_array_equal(ranking.value, again.value)


def test_a_batch_holds_no_two_items_that_are_alike() -> None:
    pool, _ = grouped((40, 40, 40))
    queue = order(rank_lantern(pool, nothing_known(120), never_seen_level=LEVEL, batch=12))[:12]
    for item in queue[:8]:
        assert not set(pool.neighbours[item].tolist()) & set(queue[:8].tolist())


def test_heavy_unlabelled_groups_come_first_and_each_is_asked_once() -> None:
    pool, group = grouped((60, 10, 30, 20))
    ranking = rank_lantern(pool, nothing_known(120), never_seen_level=LEVEL)
    queue = order(ranking)[:4]
    assert group[queue].tolist() == [0, 2, 3, 1]
    assert set(ranking.reason[queue].tolist()) == {Reason.UNLABELLED_GROUP}


def test_representatives_are_typical_and_come_before_outliers() -> None:
    pool, _ = grouped((60, 60))
    queue = order(rank_lantern(pool, nothing_known(120), never_seen_level=0.05))
    assert pool.density[queue[:2]].min() > 0.5
    never_seen = np.flatnonzero(pool.novelty <= 0.05)
    assert not set(never_seen.tolist()) & set(queue[:8].tolist())


def test_a_labelled_group_waits_for_the_others() -> None:
    pool, group = grouped((60, 40, 20))
    scores = nothing_known(120)
    scores.labelled[np.flatnonzero(group == 0)[:2]] = True
    queue = order(rank_lantern(pool, scores, never_seen_level=LEVEL))
    assert group[queue[:2]].tolist() == [1, 2]


@pytest.mark.parametrize(("sample_coverage", "first"), [(0.0, 1), (1.0, 2)])
def test_once_labels_name_known_classes_the_group_that_nobody_can_name_comes_first(
    sample_coverage: float, first: int
) -> None:
    pool, group = grouped((60, 40, 30))
    scores = replace(nothing_known(120 + 10), sample_coverage=sample_coverage)
    scores.labelled[np.flatnonzero(group == 0)[:2]] = True
    scores.confidence[group < 2] = 0.8
    scores.confidence[group == 2] = 0.2
    queue = order(rank_lantern(pool, scores, never_seen_level=LEVEL))
    assert group[queue[0]] == first


def test_absent_items_are_last_and_speak_for_no_group() -> None:
    pool, group = grouped((60, 40, 20))
    scores = nothing_known(120)
    scores.absent[np.flatnonzero(group == 0)[:30]] = True
    queue = order(rank_lantern(pool, scores, never_seen_level=LEVEL))
    assert group[queue[:3]].tolist() == [0, 1, 2]
    assert scores.absent[queue[-30:]].all()


def test_where_all_groups_have_labels_doubtful_items_lead() -> None:
    pool, group = grouped((40, 40, 40))
    rng = np.random.default_rng(0)
    labelled = np.isin(np.arange(120), [0, 45, 90])
    doubtful = np.flatnonzero((pool.density > 0.3) & ~labelled)[::9]
    confidence = np.full(120, 0.95, np.float32)
    confidence[doubtful] = 0.4
    low, high = np.full(120, 0.1, np.float32), np.full(120, 0.9, np.float32)
    clash = rng.random(120).astype(np.float32) / np.float32(10)
    nobody = np.zeros(120, bool)
    scores = QueryScores(low, high, low, confidence, clash, low, 0.0, np.arange(120), labelled, nobody, nobody)
    ranking = rank_lantern(pool, scores, never_seen_level=LEVEL, batch=24)
    head = order(ranking)[:4]
    assert set(head.tolist()) <= set(doubtful.tolist())
    assert set(ranking.reason[head].tolist()) == {Reason.AMBIGUOUS}
    assert set(group[head].tolist()) <= {0, 1, 2}


@pytest.mark.parametrize("confidence", [0.98, 0.5])
def test_where_every_item_left_is_like_a_labelled_one_the_queue_does_not_say_otherwise(confidence: float) -> None:
    """The batch is filled all the same; a place in it makes no copy of a labelled item that is named with confidence
    ambiguous, or its group new. Where it is named without, the place is a reason.
    """
    pool, _ = grouped((40, 40, 40))
    labelled = np.isin(np.arange(120), [0, 45, 90])
    low, near = np.full(120, 0.02, np.float32), np.full(120, 0.99, np.float32)
    sure = np.full(120, confidence, np.float32)
    nobody = np.zeros(120, bool)
    scores = QueryScores(low, near, low, sure, low, near, 1.0, np.arange(120), labelled, nobody, nobody)
    ranking = rank_lantern(pool, scores, never_seen_level=LEVEL)
    head = order(ranking)[:10]
    expected = {Reason.ROUTINE} if confidence > 0.9 else {Reason.UNLABELLED_GROUP, Reason.AMBIGUOUS}
    assert set(ranking.reason[head].tolist()) <= expected


def test_of_equally_doubtful_items_the_one_far_from_all_labels_comes_first() -> None:
    pool, group = grouped((40, 40))
    pool = replace(pool, density=np.ones(80, np.float32), novelty=np.ones(80, np.float32))
    scores = nothing_known(80)
    scores.labelled[np.flatnonzero(group == 0)[0]] = True
    scores.labelled[np.flatnonzero(group == 1)[:20]] = True
    near = np.random.default_rng(0).random(80).astype(np.float32)
    scores = replace(scores, nearness=near)
    ranking = rank_lantern(pool, scores, never_seen_level=0.0, batch=1)
    rest = [item for item in order(ranking)[1:] if not scores.labelled[item]]
    assert np.all(np.diff(near[rest]) >= -1e-6)
    assert near[rest][0] < near[rest][-1]


def test_the_batch_has_a_place_for_what_was_never_seen() -> None:
    pool, _ = grouped((100, 100))
    ranking = rank_lantern(pool, nothing_known(200), never_seen_level=0.05, batch=60)
    strangest = int(np.argmin(pool.novelty))
    assert strangest in order(ranking)[:30]
    assert ranking.reason[strangest] == Reason.NEVER_SEEN


def test_each_reason_is_given_for_its_cause() -> None:
    pool, _ = grouped((30, 30))
    low, high = np.full(60, 0.1, np.float32), np.full(60, 0.9, np.float32)
    labelled, nobody = np.zeros((2, 60), bool)
    given = (low, high.copy(), low.copy(), high, low.copy(), low, 0.0, np.arange(60))
    scores = QueryScores(*given, labelled, nobody, nobody)
    pool = replace(pool, novelty=np.full(60, 0.5, np.float32))
    scores.evidence[1], scores.ambiguity[2], scores.clash[4] = 0.1, 0.8, 0.9
    scores.confidence[2] = 0.5
    scores.ambiguity[5] = 0.8  # named with confidence all the same
    pool.novelty[3] = 0.001
    reason = rank_s_ood(pool, scores, never_seen_level=LEVEL).reason
    expected = [Reason.ROUTINE, Reason.UNLABELLED_GROUP, Reason.AMBIGUOUS, Reason.NEVER_SEEN, Reason.DISAGREES]
    assert reason[:6].tolist() == [*expected, Reason.ROUTINE]
    scores.labelled[3] = True
    assert rank_s_ood(pool, scores, never_seen_level=LEVEL).reason[3] == Reason.ROUTINE
    assert all(len(reason.sentence) > 20 for reason in Reason)


def test_scores_of_another_pool_are_refused() -> None:
    pool, _ = grouped((20, 20))
    with pytest.raises(InputError, match="pool of 40"):
        rank_lantern(pool, nothing_known(39), never_seen_level=LEVEL)


def test_a_walk_reaches_near_components_more_often_than_far_ones() -> None:
    rng = np.random.default_rng(0)
    place = np.repeat(np.arange(6), 30)
    angle = place * 0.35 + 0.12 * rng.normal(size=180)
    points = np.column_stack([np.cos(angle), np.sin(angle)])
    logits = np.where(np.eye(6)[place] > 0, 5.0, 0.0).astype(np.float32)
    pool = description(SparseResponsibilities.from_logits(logits, top_m=6, temperature=1.0), points, k=8)
    graph = ComponentGraph.of(pool.responsibilities, pool.neighbours, pool.similarities)
    np.testing.assert_allclose(np.diag(graph.affinity), 1.0)
    assert graph.affinity.min() >= 0
    assert graph.affinity.max() <= 1
    assert np.all(np.diff(graph.affinity[0]) < 0)
    np.testing.assert_allclose(graph.mass.sum(), 1.0, atol=1e-5)


@given(seeds, st.integers(8, 30))
def test_a_longer_walk_reaches_everything_at_least_as_often(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    pool = description(responsibilities(rng, n, 5), rng.normal(size=(n, 4)))
    assert np.all(pool.first_component_graph.affinity >= pool.component_graph.affinity - 1e-9)


@pytest.mark.parametrize("n_labelled", [0, 9, 10, 30])
def test_the_first_ten_labels_are_chosen_by_longer_walks(n_labelled: int) -> None:
    rng = np.random.default_rng(9)  # a pool in which both walks choose differently each time
    points = np.repeat(rng.normal(size=(12, 3)), 20, axis=0) + 0.3 * rng.normal(size=(240, 3))
    logits = np.where(np.eye(12)[np.repeat(np.arange(12), 20)] > 0, 9.0, 0.0).astype(np.float32)
    pool = description(SparseResponsibilities.from_logits(logits, top_m=12, temperature=1.0), points, k=6)
    scores = nothing_known(240)
    scores.labelled[:n_labelled] = True
    queue = order(rank_lantern(pool, replace(scores, sample_coverage=0.0), never_seen_level=0.0))
    graph = pool.first_component_graph if n_labelled < 10 else pool.component_graph
    labelled = np.flatnonzero(scores.labelled)
    coverage = graph.coverage(pool.responsibilities.take(labelled), labelled)
    gains = graph.mass @ np.maximum(graph.covering - coverage[:, None], 0.0)
    assert pool.responsibilities.indices[queue[0], 0] == np.argmax(gains)


@given(seeds, st.integers(8, 30))
def test_renumbering_the_components_changes_no_affinity(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    logits, renumber = rng.normal(size=(n, 4)).astype(np.float32), rng.permutation(4)
    near = rng.integers(-1, n, (n, 3)).astype(np.int32)
    similar = np.where(near >= 0, rng.random((n, 3)), 0.0).astype(np.float32)
    before, after = (
        ComponentGraph.of(SparseResponsibilities.from_logits(values, top_m=4, temperature=1.0), near, similar)
        for values in (logits, logits[:, renumber])
    )
    np.testing.assert_allclose(after.affinity, before.affinity[np.ix_(renumber, renumber)], atol=1e-6)
    np.testing.assert_allclose(after.mass, before.mass[renumber], atol=1e-6)


def test_what_was_never_seen_follows_the_batch_and_comes_before_all_routine() -> None:
    pool, _ = grouped((120, 120, 60))
    strange = np.array([5, 150, 299])
    novelty = np.full(300, 0.5, np.float32)
    novelty[strange] = LEVEL
    place = np.empty(300, int)
    ranked = order(rank_lantern(replace(pool, novelty=novelty), nothing_known(300), never_seen_level=LEVEL))
    place[ranked] = np.arange(300)
    assert (place[strange] < 300 // 4 + len(strange)).all()


def test_a_question_covers_strangers_only_while_the_first_ten_are_asked() -> None:
    """Copies whose only other neighbours are strangers: the walk comes there almost surely, their cosine is .3."""
    pool, group = grouped((60, 40))
    neighbours = pool.neighbours.copy()
    neighbours[group == 0, 0] = np.flatnonzero(group == 1)[0]
    cosines = np.eye(4, dtype=np.float32)
    cosines[0, 1] = cosines[1, 0] = 0.3
    pool = replace(pool, neighbours=neighbours, component_cosines=cosines)
    first, later = pool.first_component_graph.covering[0, 1], pool.component_graph.covering[0, 1]
    assert later == pytest.approx(0.3**4)
    assert first > 0.5
    np.testing.assert_array_less(0.5, pool.component_graph.affinity[0, 1])


def beside_a_large_class(seed: int = 0) -> tuple[PoolDescription, NDArray[np.int64]]:
    """100 items each of two classes; ten more (group 2) lie in the first one's component, beside it; four are alone."""
    rng = np.random.default_rng(seed)
    group = np.concatenate([np.repeat([0, 1, 2], [100, 100, 10]), [3, 4, 5, 6]])
    centres = 4.0 * np.eye(7, 8)
    centres[2] = 2.0 * np.eye(8)[2] + centres[0]
    points = centres[group] + 0.4 * rng.normal(size=(214, 8))
    logits = np.where(np.eye(7)[np.where(group == 2, 0, group)] > 0, 4.0, -4.0).astype(np.float32)
    directions = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float16)
    r = SparseResponsibilities.from_logits(logits, top_m=2, temperature=1.0)
    return replace(description(r, points), directions=directions), group


def labels_beside(group: NDArray[np.int64]) -> LabelSet:
    """Eight each of the two classes, and the four that are alone: a fifth of the labels names a class of its own."""
    rows = np.concatenate([np.arange(8), 100 + np.arange(8), 210 + np.arange(4)])
    return LabelSet("kind", tuple(f"class {i}" for i in range(7)), rows, np.eye(7)[group[rows]])


def sure_of_everything(labels: LabelSet, n: int) -> QueryScores:
    """Everything is named with confidence and near a label: nothing but its place makes an item worth a question."""
    low, high = np.full(n, 0.02, np.float32), np.full(n, 0.98, np.float32)
    labelled, nobody = np.isin(np.arange(n), labels.rows), np.zeros(n, bool)
    return QueryScores(low, high, low, high, low, high, 0.6, np.arange(n), labelled, nobody, nobody, labels)


def test_a_small_group_that_hides_in_a_large_class_is_asked_about_first_and_the_reason_says_so() -> None:
    pool, group = beside_a_large_class()
    scores = sure_of_everything(labels_beside(group), 214)
    ranking = rank_lantern(pool, scores, never_seen_level=0.0)
    assert group[order(ranking)[0]] == 2
    assert ranking.reason[order(ranking)[0]] == Reason.CLASS_OUTLIER
    without = rank_lantern(replace(pool, directions=None), scores, never_seen_level=0.0)
    assert Reason.CLASS_OUTLIER not in without.reason


@pytest.mark.parametrize("why", ["set aside", "labelled", "absent"])
def test_a_class_keeps_its_turn_where_its_outlier_or_a_copy_of_it_cannot_be_asked_about(why: str) -> None:
    pool, group = beside_a_large_class()
    scores = sure_of_everything(labels_beside(group), 214)
    first = int(order(rank_lantern(pool, scores, never_seen_level=0.0))[0])
    copy = int(np.setdiff1d(np.flatnonzero(group == 2), [first])[0])
    places = np.arange(214, dtype=np.int32)
    if why == "absent":
        scores.absent[[first, copy]] = True
    else:
        places[copy] = first
        (scores.set_aside if why == "set aside" else scores.labelled)[copy] = True
    ranking = rank_lantern(replace(pool, copies=places), scores, never_seen_level=0.0)
    outliers = np.flatnonzero(ranking.reason == Reason.CLASS_OUTLIER)
    assert 2 in group[outliers]
    assert not {first, copy} & set(outliers.tolist())


@settings(max_examples=25, deadline=None)  # a regression each
@given(seeds)
def test_outliers_of_classes_are_open_items_in_the_batch_and_no_two_of_them_are_alike(seed: int) -> None:
    pool, group = beside_a_large_class(seed % 5)
    rng, labels = np.random.default_rng(seed), labels_beside(group)
    asked = sure_of_everything(labels, 214)
    scores = replace(asked, set_aside=(rng.random(214) < 0.1) & ~asked.labelled, absent=rng.random(214) < 0.1)
    ranking = rank_lantern(pool, scores, never_seen_level=0.0)
    np.testing.assert_allclose(np.sort(ranking.value), (np.arange(214) + 0.5) / 214, rtol=1e-5)
    outliers = np.flatnonzero(ranking.reason == Reason.CLASS_OUTLIER)
    assert len(outliers)
    assert not (scores.labelled | scores.set_aside | scores.absent)[outliers].any()
    assert set(outliers.tolist()) <= set(order(ranking)[: 214 // 4].tolist())
    for item in outliers:
        near = pool.neighbours[item][pool.similarities[item] >= LEAST_CLOSENESS]
        assert not set(near.tolist()) & set(outliers.tolist())


def test_outliers_wait_where_their_share_of_a_batch_is_less_than_one() -> None:
    pool, group = beside_a_large_class()
    labels = labels_beside(group)
    scores = sure_of_everything(labels, 214)
    assert Reason.CLASS_OUTLIER in rank_lantern(pool, scores, never_seen_level=0.0).reason
    once = replace(labels, classes=("a", "b", *map(str, range(18))), targets=np.eye(20))  # each names a new class
    ranking = rank_lantern(pool, replace(scores, labels=once), never_seen_level=0.0)
    assert Reason.CLASS_OUTLIER not in ranking.reason
