"""The demo's notifications: enough kinds and rephrasings, a truth that holds, the same for the same seed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from ml_backend.data.encoders import build_encoder
from ml_backend.data.notifications import NEEDS_ACTION, SOMETHING_ELSE, TAGS, group_kinds, kinds, make_notifications
from tests.data.encoded import vectors

MADE = make_notifications(2000, seed=3)


def test_the_same_seed_gives_the_same_and_another_gives_others() -> None:
    assert make_notifications(50, seed=1) == make_notifications(50, seed=1)
    assert make_notifications(50, seed=1) != make_notifications(50, seed=2)


@pytest.mark.parametrize("n", [1, 2, 30, 500])
def test_it_makes_as_many_as_asked(n: int) -> None:
    assert len(make_notifications(n, seed=0)) == n


def test_duplicates_are_rare() -> None:
    assert len({made["text"] for made in MADE}) >= 0.99 * len(MADE)


def test_there_are_many_kinds_and_no_slot_is_left_open() -> None:
    assert len(kinds()) >= 12
    assert not [made["text"] for made in MADE if "{" in made["text"] or "}" in made["text"]]
    assert {made["label"] for made in MADE} == {*kinds(), *group_kinds(), SOMETHING_ELSE}


def test_ordinary_kinds_group_and_outliers_have_their_shares() -> None:
    rare = [made for made in MADE if made["rare"]]
    group = [made for made in MADE if made["group"]]
    assert len(rare) == 24
    assert {made["label"] for made in rare} == {SOMETHING_ELSE}
    assert len(group) == 60
    assert {made["label"] for made in group} == set(group_kinds())
    counts = Counter(made["label"] for made in MADE if not made["rare"] and not made["group"])
    assert set(counts) == set(kinds())
    assert min(counts.values()) > 2 * len(rare) / len({made["text"] for made in rare})


def test_tags_are_known_ordered_and_follow_the_kind() -> None:
    for made in MADE:
        assert made["tags"] == [tag for tag in TAGS if tag in made["tags"]]
    by_kind = {kind: [made["tags"] for made in MADE if made["label"] == kind] for kind in kinds()}
    assert all("security" in tags for tags in by_kind["login"])
    assert all("money" in tags for tags in by_kind["payment"])
    assert all(NEEDS_ACTION in tags for tags in by_kind["disk failure"])
    for kind in ("battery", "update", "meeting"):
        share = np.mean([NEEDS_ACTION in tags for tags in by_kind[kind]])
        assert 0.2 < share < 0.9, kind


def test_the_kinds_can_be_learned_and_the_outliers_stand_apart() -> None:
    x = vectors(build_encoder("text").encode([made["text"] for made in MADE]))
    labels = np.array([made["label"] for made in MADE])
    accuracy = KNeighborsClassifier(5, metric="cosine").fit(x[:500], labels[:500]).score(x[500:], labels[500:])
    assert accuracy > 0.85
    similar = x @ x.T
    np.fill_diagonal(similar, -1)
    closest_five = np.sort(similar, axis=1)[:, -5:].mean(axis=1)
    rare = np.array([made["rare"] for made in MADE])
    assert np.median(closest_five[rare]) < np.quantile(closest_five[~rare], 0.02)
