"""A complete export repairs whatever webhooks never told; what changed while it ran is newer than it."""

from __future__ import annotations

import random

import pytest

from ml_backend.errors import InputError
from ml_backend.store import annotations as rows
from ml_backend.store import projects
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.database import Database
from ml_backend.store.tables import JsonObject, Project
from tests.store.events import Deletion, Event, labels, labels_version, reconcile, said, tell


@pytest.mark.parametrize("seed", range(5))
def test_after_a_tenth_of_the_events_is_lost_a_reconcile_restores_the_truth(
    db: Database, project: Project, seed: int
) -> None:
    rng = random.Random(seed)
    truth: dict[int, AnnotationRow] = {}
    events: list[Event] = []
    for time in range(1, 300):
        number = rng.randrange(60)
        if number in truth and rng.random() < 0.3:
            del truth[number]
            events.append(Deletion(number, float(time)))
        elif not any(isinstance(e, Deletion) and e.annotation_id == number for e in events):  # ids are given once
            truth[number] = said(number, rng.choice("abc"), float(time), task=number)
            events.append(truth[number])
    told = [event for event in events if rng.random() > 0.1]
    rng.shuffle(told)
    tell(db, project, *told)
    wrong = labels(db, project)
    reconcile(db, project, truth.values(), as_of=300.0)
    expected = {i: row.result[0]["value"]["choices"][0] for i, row in truth.items()}
    assert wrong != expected
    assert labels(db, project) == expected


def test_the_count_is_of_labels_that_changed_and_the_second_time_none_do(db: Database, project: Project) -> None:
    tell(db, project, said(1, "a", 1.0), said(2, "b", 1.0), said(3, "c", 1.0))
    exported = [said(1, "a", 1.0), said(2, "B", 2.0), said(4, "d", 3.0), said(5, "e", 3.0, skipped=True)]
    assert reconcile(db, project, exported, as_of=10.0) == 3
    assert labels(db, project) == {1: "a", 2: "B", 4: "d"}
    assert reconcile(db, project, exported, as_of=20.0) == 0


def test_a_skip_given_while_the_export_ran_stays_although_it_moves_no_version(db: Database, project: Project) -> None:
    tell(db, project, said(1, "a", 5.0, skipped=True), said(2, "a", 11.0, skipped=True))
    reconcile(db, project, [], as_of=10.0)
    with db.read() as session:
        assert rows.skips(session, project) == {(2, 1)}


def test_a_tombstone_from_before_the_export_is_taken_back_one_from_after_it_is_not(
    db: Database, project: Project
) -> None:
    tell(db, project, said(1, "a", 1.0), said(2, "b", 1.0), Deletion(1, at=5.0), Deletion(2, at=11.0))
    exported = [said(1, "a", 1.0), said(2, "b", 1.0)]
    assert reconcile(db, project, exported, as_of=10.0) == 1
    assert labels(db, project) == {1: "a"}
    assert tell(db, project, said(1, "b", 12.0)) == 1, "it lives again, so events count again"


def test_an_update_newer_than_a_tombstone_shows_that_it_lives(db: Database, project: Project) -> None:
    tell(db, project, said(1, "a", 1.0), Deletion(1, at=11.0))
    reconcile(db, project, [said(1, "b", 12.0)], as_of=10.0)
    assert labels(db, project) == {1: "b"}


def test_a_slow_clock_of_label_studio_costs_no_label(db: Database, project: Project) -> None:
    """Label Studio's clock is 1,000 s behind: by time, a label given while the export ran looks old."""
    tell(db, project, said(1, "a", -900.0), said(4, "old", -900.0))
    since = labels_version(db, project)
    tell(db, project, said(2, "given meanwhile", -899.0), said(1, "edited meanwhile", -899.0), Deletion(4, at=100.5))
    reconcile(db, project, [said(1, "a", -900.0), said(4, "old", -900.0)], as_of=100.0, since=since)
    assert labels(db, project) == {1: "edited meanwhile", 2: "given meanwhile"}


def test_the_export_is_right_about_all_that_is_older(db: Database, project: Project) -> None:
    """Even where a row claims to be newer: its event had no time and got ours."""
    tell(db, project, said(1, "guessed time", 50.0), said(2, "gone", 50.0))
    reconcile(db, project, [said(1, "truth", 20.0)], as_of=60.0)
    assert labels(db, project) == {1: "truth"}


def test_an_unheard_annotation_deleted_while_the_export_runs_stays_deleted(db: Database, project: Project) -> None:
    since = labels_version(db, project)
    tell(db, project, Deletion(1, at=11.0))
    reconcile(db, project, [said(1, "a", 1.0)], as_of=10.0, since=since)
    assert labels(db, project) == {}
    reconcile(db, project, [said(1, "a", 1.0)], as_of=20.0)
    assert labels(db, project) == {1: "a"}


def test_an_edit_without_effect_does_not_protect_a_row_from_the_export(db: Database, project: Project) -> None:
    tell(db, project, said(1, "a", 1.0))
    tell(db, project, said(1, "a", 2.0))  # a star: no version moves
    reconcile(db, project, [], as_of=10.0)
    assert labels(db, project) == {}


def test_a_corrupt_export_changes_nothing(db: Database, project: Project) -> None:
    tell(db, project, said(1, "a", 1.0))

    def pages() -> list[AnnotationRow]:
        told: JsonObject = {"result": "no list"}
        return [said(2, "b", 1.0), AnnotationRow(3, None, None, told["result"], False, 1.0)]

    with pytest.raises(InputError), db.write() as session:
        rows.replace_all(session, project, (row for row in pages()), 10.0, since_version=project.labels_version)
    assert labels(db, project) == {1: "a"}


def test_an_export_that_names_an_annotation_twice_counts_the_newer(db: Database, project: Project) -> None:
    reconcile(db, project, [said(1, "new", 2.0), said(1, "old", 1.0)], as_of=10.0)
    assert labels(db, project) == {1: "new"}


def test_the_other_project_is_untouched(db: Database, project: Project) -> None:
    with db.write() as session:
        other = projects.ensure(session, "13.1")
    tell(db, other, said(1, "a", 1.0))
    reconcile(db, project, [], as_of=10.0)
    assert labels(db, other) == {1: "a"}
