"""A head's cached answers joined with a label store."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core.head_answers import KEPT, WEIGHT, HeadAnswers

CLASSES = ("a", "b", "c")
ALL = np.ones(3, bool)


def current(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def answers(n: int, seed: int, classes: tuple[str, ...] = CLASSES) -> tuple[HeadAnswers, NDArray[np.float32]]:
    """It has learnt from two rows."""
    random = np.random.default_rng(seed)
    p = random.dirichlet(np.ones(len(classes)), size=n).astype(np.float32)
    learnt = random.random((2, len(classes))).astype(np.float32)
    return HeadAnswers.of(classes, p, np.array([4, 7]), learnt), p


@given(st.integers(0, 1000), st.permutations(CLASSES))
def test_blending_is_the_weighted_mean_whatever_the_order_of_classes(seed: int, order: list[str]) -> None:
    said, p = answers(6, seed)
    place = [order.index(name) for name in CLASSES]
    mixture = np.random.default_rng(seed + 1).dirichlet(np.ones(3), size=6)
    blended = mixture.copy()
    said.joined(tuple(order), ALL, np.ones(6, np.float32)).blend(blended)
    expected = (1 - WEIGHT) * mixture
    expected[:, place] += WEIGHT * p
    assert np.allclose(blended, expected, atol=1e-5)


@given(st.integers(0, 1000))
def test_rows_go_on_summing_to_one_with_classes_that_came_or_went(seed: int) -> None:
    said, _ = answers(5, seed)
    now, random = ("b", "d"), np.random.default_rng(seed)
    blended = random.dirichlet(np.ones(2), size=5)
    said.joined(now, np.ones(2, bool), random.random(5).astype(np.float32)).blend(blended)
    assert np.allclose(blended.sum(axis=1), 1.0, atol=1e-5)
    assert (blended >= 0).all()


def test_a_head_is_as_silent_as_its_components_have_changed_since_it_learnt() -> None:
    said, _ = answers(4, 0)
    still = current(0.25, 1.0, 0.5, 0.0)
    assert np.allclose(said.joined(CLASSES, ALL, still).weight, WEIGHT * still, atol=1e-5)
    joined = said.joined(CLASSES, np.array([True, True, False]), np.ones(4, np.float32))
    kept = np.where(said.indices < 2, said.values, 0.0).sum(axis=1)  # the last class has lost its labels
    assert np.allclose(joined.weight, WEIGHT * kept, atol=1e-5)


def test_what_it_has_learnt_in_the_order_of_other_classes() -> None:
    said, _ = answers(2, 0)
    assert np.array_equal(said.learnt(("d", "c", "a")), np.column_stack([np.zeros(2), said.targets[:, [2, 0]]]))


def test_only_the_most_probable_classes_are_kept() -> None:
    names = tuple(f"class {i}" for i in range(20))
    said, p = answers(3, 0, names)
    assert said.indices.shape == (3, KEPT)
    assert np.array_equal(said.indices[:, 0], p.argmax(axis=1))
    joined = said.joined(names, np.ones(20, bool), np.ones(3, np.float32))
    assert np.allclose(joined.shares.sum(axis=1), WEIGHT, atol=1e-5)


def test_a_class_without_labels_is_no_longer_named() -> None:
    said, p = answers(6, 1)
    joined = said.joined(CLASSES, np.array([True, False, True]), np.ones(6, np.float32))
    assert not joined.shares[joined.indices == 1].any()
    assert np.allclose(joined.weight, WEIGHT * (1.0 - p[:, 1]), atol=1e-5)


@given(st.integers(0, 1000))
def test_the_classes_that_are_named_may_differ_between_items(seed: int) -> None:
    said, _ = answers(6, seed)
    named, still = np.random.default_rng(seed).random((6, 4)) < 0.6, np.ones(6, np.float32)
    order = ("d", "c", "b", "a")
    together, alone = np.zeros((6, 4)), np.zeros((6, 4))
    said.joined(order, named, still).blend(together)
    for i in range(6):
        said.take(np.array([i])).joined(order, named[i], still[:1]).blend(alone[i : i + 1])
    assert np.allclose(together, alone)
    assert not together[~named].any()
