"""One entry of the outbox made so in Label Studio, and what came of it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from ml_backend.data.edits import Content, says_the_same
from ml_backend.errors import (
    LabelStudioAuthError,
    LabelStudioError,
    LabelStudioForbidden,
    LabelStudioRefused,
    LabelStudioUnreachable,
)
from ml_backend.label_studio.events import annotation_row
from ml_backend.store import outbox, overtaken, projects
from ml_backend.store.act_slots import content_of, is_foreign, is_its
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

LONG_SECONDS = 600.0
"""What waited longer is looked for before it is made, since a webhook may have been lost. Not everything: to look takes
two thirds of the time that making it takes.
"""

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


@dataclass(frozen=True)
class Overtaken(Outcome):
    """It was changed in Label Studio meanwhile. row: the annotation as it is there, or the other one that has its
    number now; None = it is gone.
    """

    row: AnnotationRow | None = None

    def record(self, session: Session, project: Project, entry: OutboxEntry, now: float) -> None:
        """What is wanted is worked out anew."""
        overtaken.record(session, project, entry.id, self.row, now)


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
            is_its_own = error.has_detail or error.http_status != HTTPStatus.NOT_FOUND
            if not is_its_own and entry.attempts < MOST_ATTEMPTS:
                return Later(f"Label Studio does not answer itself, trying again: {error}", Pause.THIS)
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
        """Label Studio replaces an annotation as a whole, so it is looked at first."""
        if entry.annotation_id is not None:
            there = self._api.annotation(entry.annotation_id)
            if there is None:
                return self._gone(entry)
            row = _as_told(there)
            return self._make_so(entry, row) if is_its(entry, row) else self._another(entry, row)
        found = self._find(entry) if _may_be_there(entry) else None
        if found is not None:
            return self._make_so(entry, found)
        return Done() if entry.wanted is None else self._create(entry, entry.wanted)

    def _gone(self, entry: OutboxEntry) -> Outcome:
        if entry.wanted is None:
            return Done()
        return Overtaken() if entry.annotator == str(entry.person_id) else Refused(ANNOTATION_GONE, reconcile=True)

    def _another(self, entry: OutboxEntry, there: AnnotationRow) -> Outcome:
        """Label Studio gave the number to somebody else's annotation after it was restored from a backup. Nothing is
        done to that one.
        """
        if entry.wanted is None or entry.annotator == str(entry.person_id):
            return Overtaken(row=there)
        return Refused(ANNOTATION_GONE, reconcile=True)

    def _find(self, entry: OutboxEntry) -> AnnotationRow | None:
        """The annotation that an earlier call made, whose answer was lost; else the person's newest own one."""
        given = self._api.annotations_of(self._number, entry.task_id)
        made = next((one for one in given if one.get("unique_id") == entry.unique_id), None)
        if made is not None:
            return _row(made, entry)
        own = [row for row in (_row(one, entry) for one in given) if row.annotator == entry.annotator]
        return max(own, key=lambda row: row.annotation_id, default=None)

    def _create(self, entry: OutboxEntry, wanted: Content) -> Outcome:
        try:
            made = self._api.create_annotation(entry.task_id, {**wanted, "unique_id": entry.unique_id})
        except LabelStudioRefused as error:
            if error.http_status == HTTPStatus.NOT_FOUND and error.has_detail:
                return Refused(TASK_GONE, reconcile=True)
            if error.http_status != HTTPStatus.CONFLICT:
                raise
            return Later("Label Studio has this annotation already, looking for it", Pause.THIS)
        return Done(sent=wanted, row=_row(made, entry))

    def _make_so(self, entry: OutboxEntry, there: AnnotationRow) -> Outcome:
        content = content_of(there)
        if is_foreign(entry, content):
            return Overtaken(row=there)
        if entry.wanted is None:
            self._api.delete_annotation(there.annotation_id)
            return Done()
        if says_the_same(content, entry.wanted):
            return Done(sent=entry.wanted, row=there)
        try:
            made = self._api.update_annotation(there.annotation_id, entry.wanted)
        except LabelStudioRefused as error:
            if error.http_status != HTTPStatus.NOT_FOUND:
                raise
            return Later("the annotation went at this moment, looking again", Pause.THIS)
        return Done(sent=entry.wanted, row=_row(made, entry))


def _may_be_there(entry: OutboxEntry) -> bool:
    """Whether Label Studio may have an annotation of the person that is not known here: one that an earlier call made,
    or one made there meanwhile, of which it told nobody.
    """
    return entry.attempts > 1 or entry.wanted is None or time.time() - entry.wanted_at > LONG_SECONDS


def _row(made: Json, entry: OutboxEntry) -> AnnotationRow:
    return _as_told({**made, "task": entry.task_id})


def _as_told(made: Json) -> AnnotationRow:
    row = annotation_row(made, time.time())
    if row is None:
        raise LabelStudioError("Label Studio's answer is no annotation")
    return row
