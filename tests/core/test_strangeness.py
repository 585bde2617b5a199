"""Which items stand apart from everything that a person has confirmed in their class."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.core.labels import LabelSet
from ml_backend.core.strangeness import (
    FEWEST_LABELS,
    SHRINKAGE,
    Strangeness,
    Surroundings,
    mahalanobis,
    strange_items,
)
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
    strange = Strangeness.of(pool, labels_of(rows, group[rows]))
    assert set(strange.apparent[group == 2].tolist()) == {0}
    assert group[strange.candidates(everything)[0]] == 2


def test_once_the_group_has_labels_of_its_own_it_stands_apart_no_longer() -> None:
    pool, group = two_classes_and_a_hidden_group()
    hidden, rows = np.flatnonzero(group == 2), some_of_both()
    before = Strangeness.of(pool, labels_of(rows, group[rows]))
    rows = np.concatenate([rows, hidden[:3]])
    after = Strangeness.of(pool, labels_of(rows, group[rows]))
    gain = [s.distance[hidden[3:]] - s.confirmed[s.apparent[hidden[3:]]] for s in (before, after)]
    assert gain[0].mean() > 0.0 > gain[1].mean()


def test_a_class_whose_strangest_item_is_confirmed_is_done() -> None:
    """Somebody says that the hidden group does belong to the class: it is not asked about again."""
    pool, group = two_classes_and_a_hidden_group()
    hidden = np.flatnonzero(group == 2)
    rows = some_of_both()
    answers = group[rows]
    strangest = hidden[Strangeness.of(pool, labels_of(rows, answers)).distance[hidden].argmax()]
    rows, answers = np.append(rows, strangest), np.append(answers, 0)
    strange = Strangeness.of(pool, labels_of(rows, answers))
    is_open = ~np.isin(np.arange(210), rows)
    asked = strange.candidates(is_open)
    assert not (strange.apparent[asked] == 0).any()


@given(seeds)
def test_each_class_is_asked_about_once_by_what_exceeds_its_confirmed_items_most(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, n_classes = 60, 4
    apparent = rng.integers(0, n_classes, n)
    distance = rng.normal(size=n).astype(np.float32)
    confirmed = np.append(rng.normal(size=n_classes - 1), -np.inf).astype(np.float32)
    is_open = rng.random(n) < 0.5
    asked = Strangeness(apparent, distance, confirmed).candidates(is_open)
    gain = distance - confirmed[apparent]
    assert is_open[asked].all()
    assert len(set(apparent[asked].tolist())) == len(asked)
    assert np.all(np.diff(gain[asked]) <= 0.0)
    for c in range(n_classes):
        of_class = gain[is_open & (apparent == c)]
        expected = of_class.max(initial=-np.inf)
        assert gain[asked[apparent[asked] == c]].tolist() == ([expected] if expected > 0.0 else [])


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
    np.testing.assert_allclose(alone.around[0], 0.5 * rows[0] + 0.25 * (rows[1] + rows[2]))


def test_classes_without_a_label_are_nobodys() -> None:
    pool, group = two_classes_and_a_hidden_group()
    rows = some_of_both()
    strange = Strangeness.of(pool, labels_of(rows, np.array([1, 4])[group[rows]], n_classes=6))
    assert set(strange.apparent.tolist()) <= {1, 4}
    assert np.isneginf(strange.confirmed[[0, 2, 3, 5]]).all()


@pytest.mark.parametrize("enough", [True, False])
def test_nothing_is_strange_before_there_are_labels_enough(enough: bool) -> None:
    pool, group = two_classes_and_a_hidden_group()
    rows = some_of_both(FEWEST_LABELS - (not enough))
    asked = strange_items(pool, labels_of(rows, group[rows]), everything)
    assert bool(len(asked)) == enough
    assert not len(strange_items(None, labels_of(rows, group[rows]), everything))


def test_where_one_class_is_all_there_is_nothing_is_strange_for_what_it_is() -> None:
    pool, group = two_classes_and_a_hidden_group()
    rows = np.arange(FEWEST_LABELS)
    strange = Strangeness.of(pool, labels_of(rows, group[rows], n_classes=1))
    np.testing.assert_array_equal(strange.distance, 0.0)
    assert not len(strange.candidates(everything))
