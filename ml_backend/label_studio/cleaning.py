"""Deletes the predictions of versions that a push has replaced, when nobody is labelling.

Label Studio deletes a version in one transaction at about 200 predictions a second; on SQLite everybody who submits
meanwhile waits for it (5,000 predictions: 20 seconds, measured on 1.23.2). Single predictions go at about 8 a second
and block nobody. So a version goes at once only after twice as much quiet as its deletion takes; until then it is
nibbled at, a few at a time.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.store import projects, pushes
from ml_backend.store.database import Database
from ml_backend.store.tables import Push

log = logging.getLogger(__name__)

DELETED_A_SECOND = 200.0
"""Predictions that Label Studio deletes with their version, measured."""
QUIET_FACTOR = 2.0
"""Quiet time before a deletion, as a multiple of the time that it takes."""
MIN_QUIET_SECONDS = 5.0
NIBBLE = 40
"""Single predictions deleted in one step, about five seconds."""


@dataclass(frozen=True)
class Leftovers:
    """Old versions of a project, and since when nobody has labelled."""

    push: Push
    versions: tuple[str, ...]
    quiet_seconds: float


def leftovers(db: Database, uid: str, now: float) -> Leftovers | None:
    """What there is to clean; None when there is nothing or somebody is labelling right now."""
    with db.read() as session:
        project = projects.ensure(session, uid)
        waiting = pushes.with_old_versions(session, project)
        # of all projects: a deletion locks the whole SQLite database, whichever project it is about
        changes = [project.data_changed_at, *(one.labels_changed_at for one in projects.list_all(session))]
    # what changed in the future did so before the clock was put back; a label that comes just now is no such thing
    quiet = now - max((change for change in changes if change < now + MIN_QUIET_SECONDS), default=0.0)
    if not waiting or quiet < MIN_QUIET_SECONDS:
        return None
    return Leftovers(waiting[-1], tuple(waiting[-1].old_versions), quiet)


def clean_step(db: Database, api: LabelStudioApi, uid: str) -> None:
    """Delete one old version, or a few predictions of one. Raises LabelStudioError; the next step goes on."""
    found = leftovers(db, uid, time.time())
    if found is None:
        return
    with db.read() as session:
        number = projects.ensure(session, uid).label_studio_id
    # somebody may have chosen an older version by hand: deleting it would blank the choice
    chosen = api.project(number).get("model_version")
    counts = api.model_versions(number)
    there = [v for v in found.versions if v in counts and v != chosen]
    if there:
        smallest = min(there, key=lambda version: counts[version])
        if found.quiet_seconds >= QUIET_FACTOR * counts[smallest] / DELETED_A_SECOND:
            api.delete_model_version(number, smallest)
            log.info("project %s: %d predictions of %s deleted", uid, counts[smallest], smallest)
            there.remove(smallest)
        else:
            _nibble(api, number, smallest)
    _remember(db, found, there)


def _nibble(api: LabelStudioApi, number: int, version: str) -> None:
    contains = {
        "filter": "filter:tasks:predictions_model_versions",
        "operator": "contains",
        "type": "List",
        "value": version,
    }
    query = {"filters": {"conjunction": "and", "items": [contains]}}
    page = api.task_page(number, 1, NIBBLE, query=query, full=True)
    found = [p for task in page.tasks for p in task.get("predictions") or () if p.get("model_version") == version]
    for prediction in found[:NIBBLE]:
        api.delete_prediction(int(prediction["id"]))


def _remember(db: Database, found: Leftovers, versions: list[str]) -> None:
    if list(found.push.old_versions) == versions:
        return
    with db.write() as session:
        pushes.set_old_versions(session, found.push, versions)
