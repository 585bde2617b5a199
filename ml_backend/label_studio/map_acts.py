"""What people do on the map, checked against the label config and written down; sending is the outbox's part."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from ml_backend.data.answers import parse_answers
from ml_backend.data.edits import SET_ASIDE, SetAside, set_aside
from ml_backend.data.label_config import LabelSchema
from ml_backend.engine.acceptance import acceptable
from ml_backend.engine.given_labels import GivenLabel, given_labels
from ml_backend.engine.label_sets import YES
from ml_backend.engine.schema import schema_of
from ml_backend.engine.view import ProjectView
from ml_backend.errors import ConflictError, InputError, PersonForbidden
from ml_backend.label_studio.people import Person, SignedIn
from ml_backend.label_studio.questions import Question, question_of
from ml_backend.store import acts, outbox, projects
from ml_backend.store import annotations as annotation_rows
from ml_backend.store.acts import Author, Deed, Progress, Target
from ml_backend.store.bulk import chunks
from ml_backend.store.database import Database
from ml_backend.store.tables import Act, Project, Task

MOST_TASKS = 50_000
"""Most tasks in one act."""


@dataclass(frozen=True)
class Acted:
    """An act and how far it is. kept: labels that were left alone."""

    act: Act
    progress: Progress
    kept: int


class Views(Protocol):
    """What is asked of the engine."""

    def view(self, uid: str) -> ProjectView | None: ...


class Sender(Protocol):
    """What is asked of the outbox."""

    def wake(self, project: Project, signed_in: SignedIn, /) -> None: ...


class MapActs:
    """Acts of signed-in people. Safe for threads."""

    def __init__(self, db: Database, engine: Views, sender: Sender) -> None:
        self._db = db
        self._engine = engine
        self._sender = sender

    def label(
        self, uid: str, who: SignedIn, control: str, label: str, tasks: Sequence[int], *, overwrite: bool = False
    ) -> Acted:
        """Give tasks a label. Labels of other people stay, unless overwrite changes them. Raises InputError, and
        ConflictError when nothing is left to do: all are kept, or no such task is in the project.
        """
        project = self._project(uid)
        question = question_of(schema_of(project), control, label)
        label = YES if question.choice == label else label
        deed = Deed("label", question.store, label, {label: question.edit(label)})
        return self._answer(project, who, deed, question, dict.fromkeys(tasks, label), overwrite=overwrite)

    def accept(
        self,
        uid: str,
        who: SignedIn,
        control: str,
        *,
        component: int | None,
        tasks: Sequence[int] | None,
        min_confidence: float,
    ) -> Acted:
        """Take Lantern's predictions over. Raises as `label`, and ConflictError before the first publication or when
        no prediction is that sure.
        """
        project, view = self._project(uid), self._engine.view(uid)
        if view is None:
            raise ConflictError("there are no predictions yet: the first model is being made")
        question = question_of(view.schema, control)
        named = acceptable(view, question.store, component=component, tasks=tasks, min_confidence=min_confidence)
        if not named:
            raise ConflictError("no prediction is that sure: lower the confidence")
        edits = {label: question.edit(label) for label in dict.fromkeys(named.values())}
        label = next(iter(edits)) if len(edits) == 1 else None
        return self._answer(project, who, Deed("accept", question.store, label, edits), question, named)

    def set_aside(self, uid: str, who: SignedIn, kind: str, tasks: Sequence[int]) -> Acted:
        """Give tasks no answer, and say why: skip, unsure or never_seen. Raises as `label`."""
        found: SetAside | None = next((one for one in SET_ASIDE if one == kind), None)
        if found is None:
            raise InputError(f"{kind[:40]!r} is no kind of act: label, accept, {', '.join(SET_ASIDE)}")
        deed = Deed(found, None, None, {found: set_aside(found)})
        return self._write(self._project(uid), who, deed, dict.fromkeys(tasks, found), {}, set())

    def undo(self, uid: str, who: SignedIn, act_id: int) -> Acted:
        """Take an act back as a whole. Raises InputError for an unknown act, ConflictError for one that is undone
        already, PersonForbidden for another person's.
        """
        return self._turn(uid, who, act_id, undone=True)

    def redo(self, uid: str, who: SignedIn, act_id: int) -> Acted:
        """Do an act again that was undone. Raises as `undo`."""
        return self._turn(uid, who, act_id, undone=False)

    def retry(self, uid: str, who: SignedIn) -> int:
        """Try again what failed; how many annotations."""
        project = self._project(uid)
        with self._db.write() as session:
            failed = outbox.retry(session, project, who.person.id, time.time())
        self._sender.wake(project, who)
        return failed

    def list_newest(self, uid: str, limit: int) -> list[Acted]:
        """The last acts of everybody, newest first."""
        with self._db.read() as session:
            found = acts.list_newest(session, self._project(uid), limit)
            progress = acts.progress(session, found)
            return [Acted(act, progress[act.id], 0) for act in found]

    def go_on(self, uid: str, who: SignedIn) -> None:
        """Send what waits of this person, for instance since a restart."""
        project = self._project(uid)
        with self._db.read() as session:
            waits = outbox.next_try(session, project, who.person.id) is not None
        if waits:
            self._sender.wake(project, who)

    def _project(self, uid: str) -> Project:
        with self._db.read() as session:
            return projects.ensure(session, uid)

    def _answer(
        self,
        project: Project,
        who: SignedIn,
        deed: Deed,
        question: Question,
        answers: Mapping[int, str],
        *,
        overwrite: bool = False,
    ) -> Acted:
        """Write answers to one question down; tasks that others have answered are kept or overwritten."""
        if len(answers) > MOST_TASKS:
            raise InputError(f"an act is about {MOST_TASKS:,} tasks at most: select fewer")
        others = self._of_others(project, who.person, question, answers)
        kept = {task for task, labels in others.items() if not overwrite or any(label.pending for label in labels)}
        changed = {
            task: [label.annotation_id for label in labels if label.annotation_id is not None]
            for task, labels in others.items()
            if task not in kept
        }
        return self._write(project, who, deed, answers, changed, kept)

    def _of_others(
        self, project: Project, person: Person, question: Question, tasks: Mapping[int, str]
    ) -> dict[int, list[GivenLabel]]:
        """Labels of other people that answer the question, by task."""
        schema = LabelSchema((question.control,), ())
        found: dict[int, list[GivenLabel]] = {}
        with self._db.read() as session:
            for given in given_labels(session, project, tasks):
                if given.annotator == str(person.id) or given.task_id is None:
                    continue
                if question.is_answered(parse_answers(given.result, schema)):
                    found.setdefault(given.task_id, []).append(given)
        return found

    def _write(
        self,
        project: Project,
        who: SignedIn,
        deed: Deed,
        answers: Mapping[int, str],
        changed: Mapping[int, Sequence[int]],
        kept: set[int],
    ) -> Acted:
        """changed: annotations of others to change, by task; without any, the person's own."""
        author, now = Author(who.person.id, who.person.name), time.time()
        with self._db.write() as session:
            wanted = [task for task in _known(session, project, answers) if task not in kept]
            there = _still_there(session, project, changed)
            targets = [
                Target(task, answers[task], annotation_id)
                for task in wanted
                for annotation_id in there.get(task) or (None,)
            ]
            if not targets:
                raise ConflictError(_nothing(kept))
            act = acts.record(session, project, author, deed, targets, now)
            progress = acts.progress(session, [act])[act.id]
        self._sender.wake(project, who)
        return Acted(act, progress, len(kept))

    def _turn(self, uid: str, who: SignedIn, act_id: int, *, undone: bool) -> Acted:
        project = self._project(uid)
        with self._db.write() as session:
            act = acts.find(session, project, act_id)
            if act is None:
                raise InputError(f"there is no act {act_id} in this project")
            if act.person_id != who.person.id:
                raise PersonForbidden(f"{act.person_name} did this: only the same person can undo or redo it")
            if act.undone is undone:
                raise ConflictError(f"this is {'undone' if undone else 'done'} already")
            kept = (acts.undo if undone else acts.redo)(session, project, act, time.time())
            progress = acts.progress(session, [act])[act.id]
        self._sender.wake(project, who)
        return Acted(act, progress, kept)


def _known(session: Session, project: Project, tasks: Mapping[int, str]) -> list[int]:
    """Those of the tasks that exist, in their order."""
    query = select(Task.task_id).where(Task.project_id == project.id, Task.deleted.is_(False))
    found = {number for chunk in chunks(tasks) for number in session.scalars(query.where(Task.task_id.in_(chunk)))}
    return [task for task in tasks if task in found]


def _still_there(session: Session, project: Project, changed: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
    """Without the annotations that were deleted since they were looked for, in another transaction."""
    ids = [annotation_id for of_task in changed.values() for annotation_id in of_task]
    live = {
        (row.task_id, row.annotation_id) for row in annotation_rows.by_ids(session, project, ids) if not row.deleted
    }
    return {task: [i for i in of_task if (task, i) in live] for task, of_task in changed.items()}


def _nothing(kept: set[int]) -> str:
    if kept:
        return f"all {len(kept):,} tasks have labels of other people, which stay unless they are overwritten"
    return "none of these tasks is in the project: reload the map"
