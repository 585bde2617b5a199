"""A head's cached answers joined with a label store."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core.head_answers import KEPT, WEIGHT, HeadAnswers
from ml_backend.core.responsibilities import SparseResponsibilities

CLASSES = ("a", "b", "c")


def current(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def responsibilities(n: int, k: int, seed: int) -> SparseResponsibilities:
    logits = np.random.default_rng(seed).normal(size=(n, k)).astype(np.float32)
    return SparseResponsibilities.from_logits(logits, top_m=k, temperature=1.0)


def answers(n: int, k: int, seed: int, classes: tuple[str, ...] = CLASSES) -> tuple[HeadAnswers, NDArray[np.float32]]:
    random = np.random.default_rng(seed)
    p = random.dirichlet(np.ones(len(classes)), size=n).astype(np.float32)
    counts = random.random((k, len(classes))).astype(np.float32)
    return HeadAnswers.of(classes, p, counts), p


@given(st.integers(0, 1000), st.permutations(CLASSES))
def test_blending_is_the_weighted_mean_whatever_the_order_of_classes(seed: int, order: list[str]) -> None:
    said, p = answers(6, 4, seed)
    place = [order.index(name) for name in CLASSES]
    s = np.zeros((4, 3))
    s[:, place] = said.counts
    mixture = np.random.default_rng(seed + 1).dirichlet(np.ones(3), size=6)
    blended = mixture.copy()
    said.joined(tuple(order), s, current(1, 1, 1, 1), responsibilities(6, 4, seed)).blend(blended)
    expected = (1 - WEIGHT) * mixture
    expected[:, place] += WEIGHT * p
    assert np.allclose(blended, expected, atol=1e-5)


@given(st.integers(0, 1000))
def test_rows_go_on_summing_to_one_with_classes_that_came_or_went(seed: int) -> None:
    said, _ = answers(5, 4, seed)
    now, random = ("b", "d"), np.random.default_rng(seed)
    blended = random.dirichlet(np.ones(2), size=5)
    still = random.random(4).astype(np.float32)
    said.joined(now, random.random((4, 2)), still, responsibilities(5, 4, seed)).blend(blended)
    assert np.allclose(blended.sum(axis=1), 1.0, atol=1e-5)
    assert (blended >= 0).all()


def test_a_head_is_as_silent_as_its_components_have_changed_since_it_learnt() -> None:
    said, _ = answers(4, 2, 0)
    r = responsibilities(4, 2, 0)
    shares = r.values[np.arange(4)[:, None], np.argsort(r.indices, axis=1)]
    joined = said.joined(CLASSES, np.ones((2, 3)), current(0.25, 1.0), r)
    assert np.allclose(joined.weight, WEIGHT * (0.25 * shares[:, 0] + shares[:, 1]), atol=1e-5)
    joined = said.joined(CLASSES, np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), current(1.0, 1.0), r)
    kept = np.where(said.indices < 2, said.values, 0.0).sum(axis=1)  # the last class has lost its labels
    assert np.allclose(joined.weight, WEIGHT * kept, atol=1e-5)


def test_counts_in_the_order_of_other_classes() -> None:
    said, _ = answers(2, 3, 0)
    assert np.array_equal(said.counts_of(("d", "c", "a")), np.column_stack([np.zeros(3), said.counts[:, [2, 0]]]))


def test_only_the_most_probable_classes_are_kept() -> None:
    names = tuple(f"class {i}" for i in range(20))
    said, p = answers(3, 2, 0, names)
    assert said.indices.shape == (3, KEPT)
    assert np.array_equal(said.indices[:, 0], p.argmax(axis=1))
    joined = said.joined(names, said.counts.astype(np.float64), current(1, 1), responsibilities(3, 2, 0))
    assert np.allclose(joined.values.sum(axis=1), 1.0, atol=1e-5)


def test_a_class_without_labels_is_no_longer_named() -> None:
    said, p = answers(6, 3, 1)
    s = said.counts.astype(np.float64)
    s[:, 1] = 0.0
    joined = said.joined(CLASSES, s, current(1, 0.5, 1), responsibilities(6, 3, 1))
    named = np.where(joined.indices >= 0, joined.indices, -1)
    assert not (named == 1).any()
    assert (joined.weight <= WEIGHT * (1.0 - p[:, 1]) + 1e-5).all()
