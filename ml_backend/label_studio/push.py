"""Predictions into Label Studio, so that score column, "Label next" tab, uncertainty sampling and label stream agree.

All four look at the predictions whose model_version equals the project's. So a push imports all tasks under one new
version, points the project at it, and only then lets the old version go. The bulk import recounts the whole project
each time, so it is made of few big calls; one call is stored whole or not at all. Imports outside of [0, 1] or with
regions that do not fit are dropped without a word, so `created` is compared with what was sent, and the reason is
looked for. The pushes table says how far it came: a push that died goes on where it was, unless the predictions have
moved on; then the next one starts and clears it away.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import Any

from ml_backend.engine.heartbeat import ours
from ml_backend.engine.publishing import publish_labels
from ml_backend.errors import LabelStudioError, LabelStudioRefused, LabelStudioUnreachable
from ml_backend.label_studio import client
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.contract import Replies
from ml_backend.label_studio.predictor import Predictor, PublishedView
from ml_backend.label_studio.reconcile import check_same_project
from ml_backend.label_studio.refusals import explain_refusals
from ml_backend.store import counters, projects, publications, pushes, tasks
from ml_backend.store.database import Database
from ml_backend.store.tables import Project, Push

log = logging.getLogger(__name__)

SMALLEST_BATCH = 5_000
LARGEST_BATCH = 20_000
"""Predictions in one import call: a fifth of the project, within these. After each call Label Studio recounts the
whole project; a proxy in front of it gives up after 60 to 90 s.
"""
VIEW_ATTEMPTS = 3
"""How often a version is made anew because a label came in just then."""
OWN_PREFIX = "lantern-"
"""Model versions that begin so are Lantern's, and Lantern's to delete."""
MAX_GONE_TASKS = 20
"""How many tasks that Label Studio no longer has are sorted out of one import before the tasks are read again."""

Item = dict[str, object]

_BAD_TASK = re.compile(r"task\W{1,6}(\d+)|Invalid task ID (\d+)")


@dataclass(frozen=True)
class Pushed:
    """One finished push. refused: sent but not made by Label Studio."""

    model_version: str
    sent: int
    created: int
    seconds: float

    @property
    def refused(self) -> int:
        """How many predictions Label Studio dropped."""
        return self.sent - self.created


class Pusher:
    """Brings one project's predictions into its Label Studio."""

    def __init__(
        self, db: Database, engine: Predictor, api: LabelStudioApi, *, check_lease: Callable[[], None] = ours
    ) -> None:
        self._db = db
        self._engine = engine
        self._api = api
        self._check_lease = check_lease

    def push(self, uid: str) -> Pushed | None:
        """Import the newest predictions and point the project at them. None when there is nothing to send, or the
        project was disconnected meanwhile.

        Raises LabelStudioError, and LeaseLost when another worker goes on with it; what has arrived until then stays
        recorded, and the next call goes on from there.
        """
        project = self._project(uid)
        number = project.label_studio_id
        found = self._api.project(number)
        check_same_project(project, found)
        if found.get("label_config") != project.label_config:
            self._take_config(uid, found)
        view = self._view(uid)
        wanted = self._live_tasks(uid, view) if view is not None else []
        if view is None or not wanted:
            return None
        started = time.time()
        push, goes_on = self._begin(uid, view)
        batches = _batches(islice(_items(view, wanted, push.model_version), push.sent, None), _batch_size(view))
        if goes_on:
            push = self._caught_up(push, number, batches)
        sent, created = self._send(uid, push, number, batches, str(found.get("label_config") or ""))
        self._check_lease()
        self._verify(push, number, created)
        if self._was_disconnected(uid):
            self._fail(push, "the project was disconnected meanwhile")
            return None
        if not created:
            self._fail(push, f"Label Studio made none of {sent} predictions: run `lantern doctor`")
            return None
        self._switch(push, number)
        done = Pushed(push.model_version, sent, created, time.time() - started)
        log.info("project %s: %d of %d predictions pushed as %s", uid, created, sent, push.model_version)
        return done

    def _project(self, uid: str) -> Project:
        with self._db.read() as session:
            return projects.ensure(session, uid)

    def _take_config(self, uid: str, found: dict[str, Any]) -> None:
        """The webhook that told of the new label config was lost: predictions for the old one would be dropped."""
        with self._db.write() as session:
            projects.configure(session, projects.ensure(session, uid), label_config=found.get("label_config"))

    def _view(self, uid: str) -> PublishedView | None:
        """The newest view under a version that no earlier push has used and that no older labels had."""
        view = self._engine.view(uid)
        for _ in range(VIEW_ATTEMPTS):
            if view is None or self._has_own_version(uid, view):
                break
            publish_labels(self._db, uid, view.labels_version)
            view = self._engine.view(uid)
        return view

    def _has_own_version(self, uid: str, view: PublishedView) -> bool:
        """Whether its version stands for these labels and no others, and was not pushed before."""
        with self._db.read() as session:
            project = projects.ensure(session, uid)
            push, published = pushes.newest(session, project), publications.list_all(session, project)
        if push and push.state == pushes.State.RUNNING and _continues(push, view):
            return True
        used = push is not None and push.model_version == view.model_version
        made_from = next((p.labels_version for p in published if p.number == view.number), None)
        return not used and view.labels_version == made_from

    def _begin(self, uid: str, view: PublishedView) -> tuple[Push, bool]:
        """The push that was left unfinished for this version, or a new one; whether it was left."""
        with self._db.write() as session:
            project = projects.ensure(session, uid)
            going_on = None
            for push in pushes.unfinished(session, project):
                if _continues(push, view) and going_on is None:
                    going_on = push
                else:
                    pushes.fail(session, push, "the predictions moved on before it was complete", time.time())
            if going_on is not None:
                return going_on, True
            left = pushes.take_old_versions(session, project)
            return pushes.start(
                session,
                project,
                model_version=view.model_version,
                now=time.time(),
                publication_number=view.number,
                labels_version=view.labels_version,
                old_versions=[version for version in left if version != view.model_version],
            ), False

    def _caught_up(self, push: Push, number: int, batches: Iterator[list[Item]]) -> Push:
        """Take the next batch out of `batches` and count it when it arrived although its answer was lost.

        A call is stored whole or not at all. Any other number than none or the whole batch (some of it were refused,
        or somebody retrieved or deleted predictions meanwhile) does not say what is missing: a new version does.
        """
        there = self._api.model_versions(number).get(push.model_version, 0)
        if there != push.created:
            arrived = len(next(batches, []))
            if there != push.created + arrived:
                self._fail(push, f"{push.created} predictions were made, {there} are there")
                raise LabelStudioError(f"{push.model_version}: {there} predictions found; pushing again")
            with self._db.write() as session:
                pushes.progress(session, push, sent=arrived, created=arrived)
        with self._db.read() as session:
            push = session.get_one(Push, (push.project_id, push.number))
        log.info("push of %s goes on after %d predictions", push.model_version, push.sent)
        return push

    def _live_tasks(self, uid: str, view: PublishedView) -> list[int]:
        """Tasks of the view that are not deleted, in the order of ids."""
        with self._db.read() as session:
            live = set(tasks.live_ids(session, projects.ensure(session, uid)))
        return sorted(live & set(view.task_ids.tolist()))

    def _send(self, uid: str, push: Push, number: int, batches: Iterator[list[Item]], config: str) -> tuple[int, int]:
        sent, created = push.sent, push.created
        for batch in batches:
            self._check_lease()
            if self._was_disconnected(uid):
                break
            n_sent, n_created = self._import(uid, number, batch, created)
            with self._db.write() as session:
                project = projects.ensure(session, uid)
                pushes.progress(session, push, sent=n_sent, created=n_created)
                if n_created < n_sent:
                    counters.add(session, "predictions_refused", n_sent - n_created, project)
            if n_created < n_sent:
                log.error(
                    "project %s: Label Studio dropped %d of %d predictions: %s",
                    uid,
                    n_sent - n_created,
                    n_sent,
                    explain_refusals(config, batch),
                )
            sent, created = sent + n_sent, created + n_created
        return sent, created

    def _was_disconnected(self, uid: str) -> bool:
        """Then what `disconnect` has put back stays."""
        return self._project(uid).connection.get("connected") is False

    def _import(self, uid: str, number: int, batch: list[Item], before: int) -> tuple[int, int]:
        """(sent, created). A task that is gone fails the whole call: it is taken out, and the tasks are read again.

        before: how many predictions were made of this version.
        """
        for _ in range(MAX_GONE_TASKS):
            try:
                return len(batch), self._import_once(number, batch, before)
            except LabelStudioRefused as error:
                gone = {int(first or second) for first, second in _BAD_TASK.findall(str(error))}
                kept = [item for item in batch if item["task"] not in gone]
                if len(kept) == len(batch):
                    raise
                log.info("project %s: tasks %s are gone in Label Studio", uid, sorted(gone))
                self._ask_reconcile(uid)
                batch = kept
            if not batch:
                return 0, 0
        raise LabelStudioError("more tasks than expected are gone in Label Studio: reconciling first")

    def _import_once(self, number: int, batch: list[Item], before: int) -> int:
        """How many predictions were made. After Label Studio's own error 500, such as a locked SQLite, it is looked at
        what is there, and the batch is sent again where nothing of it is. After anything else it may still be at it.
        """
        for wait in client.RETRY_SECONDS:
            try:
                return self._api.import_predictions(number, batch)
            except LabelStudioUnreachable as error:
                if error.http_status != HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise
                time.sleep(wait)
                made = self._api.model_versions(number).get(str(batch[0]["model_version"]), 0) - before
                if made == len(batch):
                    return made
                if made:
                    raise
        return self._api.import_predictions(number, batch)

    def _ask_reconcile(self, uid: str) -> None:
        with self._db.write() as session:
            projects.request_reconcile(session, projects.ensure(session, uid))

    def _verify(self, push: Push, number: int, created: int) -> None:
        """What Label Studio says it made must be there before the project points at it."""
        there = self._api.model_versions(number).get(push.model_version, 0)
        if there < created:
            self._fail(push, f"Label Studio made {created} predictions, but only {there} are there")
            raise LabelStudioError(f"{push.model_version}: {created} predictions made, {there} found; pushing again")

    def _switch(self, push: Push, number: int) -> None:
        """Point the project at the new version first: deleting the one it points at would blank the pointer."""
        self._api.update_project(number, {"model_version": push.model_version})
        old = [v for v in self._api.model_versions(number) if v.startswith(OWN_PREFIX) and v != push.model_version]
        with self._db.write() as session:
            pushes.take_old_versions(session, session.get_one(Project, push.project_id))
            pushes.set_old_versions(session, push, sorted(old))
            pushes.finish(session, push, time.time())

    def _fail(self, push: Push, why: str) -> None:
        with self._db.write() as session:
            pushes.fail(session, push, why, time.time())


def _continues(push: Push, view: PublishedView) -> bool:
    """Whether what is missing of a push can still be sent: the same publication under the same labels."""
    return push.model_version == view.model_version and push.labels_version == view.labels_version


def _items(view: PublishedView, task_ids: list[int], version: str) -> Iterator[Item]:
    """Import items of these tasks, without those about which nothing can be stored."""
    replies = Replies(view.schema, version)
    for start in range(0, len(task_ids), SMALLEST_BATCH):
        for prediction in view.predictions(task_ids[start : start + SMALLEST_BATCH]):
            item = replies.import_item(prediction)
            if item is not None:
                yield item


def _batch_size(view: PublishedView) -> int:
    return min(LARGEST_BATCH, max(SMALLEST_BATCH, len(view.task_ids) // 5))


def _batches(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while batch := list(islice(items, size)):
        yield batch
