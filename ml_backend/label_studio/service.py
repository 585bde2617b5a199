"""The one object behind both doors: Lantern's own Flask app and the label-studio-ml adapter.

Every method answers from the database and from memory: none calls Label Studio, fetches media on the way to /setup or
/webhook, or trains. Slow work belongs to the worker, which sees what was written here.
"""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import TypedDict

from sqlalchemy import select
from sqlalchemy.orm import Session

from ml_backend.config import Settings
from ml_backend.data.label_config import LabelSchema, parse_label_config
from ml_backend.engine.prediction import TaskPrediction
from ml_backend.errors import LabelConfigError, StoreBusy, StoreError
from ml_backend.label_studio.contract import (
    UNTRAINED_VERSION,
    Entry,
    IncomingTask,
    PredictRequest,
    Replies,
    parse_predict,
    parse_setup,
    project_uid,
)
from ml_backend.label_studio.events import Event, Recorded, read_event, record_event
from ml_backend.label_studio.late_events import LateEvents
from ml_backend.label_studio.predictor import Predictor
from ml_backend.label_studio.sheet_link import owner_of
from ml_backend.label_studio.sheets import record_drawings
from ml_backend.label_studio.status import project_status
from ml_backend.store import counters, projects, publications, tasks
from ml_backend.store.bulk import chunks
from ml_backend.store.database import BUSY_SECONDS, Database
from ml_backend.store.inbox import Inbox
from ml_backend.store.tables import JsonObject, Project, Task

log = logging.getLogger(__name__)

NO_CONTROLS = LabelSchema((), ())
VERSION_ATTEMPTS = 3
"""How often a /predict is answered again because a publication came in between."""
WEBHOOK_WAIT_SECONDS = 0.1
"""How long a webhook waits for another transaction; Label Studio gives up after one second and never repeats it."""


class _Given(TypedDict):
    """What /setup tells of a project; None = nothing."""

    label_config: str | None
    hostname: str | None
    extra_params: JsonObject
    encoder: str | None
    field: str | None


class LanternService:
    """Answers Label Studio's calls. Safe for threads; holds nothing that the database and the inbox do not."""

    def __init__(self, settings: Settings, db: Database, engine: Predictor) -> None:
        self._settings = settings
        self._db = db
        self._engine = engine
        self._late = LateEvents(Inbox(settings.home), self._record_late, self._ask_reconcile)

    def setup(self, body: object) -> dict[str, object]:
        """POST /setup: take the project's config over and name the version that predictions will have.

        A label config that cannot be read is kept and answered all the same: Label Studio could not attach us
        otherwise. Raises InputError only when the body names no project.
        """
        request = parse_setup(body)
        given: _Given = {
            "label_config": request.label_config,
            "hostname": request.hostname,
            "extra_params": dict(request.extra_params),
            "encoder": _word(request.extra_params.get("encoder")),
            "field": _word(request.extra_params.get("field")),
        }
        with self._db.read() as session:
            known = projects.find(session, request.project)
            changed = known is None or known.deleted or _is_renamed(known, request.project)
            changed = changed or any(value not in (None, getattr(known, name)) for name, value in given.items())
        if changed:
            with self._db.write() as session:
                projects.configure(session, projects.ensure(session, request.project), **given)
        return {"model_version": self._version(request.project)}

    def predict(self, body: object) -> dict[str, object]:
        """POST /predict: one result for each task, in order; `[]` for a task that cannot be read.

        Raises InputError when the body is no object, names no project or has no list of tasks.
        """
        request = parse_predict(body)
        self._remember(request)
        schema = self._schema(request)
        for _ in range(VERSION_ATTEMPTS):
            version = self._version(request.project)
            predictions = self._ask(request)
            if self._version(request.project) == version:
                break
        replies = Replies(schema, version)
        results: list[Entry] = [replies.entry(p) if p is not None else [] for p in predictions]
        self._report(request.project, replies, predictions)
        return {"results": results, "model_version": version}

    def webhook(self, body: object) -> dict[str, object]:
        """POST /webhook: one short transaction, then the acknowledgement. Raises InputError when the body is no
        object.

        While another transaction writes, the event goes to the inbox on disk instead: acknowledged all the same.
        """
        now = time.time()
        event = read_event(body, now)
        try:
            recorded = None if self._late.waiting else self._record(event, now, WEBHOOK_WAIT_SECONDS)
        except StoreBusy:
            recorded = None
        if recorded is None:
            self._late.keep(body, now)
            return {"status": "ok", "action": event.action}
        reply: dict[str, object] = {"status": "ok" if recorded.known else "ignored", "action": event.action}
        if recorded.job is not None:
            reply["job"] = f"training-{recorded.job}"
        return reply

    def versions(self) -> dict[str, object]:
        """GET /versions: the newest version of each project; Label Studio sends no project with this call."""
        with self._db.read() as session:
            newest = [publications.newest(session, project) for project in projects.list_all(session)]
        return {"versions": [publication.model_version for publication in newest if publication]}

    def status(self, project: str | int | None = None) -> dict[str, object]:
        """GET /status: progress, versions and counters of one project or of all; `counters` beside the projects: sums
        over the server and all projects. Raises InputError for an unknown project.
        """
        with self._db.read() as session:
            wanted = projects.list_all(session) if project is None else [projects.ensure(session, project)]
            return {
                "projects": [project_status(session, one) for one in wanted],
                "counters": counters.total(session),
            }

    def ready(self) -> tuple[bool, dict[str, object]]:
        """GET /ready: whether labels can be taken in and predictions given, and why not."""
        problems: list[str] = []
        try:
            with self._db.read() as session:
                projects.list_all(session)
        except StoreError as error:
            problems.append(str(error))
        if not os.access(self._settings.home, os.W_OK):
            problems.append(f"the data folder {self._settings.home} cannot be written: set LANTERN_HOME")
        return not problems, {"problems": problems}

    def _record(self, event: Event, now: float, wait_seconds: float) -> Recorded:
        with self._db.read() as session:
            owner = owner_of(session, event.uid)
        if owner is not None:
            return record_drawings(self._db, owner, event, now, wait_seconds=wait_seconds)
        with self._db.write(wait_seconds=wait_seconds) as session:
            recorded = record_event(session, event, now)
            counters.add(session, f"webhook_{event.action}" if recorded.known else "webhook_unknown")
            if recorded.known and event.uid is not None:
                counters.add(session, "webhooks", project=projects.ensure(session, event.uid))
        _log_event(event.uid, recorded)
        return recorded

    def _record_late(self, body: object, now: float) -> None:
        self._record(read_event(body, now), now, BUSY_SECONDS)

    def _ask_reconcile(self, lost: object) -> None:
        """Of the project that a lost webhook names; one that names none may have been about any of them."""
        uid = project_uid(lost.get("project")) if isinstance(lost, dict) else None
        with self._db.write() as session:
            named = projects.find(session, uid) if uid is not None else None
            for project in projects.list_all(session) if named is None else [named]:
                projects.request_reconcile(session, project)

    def _version(self, uid: str) -> str:
        with self._db.read() as session:
            project = projects.find(session, uid)
            publication = publications.newest(session, project) if project else None
        return publication.model_version if publication else UNTRAINED_VERSION

    def _schema(self, request: PredictRequest) -> LabelSchema:
        """Of this request's label config; without one, of the project's."""
        config = request.label_config
        if config is None:
            with self._db.read() as session:
                project = projects.find(session, request.project)
                config = project.label_config if project else ""
        return read_schema(config)

    def _ask(self, request: PredictRequest) -> list[TaskPrediction | None]:
        """One prediction for each task of the request; None where the task has no data."""
        asked = [(_stand_in(task, position), task.data) for position, task in enumerate(request.tasks)]
        usable = [(number, data) for number, data in asked if data is not None]
        found = {p.task_id: p for p in self._engine.predict(request.project, usable)} if usable else {}
        return [found.get(number) if data is not None else None for number, data in asked]

    def _remember(self, request: PredictRequest) -> None:
        """Store what /predict tells and no webhook did: the project, and tasks that are not known yet."""
        given = {t.task_id: t.data for t in request.tasks if t.task_id is not None and t.data is not None}
        with self._db.read() as session:
            project = projects.find(session, request.project)
            known = _known_ids(session, project, list(given)) if project else set()
        if project is not None and not _is_renamed(project, request.project) and len(known) == len(given):
            return
        now = time.time()
        with self._db.write() as session:
            project = projects.ensure(session, request.project, now)
            if request.label_config and not project.label_config:
                projects.configure(session, project, label_config=request.label_config)
            new = [(number, data) for number, data in given.items() if number not in known]
            projects.touch_data(session, project, tasks.upsert_many(session, project, new), now)

    def _report(self, uid: str, replies: Replies, predictions: Sequence[TaskPrediction | None]) -> None:
        reasons = Counter(p.reason_unreadable or "unknown" for p in predictions if p is not None and not p.readable)
        reasons["no data"] += sum(p is None for p in predictions)
        for reason, count in (+reasons).most_common(3):
            log.info("project %s: %d of %d tasks answered with []: %s", uid, count, len(predictions), reason)
        odd = {name: n for name, n in replies.dropped.items() if name != "unreadable"}
        if not odd:
            return
        log.warning("project %s: left out of a reply: %s", uid, odd)
        with self._db.write() as session:
            project = projects.ensure(session, uid)
            for name, n in odd.items():
                counters.add(session, f"dropped_{name}", n, project)


def read_schema(label_config: str) -> LabelSchema:
    """The schema of a label config; an empty one when it cannot be read or holds nothing that Lantern supports."""
    return _read_schema(label_config) if label_config else NO_CONTROLS


@lru_cache(maxsize=64)
def _read_schema(label_config: str) -> LabelSchema:
    try:
        return parse_label_config(label_config)
    except LabelConfigError as error:
        log.warning("a label config cannot be used, its tasks are answered with []: %s", error)
        return NO_CONTROLS


def _stand_in(task: IncomingTask, position: int) -> int:
    """A task without an id is scored under a negative one, which no stored task has."""
    return task.task_id if task.task_id is not None else -1 - position


def _known_ids(session: Session, project: Project, ids: Sequence[int]) -> set[int]:
    """Those of the ids that have a row, without reading their data, which may be large."""
    query = select(Task.task_id).where(Task.project_id == project.id)
    return {number for chunk in chunks(ids) for number in session.scalars(query.where(Task.task_id.in_(chunk)))}


def _is_renamed(project: Project, uid: str) -> bool:
    """Whether `uid` tells more than the row knows: the number alone, from an earlier call, against the full key."""
    return "." in uid and project.uid != uid


def _word(value: object) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None


def _log_event(uid: str | None, recorded: Recorded) -> None:
    """Aloud only where it says something new: Label Studio tells of each annotation that Lantern itself has sent."""
    news = recorded.labels_changed or recorded.tasks_changed or recorded.reconcile or recorded.job or not recorded.known
    log.log(
        logging.INFO if news else logging.DEBUG,
        "webhook %s of project %s: %d labels, %d tasks changed%s",
        recorded.action[:40] if recorded.known else "(unknown action)",
        uid,
        recorded.labels_changed,
        recorded.tasks_changed,
        ", reconcile asked for" if recorded.reconcile else "",
    )
