"""Which items are farther from their class than everything that a person has put there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core import class_outliers
from ml_backend.core.class_outliers import (
    FEWEST_LABELS,
    SHRINKAGE,
    ClassOutliers,
    Surroundings,
    mahalanobis,
)
from ml_backend.core.labels import LabelSet
from tests.core.random_pools import seeds

F = 8


def unit(points: NDArray[np.float64]) -> NDArray[np.float16]:
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True), np.float16)


def surroundings(points: NDArray[np.float64], k: int = 5) -> Surroundings:
    """Neighbours by brute force over points (N, F)."""
    rows = unit(points)
    cosine = rows.astype(np.float32) @ rows.astype(np.float32).T
    np.fill_diagonal(cosine, -np.inf)
    return Surroundings.of(rows, np.argsort(-cosine, axis=1)[:, :k].astype(np.int32))


def two_classes_and_a_hidden_group(seed: int = 0) -> tuple[Surroundings, NDArray[np.int64]]:
    """100 items each of two classes; ten more (group 2) lie beside the first, in a direction of their own."""
    rng = np.random.default_rng(seed)
    group = np.repeat([0, 1, 2], [100, 100, 10])
    centres = np.zeros((3, F))
    centres[0, 0] = centres[1, 1] = centres[2, 0] = 4.0
    centres[2, 2] = 2.0
    return surroundings(centres[group] + 0.4 * rng.normal(size=(len(group), F))), group


def labels_of(rows: NDArray[np.integer], answers: NDArray[np.integer], n_classes: int = 3) -> LabelSet:
    names = tuple(f"class {i}" for i in range(n_classes))
    return LabelSet("kind", names, np.asarray(rows, np.int64), np.eye(n_classes)[answers])


def some_of_both(count: int = FEWEST_LABELS) -> NDArray[np.int64]:
    return np.concatenate([np.arange(count // 2), 100 + np.arange(count - count // 2)])


everything = np.ones(210, bool)


def test_the_hidden_group_is_what_is_asked_about_first() -> None:
    pool, group = two_classes_and_a_hidden_group()
    rows = some_of_both()
    found = ClassOutliers.of(pool, labels_of(rows, group[rows]))
    assert set(found.predicted[group == 2].tolist()) == {0}
    assert group[found.candidates(everything)[0]] == 2


def test_once_the_group_has_labels_of_its_own_it_stands_apart_no_longer() -> None:
    pool, group = two_classes_and_a_hidden_group()
    hidden, rows = np.flatnonzero(group == 2), some_of_both()
    before = ClassOutliers.of(pool, labels_of(rows, group[rows]))
    rows = np.concatenate([rows, hidden[:3]])
    after = ClassOutliers.of(pool, labels_of(rows, group[rows]))
    gain = [s.distance[hidden[3:]] - s.confirmed[s.predicted[hidden[3:]]] for s in (before, after)]
    assert gain[0].mean() > 0.0 > gain[1].mean()


def test_a_class_whose_farthest_item_is_confirmed_is_done() -> None:
    """Somebody says that the hidden group does belong to the class: it is not asked about again."""
    pool, group = two_classes_and_a_hidden_group()
    hidden = np.flatnonzero(group == 2)
    rows = some_of_both()
    answers = group[rows]
    farthest = hidden[ClassOutliers.of(pool, labels_of(rows, answers)).distance[hidden].argmax()]
    rows, answers = np.append(rows, farthest), np.append(answers, 0)
    found = ClassOutliers.of(pool, labels_of(rows, answers))
    is_open = ~np.isin(np.arange(210), rows)
    asked = found.candidates(is_open)
    assert not (found.predicted[asked] == 0).any()


@given(seeds)
def test_each_class_is_asked_about_once_by_what_exceeds_its_confirmed_items_most(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, n_classes = 60, 4
    predicted = rng.integers(0, n_classes, n)
    distance = rng.normal(size=n).astype(np.float32)
    confirmed = np.append(rng.normal(size=n_classes - 1), -np.inf).astype(np.float32)
    is_open = rng.random(n) < 0.5
    asked = ClassOutliers(predicted, distance, confirmed).candidates(is_open)
    gain = distance - confirmed[predicted]
    assert is_open[asked].all()
    assert len(set(predicted[asked].tolist())) == len(asked)
    assert np.all(np.diff(gain[asked]) <= 0.0)
    for c in range(n_classes):
        of_class = gain[is_open & (predicted == c)]
        expected = of_class.max(initial=-np.inf)
        assert gain[asked[predicted[asked] == c]].tolist() == ([expected] if expected > 0.0 else [])


@given(seeds, st.integers(1, 5))
def test_mahalanobis_is_the_closed_form(seed: int, n_groups: int) -> None:
    rng = np.random.default_rng(seed)
    rows = unit(rng.normal(size=(80, F)) + 0.5)
    groups = rng.integers(0, n_groups, len(rows))
    x = rows.astype(np.float64)
    apart = (
        x
        - np.array([x[groups == g].mean(axis=0) if (groups == g).any() else 0 * x[0] for g in range(n_groups)])[groups]
    )
    scatter = apart.T @ apart / len(x)
    shrunk = (1 - SHRINKAGE) * scatter + SHRINKAGE * np.trace(scatter) / F * np.eye(F)
    expected = np.einsum("ij,jk,ik->i", apart, np.linalg.inv(shrunk), apart)
    np.testing.assert_allclose(mahalanobis(rows, groups, n_groups), expected, rtol=1e-3, atol=1e-3)


def test_rows_that_do_not_differ_are_no_distance_apart() -> None:
    rows = unit(np.ones((5, F)))
    np.testing.assert_array_equal(mahalanobis(rows, np.zeros(5, np.int64), 1), 0.0)


def test_who_has_no_neighbours_is_averaged_with_nobody() -> None:
    rows = unit(np.eye(4, F))
    alone = Surroundings.of(rows, np.array([[1, 2], [0, -1], [-1, -1], [-1, -1]], np.int32))
    values = np.array([0.0, 3.0, 6.0, 1.0], np.float32)
    np.testing.assert_allclose(alone.averaged(values), [3.0, 1.5, 6.0, 1.0])
    np.testing.assert_allclose(alone.smoothed[0], 0.5 * rows[0] + 0.25 * (rows[1] + rows[2]))


def test_classes_without_a_label_are_nobodys() -> None:
    pool, group = two_classes_and_a_hidden_group()
    rows = some_of_both()
    found = ClassOutliers.of(pool, labels_of(rows, np.array([1, 4])[group[rows]], n_classes=6))
    assert set(found.predicted.tolist()) <= {1, 4}
    assert np.isneginf(found.confirmed[[0, 2, 3, 5]]).all()


def test_where_one_class_is_all_there_is_nothing_is_far_from_it() -> None:
    pool, group = two_classes_and_a_hidden_group()
    rows = np.arange(FEWEST_LABELS)
    found = ClassOutliers.of(pool, labels_of(rows, group[rows], n_classes=1))
    np.testing.assert_array_equal(found.distance, 0.0)
    assert not len(found.candidates(everything))


def test_a_labelled_item_is_of_the_class_that_a_person_gave_it() -> None:
    pool, group = two_classes_and_a_hidden_group()
    rows = some_of_both()
    answers = group[rows].copy()
    answers[0] = 1  # a regression of the others would say 0
    found = ClassOutliers.of(pool, labels_of(rows, answers))
    assert found.predicted[0] == 1
    assert found.confirmed[1] >= found.distance[0] > np.median(found.distance)


def test_whom_two_annotators_put_into_two_classes_is_confirmed_in_both() -> None:
    pool, group = two_classes_and_a_hidden_group()
    hidden, rows = np.flatnonzero(group == 2), some_of_both()
    labels = labels_of(rows, group[rows])
    split = np.array([[0.6, 0.0, 0.4]])
    labels = LabelSet("kind", labels.classes, np.append(rows, hidden[0]), np.concatenate([labels.targets, split]))
    found = ClassOutliers.of(pool, labels)
    assert found.confirmed[2] == found.distance[hidden[0]]
    assert np.isfinite(found.confirmed).all()


def test_items_are_seen_with_their_neighbours() -> None:
    """An item that lies nearer to one class by itself has its neighbours in the other."""
    rows = unit(np.concatenate([np.tile([[1.0, 0.1]], (20, 1)), np.tile([[0.1, 1.0]], (20, 1)), [[0.9, 1.0]]]))
    near = np.zeros((41, 3), np.int32)
    near[20:40] = [20, 21, 22]
    near[40] = [0, 1, 2]
    answers = np.repeat([0, 1], 10)
    labels = labels_of(np.concatenate([np.arange(10), 20 + np.arange(10)]), answers, n_classes=2)
    assert ClassOutliers.of(Surroundings.of(rows, near), labels).predicted[40] == 0
    alone = Surroundings.of(rows, np.full((41, 3), -1, np.int32))
    assert ClassOutliers.of(alone, labels).predicted[40] == 1


def test_a_pool_may_be_larger_than_what_is_looked_at_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, group = two_classes_and_a_hidden_group()
    rows = some_of_both()
    at_once = ClassOutliers.of(pool, labels_of(rows, group[rows]))
    monkeypatch.setattr(class_outliers, "CHUNK", 7)
    again = Surroundings.of(pool.rows, pool.neighbours)
    np.testing.assert_array_equal(again.smoothed, pool.smoothed)
    in_parts = ClassOutliers.of(again, labels_of(rows, group[rows]))
    np.testing.assert_array_equal(in_parts.predicted, at_once.predicted)
    np.testing.assert_allclose(in_parts.distance, at_once.distance, rtol=1e-3, atol=1e-3)
