"""One entry of the outbox made so in Label Studio, and what came of it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from ml_backend.data.edits import Content
from ml_backend.errors import (
    LabelStudioAuthError,
    LabelStudioError,
    LabelStudioForbidden,
    LabelStudioRefused,
    LabelStudioUnreachable,
)
from ml_backend.label_studio.events import annotation_row
from ml_backend.store import outbox, projects
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.tables import OutboxEntry, Project

if TYPE_CHECKING:
    from ml_backend.label_studio.api import Json, LabelStudioApi

MOST_ATTEMPTS = 8
"""How often an annotation is tried that Label Studio answers with an error of its own (500)."""
BUSY = "database is locked"
"""In its error while SQLite writes something large for another: that passes, so it is tried until it has."""
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 60.0

TASK_GONE = "the task is no longer in Label Studio"
ANNOTATION_GONE = "the annotation is no longer in Label Studio"


class Pause(IntEnum):
    """How much has to wait after a call."""

    NONE = 0
    THIS = 1
    EVERYTHING = 2


@dataclass(frozen=True)
class Outcome(ABC):
    """Base of what can come of a call."""

    error: str | None = None
    pause: Pause = Pause.NONE
    is_final: bool = True

    @abstractmethod
    def record(self, session: Session, project: Project, entry: OutboxEntry, now: float) -> None:
        """Write it down."""


@dataclass(frozen=True)
class Done(Outcome):
    """Label Studio has it as `sent`; row: the annotation, None = there is none."""

    sent: Content | None = None
    row: AnnotationRow | None = None

    def record(self, session: Session, project: Project, entry: OutboxEntry, now: float) -> None:
        """The annotation is stored."""
        outbox.confirm(session, project, entry.id, self.sent, self.row, now)


@dataclass(frozen=True)
class Later(Outcome):
    """It could not be sent now."""

    is_final: bool = False

    def record(self, session: Session, project: Project, entry: OutboxEntry, now: float) -> None:
        """It waits; alone, longer each time."""
        if self.pause is Pause.EVERYTHING:
            outbox.postpone(session, entry.id, now, self.error or "", counts=False)
            return
        wait = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** (entry.attempts - 1))
        outbox.postpone(session, entry.id, now + wait, self.error or "")


@dataclass(frozen=True)
class Refused(Outcome):
    """It cannot be sent. reconcile: the store does not know what Label Studio knows."""

    reconcile: bool = False

    def record(self, session: Session, project: Project, entry: OutboxEntry, now: float) -> None:
        """It failed, until the person tries again."""
        outbox.fail(session, project, entry.id, self.error or "", now)
        if self.reconcile:
            projects.request_reconcile(session, project, now)


class Delivery:
    """Calls in one person's name. Safe for threads."""

    def __init__(self, api: LabelStudioApi, number: int) -> None:
        """number: of the project in Label Studio."""
        self._api = api
        self._number = number

    def deliver(self, entry: OutboxEntry) -> Outcome:
        """Raises LabelStudioAuthError when the token is refused; everything else is an outcome."""
        try:
            return self._deliver(entry)
        except LabelStudioForbidden:
            return Refused("you may not do this in Label Studio")
        except LabelStudioAuthError:
            raise
        except LabelStudioRefused as error:
            return Refused(f"Label Studio refused it: {error}")
        except LabelStudioUnreachable as error:
            if error.http_status != HTTPStatus.INTERNAL_SERVER_ERROR:
                return Later(f"Label Studio does not answer, trying again: {error}", Pause.EVERYTHING)
            if entry.attempts >= MOST_ATTEMPTS and BUSY not in str(error):
                return Refused(f"Label Studio failed {entry.attempts} times: {error}")
            return Later(f"Label Studio failed, trying again: {error}", Pause.THIS)
        except LabelStudioError as error:
            return Refused(str(error))

    def _deliver(self, entry: OutboxEntry) -> Outcome:
        if entry.annotation_id is not None:
            return self._change(entry, entry.annotation_id)
        if entry.wanted is not None:
            return self._create(entry, entry.wanted)
        # An earlier call may have made it, and its answer was lost.
        found = self._api.annotation_with(self._number, entry.task_id, entry.unique_id)
        if found is not None:
            self._api.delete_annotation(int(found["id"]))
        return Done(sent=None, row=None)

    def _create(self, entry: OutboxEntry, wanted: Content) -> Outcome:
        try:
            made = self._api.create_annotation(entry.task_id, {**wanted, "unique_id": entry.unique_id})
        except LabelStudioRefused as error:
            if error.http_status == HTTPStatus.NOT_FOUND:
                return Refused(TASK_GONE, reconcile=True)
            if error.http_status != HTTPStatus.CONFLICT:
                raise
            return self._adopt(entry, wanted)
        return Done(sent=wanted, row=_row(made, entry))

    def _adopt(self, entry: OutboxEntry, wanted: Content) -> Outcome:
        """An earlier call made it, and its answer was lost; it may have said something else."""
        found = self._api.annotation_with(self._number, entry.task_id, entry.unique_id)
        if found is None:
            return Later("Label Studio has this annotation and does not show it, trying again", Pause.THIS)
        row = _row(found, entry)
        if found.get("result") != wanted["result"] or found.get("was_cancelled") is not wanted["was_cancelled"]:
            row = _row(self._api.update_annotation(row.annotation_id, wanted), entry)
        return Done(sent=wanted, row=row)

    def _change(self, entry: OutboxEntry, annotation_id: int) -> Outcome:
        if entry.wanted is None:
            self._api.delete_annotation(annotation_id)
            return Done(sent=None, row=None)
        try:
            made = self._api.update_annotation(annotation_id, entry.wanted)
        except LabelStudioRefused as error:
            if error.http_status != HTTPStatus.NOT_FOUND:
                raise
            if entry.annotator != str(entry.person_id):
                return Refused(ANNOTATION_GONE, reconcile=True)
            return Done(sent=None, row=None)  # what is wanted is not there: it will be made anew
        return Done(sent=entry.wanted, row=_row(made, entry))


def _row(made: Json, entry: OutboxEntry) -> AnnotationRow:
    row = annotation_row({**made, "task": entry.task_id}, time.time())
    if row is None:
        raise LabelStudioError("Label Studio's answer is no annotation")
    return row
