"""Labels spread over a pool whose classes are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml_backend.core.class_outliers import FEWEST_LABELS
from ml_backend.core.description import PoolDescription
from ml_backend.core.labels import LabelSet, class_probabilities
from ml_backend.core.neighbourhood import PoolWays
from ml_backend.core.query import Reason
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.engine.pool import Pool, PoolSettings, apply_store, combine, fit_store, propagate, rank
from ml_backend.engine.propagation import probabilities
from ml_backend.errors import ConfigError, InputError
from tests.core.test_query import beside_a_large_class, labels_beside
from tests.engine.test_pool import DIMENSION, GROUPS, PER_GROUP, SETTINGS, items, label_set

N = GROUPS * PER_GROUP


@pytest.fixture(scope="module")
def pool() -> Pool:
    return Pool.create(items()[0], replace(SETTINGS, temperature=1.0), seed=0)


@pytest.fixture(scope="module")
def description(pool: Pool) -> PoolDescription:
    return pool.describe()


def test_two_labels_a_group_label_the_pool(description: PoolDescription) -> None:
    group = items()[1]
    spread = propagate(description, label_set(group))
    assert spread.label_set == "kind"
    assert np.mean(spread.label == group) > 0.9
    right = spread.label == group
    assert spread.confidence[right].mean() > 0.7
    assert np.mean(group[spread.nearest_labelled] == group) > 0.9


def test_the_formula_stays_visible_beside_the_blend(description: PoolDescription) -> None:
    spread = propagate(description, label_set(items()[1]))
    p = class_probabilities(description.responsibilities, spread.store.tau)
    np.testing.assert_allclose(spread.p_max, p.max(axis=1), atol=1e-6)
    np.testing.assert_array_equal(spread.p_label, p.argmax(axis=1))
    r, peak = description.responsibilities, spread.store.tau.max(axis=1)
    naive = [1 - max(r.values[i, m] * peak[r.indices[i, m]] for m in range(8)) for i in range(0, N, 37)]
    np.testing.assert_allclose(spread.s_ood[::37], naive, atol=1e-5)


def test_an_item_without_neighbours_clashes_with_none(description: PoolDescription) -> None:
    lonely = description.similarities.copy()
    lonely[:5] = 0.0
    spread = propagate(replace(description, similarities=lonely), label_set(items()[1]))
    assert (spread.clash[:5] == 0.0).all()
    assert spread.clash.max() <= 1.0


def test_confidence_is_the_calibrated_probability_of_the_label(description: PoolDescription) -> None:
    spread = propagate(description, label_set(items()[1]))
    p = probabilities(spread.store, description, np.arange(N))
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-4)
    np.testing.assert_allclose(spread.confidence, p[np.arange(N), spread.label], atol=1e-3)


def test_groups_without_labels_have_no_evidence_and_are_asked_first(description: PoolDescription) -> None:
    group = items()[1]
    known = label_set(group)
    some = LabelSet("kind", known.classes, known.rows[:8], known.targets[:8])  # groups 0..3
    spread = propagate(description, some)
    scores = combine([spread], description)
    assert spread.evidence[group < 4].mean() > 2 * spread.evidence[group >= 4].mean()
    ranking = rank(description, scores, some.rows, "lantern", label_sets=[some])
    head = np.argsort(-ranking.value)[:4]
    assert sorted(group[head].tolist()) == [4, 5, 6, 7]
    assert set(ranking.reason[head].tolist()) == {Reason.UNLABELLED_GROUP}
    s_ood = rank(description, scores, some.rows, "s_ood", label_sets=[some])
    np.testing.assert_array_equal(s_ood.value, scores.s_ood)
    with pytest.raises(ConfigError, match="random"):
        rank(description, scores, some.rows, "random", label_sets=[some])


def test_outliers_of_classes_are_sought_in_the_label_set_that_knows_its_classes_least_well() -> None:
    """Not in one that has hardly any labels, nor in one whose labels are all the same."""
    description, group = beside_a_large_class()
    kind = labels_beside(group)
    n = len(kind.rows)
    unused = LabelSet("unused", ("a", "b"), np.empty(0, np.int64), np.empty((0, 2)))
    settled = LabelSet("settled", ("a", "b"), kind.rows, np.tile([[1.0, 0.0]], (n, 1)))
    for sets, found in (((kind,), True), ((settled, kind, unused), True), ((settled, unused), False), ((), False)):
        scores = combine([propagate(description, labels) for labels in sets if len(labels.rows)], description)
        ranking = rank(description, scores, kind.rows, label_sets=sets)
        outliers = group[ranking.reason == Reason.CLASS_OUTLIER]
        assert (2 in outliers) == found


def test_outliers_of_classes_wait_for_twenty_labels() -> None:
    description, group = beside_a_large_class()
    every = labels_beside(group)
    for count in (FEWEST_LABELS - 1, FEWEST_LABELS):
        rows, targets = every.rows[-count:], every.targets[-count:]
        labels = LabelSet("kind", every.classes, rows, targets)
        ranking = rank(description, combine([propagate(description, labels)], description), rows, label_sets=[labels])
        assert (Reason.CLASS_OUTLIER in ranking.reason) == (count == FEWEST_LABELS)


def half_covered_by_each_of_two() -> PoolDescription:
    """Components 0 and 1, one item each, are at the cosine at which a label covers half of component 2, of 60 items;
    component 3, of 20, is like nothing. Nobody has neighbours.
    """
    home = np.repeat([0, 1, 2, 3], [1, 1, 60, 20])
    n, logits = len(home), np.where(np.eye(4)[home] > 0, 40.0, 0.0).astype(np.float32)
    cosines = np.eye(4, dtype=np.float32)
    cosines[2, :2] = cosines[:2, 2] = 0.5 ** (1 / 8)
    return PoolDescription(
        responsibilities=SparseResponsibilities.from_logits(logits, top_m=2, temperature=1.0),
        neighbours=np.full((n, 1), -1, np.int32),
        similarities=np.zeros((n, 1), np.float32),
        density=np.ones(n, np.float32),
        novelty=np.ones(n, np.float32),
        aleatoric=np.ones(n, np.float32),
        component_cosines=cosines,
    )


@pytest.mark.parametrize(("answers", "first"), [((0, 0), 3), ((0, 1), 2)])
def test_labels_that_say_the_same_cover_what_lies_between_them(answers: tuple[int, int], first: int) -> None:
    """60 items of which a quarter is left to learn, or half, against 20 of which all is."""
    d = half_covered_by_each_of_two()
    given = LabelSet("kind", ("a", "b"), np.arange(2), np.eye(2)[list(answers)])
    scores = combine([], d)
    ranking = rank(d, scores, given.rows, label_sets=[given])
    assert d.responsibilities.indices[np.argmax(ranking.value), 0] == first


def test_of_copies_with_different_labels_the_majority_names_the_rest() -> None:
    """20 texts in 50 copies each; of ten labels on the first, the one on the lowest row is wrong."""
    text = np.repeat(np.arange(20), 50)
    x = np.random.default_rng(1).normal(size=(20, 16)).astype(np.float32)[text]
    d = Pool.create(x, SETTINGS, seed=0).describe()
    rows = np.concatenate([np.arange(20, 30), np.arange(1, 20) * 50 + 7])
    given = LabelSet("kind", ("right", "other"), rows, np.eye(2)[((rows == 20) | (rows >= 500)).astype(int)])
    spread = propagate(d, given)
    assert (spread.label[:50] == 0).all()
    of_first = spread.store.suspicion[:10]
    assert of_first[0] > 0.8 > 0.4 > of_first[1:].max()


def test_no_labels_at_all_say_nothing(description: PoolDescription) -> None:
    nobody = LabelSet("kind", ("a", "b"), np.empty(0, np.int64), np.empty((0, 2)))
    spread = propagate(description, nobody)
    np.testing.assert_allclose(spread.confidence, 0.5, atol=1e-5)
    assert spread.evidence.max() == spread.ambiguity.max() == 0.0
    assert set(spread.nearest_labelled.tolist()) == {-1}
    scores = combine([], description)
    assert scores.s_ood.min() == 1.0
    assert scores.confidence.max() == 0.0


def test_a_task_is_as_sure_as_its_least_sure_store(description: PoolDescription) -> None:
    known = label_set(items()[1])
    halves = [
        LabelSet("a", known.classes, known.rows[part], known.targets[part]) for part in (slice(8), slice(8, None))
    ]
    spreads = [propagate(description, half) for half in halves]
    both = combine(spreads, description)
    np.testing.assert_array_equal(both.confidence, np.minimum(spreads[0].confidence, spreads[1].confidence))
    np.testing.assert_array_equal(both.evidence, np.minimum(spreads[0].evidence, spreads[1].evidence))
    np.testing.assert_array_equal(both.s_ood, np.maximum(spreads[0].s_ood, spreads[1].s_ood))
    np.testing.assert_array_equal(both.nearness, np.minimum(spreads[0].nearness, spreads[1].nearness))


def test_a_wrong_label_is_the_most_suspicious(description: PoolDescription) -> None:
    known = label_set(items()[1], per_group=6)
    targets = known.targets.copy()
    targets[[3, 20]] = targets[[20, 3]]
    store = fit_store(description, LabelSet("kind", known.classes, known.rows, targets))
    assert set(np.argsort(-store.suspicion)[:2].tolist()) == {3, 20}


def test_new_items_get_labels_and_point_to_examples_of_the_pool(pool: Pool, description: PoolDescription) -> None:
    group = items()[1]
    spread = propagate(description, label_set(group))
    x_new, new_group = items(10, seed=4)
    new = apply_store(spread.store, pool.describe_new(x_new), spread.label, rows=None)
    assert np.mean(new.label == new_group) > 0.9
    assert np.mean(group[new.nearest_labelled] == new_group) > 0.9
    assert new.clash.mean() < 0.2


def test_a_copy_gets_its_label_though_other_copies_are_all_its_neighbours() -> None:
    """120 near-copies of one direction, one of them labelled, beside two larger groups with more labels."""
    rng = np.random.default_rng(0)
    directions = np.eye(4, DIMENSION)
    directions[1] = directions[0] * 0.8 + directions[1] * 0.6
    group = np.repeat([0, 1, 2], [120, 200, 200])
    noise = np.where(group == 0, 0.01, 0.25)[:, None] * rng.normal(size=(len(group), DIMENSION))
    x = (directions[group] + noise).astype(np.float32)
    description = Pool.create(x, replace(SETTINGS, n_components=4), seed=0).describe()
    rows = np.array([0, *range(120, 140), *range(320, 340)])
    spread = propagate(description, LabelSet("kind", ("copy", "a", "b"), rows, np.eye(3)[group[rows]]))
    far = (group == 0) & ~(description.neighbours == 0).any(axis=1)
    assert far.sum() > 60
    assert (spread.label[far] == 0).mean() > 0.9
    assert (spread.nearest_labelled[far] == 0).mean() > 0.9


def test_controls_that_are_labelled_together_share_their_ways_and_nothing_else(description: PoolDescription) -> None:
    one = label_set(items()[1])
    two = LabelSet("other", one.classes, one.rows, one.targets[::-1].copy())
    ways = PoolWays(description)
    spreads = [propagate(description, labels, ways=ways) for labels in (one, two)]
    assert spreads[0].store.ways is spreads[1].store.ways
    for spread, labels in zip(spreads, (one, two), strict=True):
        alone = propagate(description, labels)
        for name in ("label", "confidence", "nearest_labelled", "nearness"):
            np.testing.assert_array_equal(getattr(spread, name), getattr(alone, name))


def test_labels_outside_the_pool_are_refused(description: PoolDescription) -> None:
    with pytest.raises(InputError, match="row 480"):
        propagate(description, LabelSet("kind", ("a",), np.array([N]), np.ones((1, 1))))


def test_renumbered_components_give_the_same_scores(description: PoolDescription) -> None:
    r = description.responsibilities
    renumber = np.random.default_rng(0).permutation(r.n_components).astype(np.int32)
    assert description.component_cosines is not None
    place = np.argsort(renumber)
    other = replace(
        description,
        responsibilities=replace(r, indices=renumber[r.indices]),
        component_cosines=description.component_cosines[np.ix_(place, place)],
    )
    known = label_set(items()[1])
    a, b = propagate(description, known), propagate(other, known)
    np.testing.assert_array_equal(a.label, b.label)
    for name in ("confidence", "p_max", "ambiguity", "evidence", "s_ood", "clash"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), atol=1e-4)


def test_settings_choose_the_shape_of_the_model() -> None:
    x = items()[0]
    assert PoolSettings().model_config(x).latent_dim == 32
    assert PoolSettings(n_components=5).model_config(x).n_components == 5
    assert PoolSettings().model_config(np.zeros((3, 1, 8, 8), np.uint8)).latent_dim == 16
