"""When the batch turns from groups without a label to doubtful and to novel items."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml_backend.core.batch import Batch, Known, choose_batch, outlier_share
from ml_backend.core.description import PoolDescription
from ml_backend.core.responsibilities import SparseResponsibilities

N = 200


def one_large_group(size: int, n: int = N) -> PoolDescription:
    """Its items first, the others of n each alone on a component. Nobody has neighbours; the last is odd."""
    home = np.maximum(np.arange(n) - size + 1, 0)
    logits = np.where(np.eye(n + 1)[home] > 0, 40.0, 0.0).astype(np.float32)
    return PoolDescription(
        responsibilities=SparseResponsibilities.from_logits(logits, top_m=2, temperature=1.0),
        neighbours=np.full((n, 1), -1, np.int32),
        similarities=np.zeros((n, 1), np.float32),
        density=np.ones(n, np.float32),
        novelty=np.linspace(1.0, 0.1, n, dtype=np.float32),
        aleatoric=np.ones(n, np.float32),
    )


def chosen(
    pool: PoolDescription,
    labelled: list[int],
    sample_coverage: float,
    size: int,
    set_aside: tuple[int, ...] = (),
    absent: tuple[int, ...] = (),
    *,
    one_answer: bool = False,
) -> Batch:
    """one_answer: all labels are the same."""
    n = len(pool)
    asked, aside, gone = (np.isin(np.arange(n), rows) for rows in (labelled, set_aside, absent))
    answers = np.where(asked & one_answer, 0, np.arange(n))
    known = Known(1.0 - np.arange(n) / np.float64(n), np.zeros(n, np.float32), sample_coverage, answers)
    return choose_batch(pool, known, asked, aside, gone, size=size)


@pytest.mark.parametrize(("coverage", "settled"), [(0.0, 0.0), (0.25, 0.125), (0.64, 0.512), (1.0, 1.0)])
def test_confidence_counts_by_the_coverage_to_the_power_of_one_and_a_half(coverage: float, settled: float) -> None:
    nothing = np.zeros(3)
    assert Known(nothing, nothing.astype(np.float32), coverage, nothing.astype(np.int64)).settled == pytest.approx(
        settled
    )


@pytest.mark.parametrize(
    ("held", "sample_coverage", "share"),
    [
        (0.94, 0.0, 0.0),
        (0.97, 0.0, 0.4),
        (0.98, 0.0, 0.6),
        (1.0, 0.0, 1.0),
        (0.59, 1.0, 0.0),
        (0.75, 1.0, 0.5),
        (0.9, 1.0, 1.0),
    ],
)
def test_doubtful_items_share_the_batch_as_the_pool_comes_to_lie_on_components_with_a_label(
    held: float, sample_coverage: float, share: float
) -> None:
    """From 95 to 100 % of the pool while labels name new classes, from 60 to 90 % once they repeat."""
    batch = chosen(one_large_group(round(held * 1000), 1000), [0], sample_coverage, 20)
    assert len(batch.rows) == 20
    assert np.count_nonzero(batch.doubtful) == pytest.approx(share * 20, abs=1)


def test_every_twenty_fifth_place_is_the_most_novel_items() -> None:
    batch = chosen(one_large_group(20), [], 0.0, 60)
    novel = np.flatnonzero(~batch.representative & ~batch.doubtful)
    assert novel.tolist() == [24, 49]
    assert batch.rows[novel].tolist() == [199, 198]


def rare_items_among_copies() -> PoolDescription:
    """190 items on two components, then ten alone on theirs, which nothing else resembles (novelty 0)."""
    pool = one_large_group(1)
    home = np.concatenate([np.repeat([0, 1], 95), np.arange(2, 12)])
    logits = np.where(np.eye(N + 1)[home] > 0, 40.0, 0.0).astype(np.float32)
    return replace(
        pool,
        responsibilities=SparseResponsibilities.from_logits(logits, top_m=2, temperature=1.0),
        novelty=np.where(home < 2, 0.5, 0.0).astype(np.float32),
    )


def test_where_all_else_is_copies_what_was_never_seen_is_asked_about_in_its_turn() -> None:
    batch = chosen(rare_items_among_copies(), [], 0.0, 12)
    assert batch.representative.all()
    assert set(batch.rows[:2] // 95) == {0, 1}
    assert set(batch.rows[2:]) == set(range(190, 200))


def test_what_was_never_seen_is_asked_about_where_it_is_in_doubt() -> None:
    doubt = np.where(np.arange(N) >= 190, 1.0, 0.1)
    known = Known(doubt, np.zeros(N, np.float32), 1.0, np.arange(N))
    labelled = np.isin(np.arange(N), [0, 95])
    nobody = np.zeros(N, bool)
    batch = choose_batch(rare_items_among_copies(), known, labelled, nobody, nobody, size=10)
    assert set(batch.rows[batch.doubtful]) == set(range(190, 200))


def test_variants_of_a_labelled_group_wait_for_groups_that_nothing_resembles() -> None:
    """Ten components, nobody has neighbours: eight large ones are near-copies, two small ones are not."""
    pool = one_large_group(1)
    home = np.concatenate([np.repeat(np.arange(8), 23), np.repeat([8, 9], 8)])
    logits = np.where(np.eye(10)[home] > 0, 40.0, 0.0).astype(np.float32)
    alike = np.eye(10, dtype=np.float32)
    alike[:8, :8] = np.where(np.eye(8) > 0, 1.0, 0.98)
    variants = replace(
        pool,
        responsibilities=SparseResponsibilities.from_logits(logits, top_m=2, temperature=1.0),
        component_cosines=alike,
    )
    first = home[chosen(variants, [], 0.0, 3).rows]
    assert first[0] < 8
    assert set(first[1:]) == {8, 9}
    unknown = home[chosen(replace(variants, component_cosines=None), [], 0.0, 3).rows]
    assert set(unknown) < set(range(8))


@pytest.mark.parametrize(("cosine", "asked"), [(0.3, 5), (0.55, 5), (0.57, 1), (0.95, 1)])
def test_the_rare_may_share_a_batch_though_they_are_each_others_neighbours(cosine: float, asked: int) -> None:
    """Who is alone has neighbours all the same, and a label on one says nothing about the others."""
    rare = np.arange(N - 5, N)
    pool = one_large_group(N - 5)
    neighbours, similarities = np.full((N, 4), -1, np.int32), np.zeros((N, 4), np.float32)
    for item in rare:
        neighbours[item], similarities[item] = rare[rare != item], cosine
    pool = replace(pool, neighbours=neighbours, similarities=similarities)
    assert len(set(rare) & set(chosen(pool, [0], 0.0, N).rows)) == asked


def one_text_in_copies(count: int) -> PoolDescription:
    """`count` copies that all list the same few of them as neighbours, then N - count others, each alone."""
    pool = one_large_group(count)
    neighbours, similarities = np.full((N, 3), -1, np.int32), np.zeros((N, 3), np.float32)
    for item in range(count):
        neighbours[item] = [row for row in range(4) if row != item][:3]
        similarities[item] = 1.0
    places = np.maximum(np.arange(N) - count + 1, 0).astype(np.int32)
    return replace(pool, neighbours=neighbours, similarities=similarities, copies=places)


@pytest.mark.parametrize("sample_coverage", [0.0, 1.0])
def test_of_copies_one_is_asked_though_they_all_have_the_same_few_neighbours(sample_coverage: float) -> None:
    """Where everything is in doubt, too."""
    pool = one_text_in_copies(150)
    nothing, one = chosen(pool, [], sample_coverage, 50), chosen(pool, [140], sample_coverage, 50)
    assert np.count_nonzero(nothing.rows < 150) == 1
    assert np.count_nonzero(one.rows < 150) == 0


@pytest.mark.parametrize("densest", [0, 149])
def test_what_is_like_one_copy_waits_whichever_copy_was_asked(densest: int) -> None:
    """Item 150 lists copies 0 to 2; nobody else lists item 150."""
    pool = one_text_in_copies(150)
    pool.neighbours[150], pool.similarities[150] = [0, 1, 2], 0.97
    pool.density[:] = 0.5
    pool.density[densest] = 1.0
    rows = chosen(pool, [], 0.0, 50).rows
    assert rows[0] == densest
    assert 150 not in rows


def test_copies_wait_when_what_was_asked_is_like_one_of_them() -> None:
    """Item 150 lists the one of three copies that was deleted."""
    pool = one_text_in_copies(3)
    pool.neighbours[150], pool.similarities[150] = [0, -1, -1], [0.97, 0.0, 0.0]
    assert len(chosen(pool, [], 0.0, 9, absent=tuple(i for i in range(N) if i not in {1, 2, 150})).rows) == 1


def test_copies_of_what_was_set_aside_are_not_asked_instead_but_those_of_a_deleted_task_are() -> None:
    pool = one_text_in_copies(150)
    assert not (chosen(pool, [], 0.0, 50, set_aside=(7,)).rows < 150).any()
    assert np.count_nonzero(chosen(pool, [], 0.0, 50, absent=(7,)).rows < 150) == 1


def test_a_text_that_was_labelled_eleven_times_covers_no_more_than_labelled_once() -> None:
    """Components 0 (copies) and 1 at a cosine of .87, which covers a third; 40 others of one item each."""
    home = np.concatenate([np.zeros(60, int), np.ones(60, int), np.arange(2, 42)])
    n, logits = len(home), np.where(np.eye(42)[home] > 0, 40.0, 0.0).astype(np.float32)
    cosines = np.eye(42, dtype=np.float32)
    cosines[0, 1] = cosines[1, 0] = 0.87
    pool = replace(
        one_large_group(1, n),
        responsibilities=SparseResponsibilities.from_logits(logits, top_m=2, temperature=1.0),
        component_cosines=cosines,
        copies=np.maximum(np.arange(n) - 59, 0).astype(np.int32),
    )
    once, often = (chosen(pool, list(range(k)), 0.0, 1, one_answer=True).rows for k in (1, 11))
    assert home[once].tolist() == home[often].tolist() == [1]
    own_texts = replace(pool, copies=None)
    assert home[chosen(own_texts, list(range(11)), 0.0, 1, one_answer=True).rows] > 1


@pytest.mark.parametrize(
    ("sample_coverage", "share"), [(0.0, 0.0), (0.2, 0.4), (0.5, 1.0), (0.8, 1.0), (0.9, 0.6), (0.95, 0.3), (1.0, 0.0)]
)
def test_outliers_of_classes_have_their_share_once_labels_repeat_and_until_hardly_one_names_a_new_class(
    sample_coverage: float, share: float
) -> None:
    assert outlier_share(sample_coverage) == pytest.approx(share)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_outliers_of_classes_are_asked_about_in_their_order(share: float) -> None:
    pool, outliers = one_large_group(1), np.arange(100, 180)
    asked, nobody = np.isin(np.arange(N), [0]), np.zeros(N, bool)
    known = Known(np.zeros(N), np.zeros(N, np.float32), 0.5, np.arange(N), outliers, share)
    batch = choose_batch(pool, known, asked, nobody, nobody, size=20)
    count = np.count_nonzero(batch.class_outlier)
    assert count == pytest.approx(share * 20, abs=1)
    assert batch.rows[batch.class_outlier].tolist() == outliers[:count].tolist()


@pytest.mark.parametrize(("share", "held"), [(0.5, 0.75), (0.6, 0.84), (0.8, 0.66)])
def test_doubtful_items_keep_their_share_of_what_outliers_leave(share: float, held: float) -> None:
    """At coverage 1 doubt has (held - .6) / .3 of the questions."""
    pool = one_large_group(round(held * 1000), 1000)
    asked, nobody = np.isin(np.arange(1000), [0]), np.zeros(1000, bool)
    known = Known(
        1.0 - np.arange(1000) / 1000, np.zeros(1000, np.float32), 1.0, np.arange(1000), np.arange(100, 400), share
    )
    batch = choose_batch(pool, known, asked, nobody, nobody, size=100)
    left = np.count_nonzero(batch.representative | batch.doubtful)
    assert np.count_nonzero(batch.doubtful) == pytest.approx((held - 0.6) / 0.3 * left, abs=1.5)


def test_once_no_class_has_an_outlier_any_more_the_batch_goes_on_as_usual() -> None:
    pool = one_large_group(1)
    asked, nobody = np.isin(np.arange(N), [0]), np.zeros(N, bool)
    known = Known(np.zeros(N), np.zeros(N, np.float32), 0.6, np.arange(N), np.array([0, 50, 60]), 1.0)
    batch = choose_batch(pool, known, asked, nobody, nobody, size=20)
    assert batch.rows[batch.class_outlier].tolist() == [50, 60]
    assert len(set(batch.rows.tolist())) == 20
