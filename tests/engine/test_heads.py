"""The classifier beside the label store: fitted after a training, cached, kept for new items."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.core.head_answers import WEIGHT
from ml_backend.core.hyperparameters import RunConfig
from ml_backend.core.labels import LabelSet
from ml_backend.engine.heads import fit_heads, heads_state, restore_heads
from ml_backend.engine.pool import Pool, apply_store, fit_store, propagate
from ml_backend.engine.snapshot import Snapshot, load_description, save_description
from tests.engine.test_pool import DIMENSION, GROUPS, SETTINGS, items, label_set

X, GROUP = items()
LABELS = label_set(GROUP, per_group=4)


@pytest.fixture(scope="module")
def taught() -> Pool:
    pool = Pool.create(X, SETTINGS, seed=0)
    pool.train(RunConfig(epochs=1), [LABELS])
    return pool


@pytest.mark.slow
def test_a_description_after_training_carries_the_heads_answers_and_uses_them(taught: Pool) -> None:
    description = taught.describe()
    alone = replace(description, heads={})
    with_head, without = propagate(description, LABELS), propagate(alone, LABELS)
    assert np.array_equal(with_head.p_max, without.p_max)
    assert not np.array_equal(with_head.confidence, without.confidence)
    assert (with_head.label == GROUP).mean() >= (without.label == GROUP).mean()


def test_nothing_is_fitted_before_a_training_or_with_too_few_labels() -> None:
    pool = Pool.create(X, SETTINGS, seed=0)
    assert pool.describe().heads == {}
    few = replace(LABELS, rows=LABELS.rows[:4], targets=LABELS.targets[:4])
    assert fit_heads(pool.describe(), [few], lambda rows: X[rows], None) == ()


def test_a_head_can_be_taught_without_training_the_model() -> None:
    pool = Pool.create(X, SETTINGS, seed=0)
    before = pool.describe()
    pool.teach([LABELS])
    after = pool.describe()
    assert after.heads[LABELS.name].classes == LABELS.classes
    assert np.array_equal(after.responsibilities.values, before.responsibilities.values)
    assert pool.model.epochs_done == 0


def test_the_cached_answer_of_a_labelled_item_has_not_seen_its_label() -> None:
    pool = Pool.create(X, SETTINGS, seed=0)
    wrong = LABELS.targets.copy()
    wrong[0] = np.eye(GROUPS)[(LABELS.targets[0].argmax() + 1) % GROUPS]
    flipped = replace(LABELS, targets=wrong)
    (fitted,) = fit_heads(pool.describe(), [flipped], lambda rows: X[rows], None)
    assert fitted.honest[0].argmax() == LABELS.targets[0].argmax()
    assert propagate(pool.describe(), flipped).store.suspicion.argmax() == 0


def test_what_the_others_say_of_an_item_does_not_depend_on_its_own_label() -> None:
    """1 - suspicion is p of the given label: over all labels that an item may get it sums to 1 if p stays the same."""
    pool = Pool.create(X, SETTINGS, seed=0)
    (fitted,) = fit_heads(pool.describe(), [LABELS], lambda rows: X[rows], None)
    head = fitted.answers(lambda rows: X[rows], len(X), of_pool=True)
    description = replace(pool.describe(), heads={"kind": head})
    few = np.flatnonzero((GROUP[LABELS.rows] != 5) | (np.arange(len(LABELS.rows)) % 4 == 0))  # one of group 5
    for kept in (np.arange(len(LABELS.rows)), few):
        for item in (0, len(kept) // 2, int(np.flatnonzero(GROUP[LABELS.rows[kept]] == 5)[0])):
            stores = [fit_store(description, _given(kept, item, answer)) for answer in range(GROUPS)]
            total = sum(1.0 - float(store.suspicion[item]) for store in stores)
            assert total == pytest.approx(1.0, abs=1e-5)
            assert len({int(store.left_out[item]) for store in stores}) == 1


def _given(kept: NDArray[np.int64], item: int, answer: int) -> LabelSet:
    """The kept ones of LABELS, one of them with another answer."""
    targets = LABELS.targets[kept].copy()
    targets[item] = np.eye(GROUPS)[answer]
    return replace(LABELS, rows=LABELS.rows[kept], targets=targets)


@pytest.mark.parametrize("listed", [1.0, 0.2])
def test_an_item_hears_its_head_as_long_as_no_label_has_changed(listed: float) -> None:
    """Compared without its own label on one side alone, the head would be played down for labelled items only. And it
    speaks of items that fit no component (little of r is on those that are listed) as of all others.
    """
    pool = Pool.create(X, SETTINGS, seed=0)
    r = pool.describe().responsibilities
    seen = replace(pool.describe(), responsibilities=replace(r, log_r=r.log_r + np.float32(np.log(listed))))
    (fitted,) = fit_heads(seen, [LABELS], lambda rows: X[rows], None)
    head = fitted.answers(lambda rows: X[rows], len(X), of_pool=True)
    sure = replace(head, values=np.zeros_like(head.values))
    sure.values[:, 0], sure.indices[:, 0] = 1.0, GROUPS - 1  # a head that names the last class for everything
    described = replace(seen, heads={"kind": sure})
    assert (propagate(described, LABELS).label == GROUPS - 1).all()
    store = fit_store(described, LABELS)
    assert (store.left_out == GROUPS - 1).all()
    last = LABELS.targets[:, GROUPS - 1] > 0
    assert (store.suspicion[~last] > WEIGHT - 1e-4).all()
    assert (store.current > 1.0 - 1e-5).all()


def test_a_head_that_was_kept_without_what_it_learnt_is_left_out(taught: Pool) -> None:
    state = heads_state(taught._heads)
    assert restore_heads({name: value for name, value in state.items() if not name.endswith(".targets")}) == ()


def test_a_publication_keeps_what_the_head_says_and_what_it_learnt(taught: Pool, tmp_path: Path) -> None:
    described = taught.describe()
    path = save_description(tmp_path, "d", Snapshot(np.arange(len(X)), described), encoder="none")
    loaded = load_description(path).description
    assert described.component_cosines is not None
    np.testing.assert_array_equal(loaded.component_cosines, described.component_cosines)
    assert described.copies is not None
    np.testing.assert_array_equal(loaded.copies, described.copies)
    assert described.directions is not None
    np.testing.assert_array_equal(loaded.directions, described.directions)
    kept, head = loaded.heads["kind"], described.heads["kind"]
    assert kept.classes == head.classes
    for name in ("indices", "values", "rows", "targets"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(head, name))


def test_new_items_are_answered_by_the_same_head_after_a_restart(taught: Pool) -> None:
    new, group = items(20, seed=9)
    described = taught.describe()
    store = fit_store(described, LABELS)
    restored = Pool.restore(X, SETTINGS, taught.state())
    answers = [apply_store(store, p.describe_new(new), rows=None) for p in (taught, restored)]
    assert np.array_equal(answers[0].confidence, answers[1].confidence)
    assert (answers[0].label == group).mean() > 0.9
    again = restore_heads(heads_state(taught._heads))
    assert [h.name for h in again] == ["kind"]
    assert np.array_equal(restored.describe().heads["kind"].values, described.heads["kind"].values)


def test_the_first_label_of_a_new_class_counts_at_once_though_the_head_has_not_learnt_it() -> None:
    """Two labelled groups, and a third beside the first of them, all of several components."""
    group = np.repeat(np.arange(3), 200)
    angle = np.deg2rad(45)
    centres = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [np.cos(angle), np.sin(angle), 0.0]])
    noise = np.random.default_rng(0).normal(size=(len(group), DIMENSION))
    x = (np.pad(centres[group], ((0, 0), (0, DIMENSION - 3))) + 0.15 * noise).astype(np.float32)
    description = Pool.create(x, replace(SETTINGS, n_components=60), seed=0).describe()

    def labels(rows: list[int]) -> LabelSet:
        return LabelSet("kind", ("a", "b", "new"), np.array(rows), np.eye(3)[group[rows]])

    old = [*range(20), *range(200, 220)]
    (head,) = fit_heads(description, [labels(old)], lambda rows: x[rows], None)
    taught = replace(description, heads={"kind": head.answers(lambda rows: x[rows], len(x), of_pool=True)})
    right = propagate(taught, labels([*old, 400])).label == group
    assert right[group == 2].mean() > 0.5
    assert right[group < 2].mean() > 0.9


@pytest.mark.slow
def test_a_pool_in_which_everything_is_labelled_has_a_head_too() -> None:
    pool = Pool.create(X[:80], SETTINGS, seed=0)
    everything = replace(LABELS, rows=np.arange(80), targets=np.eye(GROUPS)[GROUP[:80]])
    pool.train(RunConfig(epochs=1), [everything])
    description = pool.describe()
    assert "kind" in description.heads
    assert (propagate(description, everything).label == GROUP[:80]).mean() > 0.9
