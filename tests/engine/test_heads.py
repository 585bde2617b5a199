"""The classifier beside the label store: fitted after a training, cached, kept for new items."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml_backend.core.hyperparameters import RunConfig
from ml_backend.core.labels import LabelSet
from ml_backend.engine.heads import fit_heads, heads_state, restore_heads
from ml_backend.engine.pool import Pool, apply_store, fit_store, propagate
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


def test_the_cached_answer_of_a_labelled_item_has_not_seen_its_label() -> None:
    pool = Pool.create(X, SETTINGS, seed=0)
    wrong = LABELS.targets.copy()
    wrong[0] = np.eye(GROUPS)[(LABELS.targets[0].argmax() + 1) % GROUPS]
    flipped = replace(LABELS, targets=wrong)
    (fitted,) = fit_heads(pool.describe(), [flipped], lambda rows: X[rows], None)
    assert fitted.honest[0].argmax() == LABELS.targets[0].argmax()
    assert propagate(pool.describe(), flipped).store.suspicion.argmax() == 0


def test_new_items_are_answered_by_the_same_head_after_a_restart(taught: Pool) -> None:
    new, group = items(20, seed=9)
    described = taught.describe()
    store = fit_store(described, LABELS)
    restored = Pool.restore(X, SETTINGS, taught.state())
    answers = [apply_store(store, p.describe_new(new)) for p in (taught, restored)]
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
