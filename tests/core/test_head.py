"""The classifier beside the label store."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.core.head import ClassHead, Lesson
from ml_backend.errors import InputError


def unit(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def two_elongated_classes(n: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Classes that differ in one direction and spread far in another."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, n)
    rows = random.normal(size=(n, 6)) * [0.1, 2.0, 0.1, 0.1, 0.1, 0.1]
    rows[:, 0] += 2.0 * y - 1.0
    rows[:, 5] += 3.0
    return unit(rows), y


def test_a_head_gives_distributions_and_learns_a_linear_boundary() -> None:
    x, y = two_elongated_classes(400, seed=0)
    head = ClassHead.fit(Lesson(x[:200], np.eye(2, dtype=np.float32)[y[:200]], np.ones(200, bool)))
    p = head.probabilities(x[200:])
    assert np.allclose(p.sum(axis=1), 1.0, atol=1e-5)
    assert (p.argmax(axis=1) == y[200:]).mean() > 0.95


def test_propagated_labels_teach_what_few_labels_alone_cannot() -> None:
    x, y = two_elongated_classes(600, seed=1)
    few = np.array([int(np.flatnonzero(y == c)[i]) for c in (0, 1) for i in range(2)])
    alone = ClassHead.fit(Lesson(x[few], np.eye(2, dtype=np.float32)[y[few]], np.ones(4, bool)))
    sample = np.arange(300)
    spread = np.where(np.eye(2)[y[sample]] > 0, 0.8, 0.2).astype(np.float32)
    p = np.concatenate([np.eye(2, dtype=np.float32)[y[few]], spread])
    taught = ClassHead.fit(Lesson(np.concatenate([x[few], x[sample]]), p, np.arange(304) < 4))
    right = [(h.probabilities(x[300:]).argmax(axis=1) == y[300:]).mean() for h in (alone, taught)]
    assert right[1] > 0.95
    assert right[1] > right[0]


def test_fitting_is_deterministic_and_arrays_hold_everything() -> None:
    x, y = two_elongated_classes(100, seed=2)
    lesson = Lesson(x, np.eye(2, dtype=np.float32)[y], np.ones(100, bool))
    first, second = ClassHead.fit(lesson), ClassHead.of_arrays(ClassHead.fit(lesson).arrays())
    assert np.array_equal(first.probabilities(x), second.probabilities(x))


def test_a_lesson_has_as_many_answers_as_features() -> None:
    with pytest.raises(InputError, match="features"):
        Lesson(np.ones((3, 2), np.float32), np.ones((2, 2), np.float32), np.ones(3, bool))
