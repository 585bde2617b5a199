"""The classifier beside the label store."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.core import head
from ml_backend.core.head import PROTOTYPE_SHARPNESS, ClassHead, Lesson
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


def hesitant_answers(seed: int) -> tuple[Lesson, NDArray[np.int64]]:
    """A large class and two small ones; answers that favour the right one by a tenth, or wrongly the large one."""
    random = np.random.default_rng(seed)
    y = np.repeat([0, 1, 2], [240, 60, 60])
    centres = np.zeros((3, 12))
    centres[:, 0], centres[[0, 1, 2], [1, 2, 3]] = 1.0, 0.8
    x = unit(centres[y] + 0.15 * random.normal(size=(len(y), 12)))
    misled = (y > 0) & (random.random(len(y)) < 0.4)
    p = np.full((len(y), 3), 0.3, np.float32)
    p[np.arange(len(y)), np.where(misled, 0, y)] = 0.4
    return Lesson(x, p, np.zeros(len(y), bool)), y


@pytest.mark.parametrize("seed", range(3))
def test_steps_of_em_find_the_classes_that_hesitant_answers_blur(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson, y = hesitant_answers(seed)
    centres = unit(np.stack([lesson.features[y == c].mean(axis=0) for c in range(3)]))
    stepped = ClassHead.fit(lesson)
    monkeypatch.setattr(head, "PROTOTYPE_STEPS", 0)
    blurred = ClassHead.fit(lesson)
    nearness = [(one.prototypes.T * centres).sum(axis=1).min() for one in (blurred, stepped)]
    assert nearness[0] < 0.8
    assert nearness[1] > 0.9
    surely = [one.probabilities(lesson.features)[np.arange(len(y)), y].mean() for one in (blurred, stepped)]
    assert surely[1] > surely[0] + 0.15


def test_prototypes_are_three_steps_of_em_from_the_soft_means_and_peoples_answers_stay() -> None:
    """E: softmax of 20 cosines times the answer, but a person's answer as it is; M: means on the sphere."""
    lesson, _ = hesitant_answers(0)
    lesson.labelled[::5] = True
    prototypes = unit(lesson.p.T.astype(np.float64) @ lesson.features)
    for _ in range(3):
        own = np.exp(20.0 * lesson.features @ prototypes.T) * lesson.p
        own = np.where(lesson.labelled[:, None], lesson.p, own / own.sum(axis=1, keepdims=True))
        prototypes = unit(own.T @ lesson.features)
    np.testing.assert_allclose(ClassHead.fit(lesson).prototypes.T, prototypes, atol=1e-4)


def test_a_head_is_half_a_linear_softmax_and_half_one_over_prototypes() -> None:
    lesson, _ = hesitant_answers(1)
    fitted = ClassHead.fit(lesson)

    def softmax(logits: NDArray[np.floating]) -> NDArray[np.floating]:
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(e / e.sum(axis=1, keepdims=True))

    linear = softmax((lesson.features - fitted.mean) @ fitted.directions @ fitted.weights + fitted.bias)
    nearest = softmax(PROTOTYPE_SHARPNESS * lesson.features @ fitted.prototypes)
    np.testing.assert_allclose(fitted.probabilities(lesson.features), (linear + nearest) / 2, atol=1e-5)


def test_the_linear_part_is_where_the_gradient_of_the_weighted_loss_vanishes() -> None:
    """Labels weigh 1, the sample .1, half the squared coefficients 1/30: there is one stationary point."""
    lesson, y = hesitant_answers(2)
    lesson.labelled[::6] = True
    lesson.p[::6] = np.eye(3)[y[::6]]
    fitted = ClassHead.fit(lesson)
    rows = ((lesson.features - fitted.mean) @ fitted.directions).astype(np.float64)
    logits = rows @ fitted.weights + fitted.bias
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wrong = (p - lesson.p) * np.where(lesson.labelled, 1.0, 0.1)[:, None]
    assert np.abs(rows.T @ wrong + fitted.weights / 30).max() < 0.02
    assert np.abs(wrong.sum(axis=0)).max() < 0.02
    assert np.abs(fitted.weights).max() > 1.0
