"""What was drawn on the map fills in where nobody said anything of the task itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from ml_backend.engine.given_labels import given_labels
from ml_backend.engine.label_sets import make_label_sets
from ml_backend.engine.schema import schema_of
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import drawings, projects, tasks
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.database import Database
from ml_backend.store.drawings import Drawn
from ml_backend.store.tables import Project

CONFIG = (
    '<View><Text name="text" value="$text"/>'
    '<Choices name="c" toName="text"><Choice value="a"/><Choice value="b"/></Choices>'
    '<Choices name="m" toName="text" choice="multiple"><Choice value="x"/><Choice value="y"/></Choices></View>'
)
ROWS = {task: task - 1 for task in range(1, 6)}


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    db = Database.open(tmp_path)
    with db.write() as opened:
        projects.configure(opened, projects.ensure(opened, "3.1795388054"), label_config=CONFIG)
        yield opened
    db.close()


@pytest.fixture
def project(session: Session) -> Project:
    return projects.ensure(session, "3.1795388054")


def annotate(session: Session, project: Project, task: int, label: str, annotator: str = "1") -> None:
    result = [{"from_name": "c", "to_name": "text", "type": "choices", "value": {"choices": [label]}}]
    annotation_rows.apply(session, project, AnnotationRow(task, task, annotator, result, False, time.time()))


def counted(session: Session, project: Project, name: str = "c") -> dict[int, list[float]]:
    """Targets by task."""
    sets = make_label_sets(schema_of(project), given_labels(session, project), ROWS)
    label_set = next(one for one in sets if one.name == name)
    return {int(row) + 1: target.tolist() for row, target in zip(label_set.rows, label_set.targets, strict=True)}


def test_the_task_s_own_label_outweighs_what_was_drawn_around_it(session: Session, project: Project) -> None:
    annotate(session, project, 1, "a")
    drawings.put(session, project, Drawn(90, 1, "2", "c", {"b": [1, 2]}, 1.0))
    assert counted(session, project) == {1: [1.0, 0.0], 2: [0.0, 1.0]}
    assert [label.annotator for label in given_labels(session, project, [2])] == ["2"]
    assert [label.annotation_id for label in given_labels(session, project, [1])] == [1]


def test_a_person_s_later_drawing_outweighs_the_earlier_and_two_people_share(
    session: Session, project: Project
) -> None:
    drawings.put(session, project, Drawn(90, 1, "2", "c", {"a": [1, 2]}, 1.0))
    drawings.put(session, project, Drawn(91, 2, "2", "c", {"b": [2]}, 2.0))
    drawings.put(session, project, Drawn(92, 2, "3", "c", {"a": [2]}, 3.0))
    assert counted(session, project) == {1: [1.0, 0.0], 2: [0.5, 0.5]}
    drawings.remove(session, project, [91])
    assert counted(session, project) == {1: [1.0, 0.0], 2: [1.0, 0.0]}, "with the drawing its labels go"


def test_a_drawn_choice_says_nothing_of_the_other_boxes(session: Session, project: Project) -> None:
    drawings.put(session, project, Drawn(90, 1, "2", "m", {"x": [1, 2]}, 1.0))
    assert counted(session, project, "m/x") == {1: [0.0, 1.0], 2: [0.0, 1.0]}
    assert counted(session, project, "m/y") == {}
    assert counted(session, project) == {}


def test_classes_and_controls_that_are_gone_give_nothing(session: Session, project: Project) -> None:
    drawings.put(session, project, Drawn(90, 1, "2", "c", {"old": [1], "a": [2]}, 1.0))
    drawings.put(session, project, Drawn(91, 1, "2", "gone", {"a": [3]}, 1.0))
    assert counted(session, project) == {2: [1.0, 0.0]}


def test_a_deleted_task_has_no_drawn_label(session: Session, project: Project) -> None:
    drawings.put(session, project, Drawn(90, 1, "2", "c", {"a": [1, 2]}, 1.0))
    tasks.delete_many(session, project, [1])
    assert counted(session, project) == {2: [1.0, 0.0]}
