"""`lantern connect --map` and `--no-map`: the live map beside a project's own label config.

The config in Label Studio is the one place that says where the map stands and with which key. It is read just before it
is written, so that what people change in between is kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from ml_backend.config import Settings
from ml_backend.errors import ConfigError, LabelConfigError, LabelStudioRefused
from ml_backend.label_studio import link_keys, wanted
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.changes import Change
from ml_backend.label_studio.map_config import MapAddress, find_map, with_map, without_map
from ml_backend.label_studio.ring_field import WITHOUT, ring_field
from ml_backend.store import projects
from ml_backend.store.database import Database
from ml_backend.store.tables import Project

PAGE_SIZE = 1_000
WHAT = "map"
TRIES, SETTLE_SECONDS = 5, 1.0
"""Label Studio saves whole projects: a change of another field that began before ours writes the old config back."""


def show_map(db: Database, settings: Settings, api: LabelStudioApi, project: Project) -> Change:
    """Put the map beside the label config, or repair it. A key that is still good is kept.

    Raises ConfigError for a label config that cannot hold it, and LabelStudioError.
    """
    number = project.label_studio_id
    config = _config(api, number)
    present = _find(config)
    field = ring_field(_all_data(api, number), present.field if present else None)
    with db.read() as session:
        row = projects.ensure(session, project.uid)
    key = present.key if present and link_keys.matches(row, present.key) else _new_key(db, project)
    address = MapAddress(wanted.browser_url(settings), project.uid, key, field)
    try:
        changed = _replace(db, api, project, config, with_map(config, address))
    except LabelConfigError as error:
        raise ConfigError(str(error)) from error
    ring = f"the present task is ringed by its field {field!r}, which new tasks need, too" if field else WITHOUT
    return Change(WHAT, changed, f"beside the task, from {address.base}; {ring}")


def hide_map(db: Database, api: LabelStudioApi, project: Project) -> Change:
    """Take the map out of the label config and revoke its key. Raises LabelStudioError."""
    config = _config(api, project.label_studio_id)
    bare = without_map(config) if _find(config) else config
    changed = _replace(db, api, project, config, bare)
    with db.write() as session:
        revoked = link_keys.revoke(session, projects.ensure(session, project.uid))
    was_there = changed or revoked
    return Change(WHAT, was_there, "not beside the task" + ("; its link no longer opens it" if was_there else ""))


def _config(api: LabelStudioApi, number: int) -> str:
    return str(api.project(number).get("label_config") or "")


def _find(config: str) -> MapAddress | None:
    try:
        return find_map(config)
    except LabelConfigError:
        return None


def _replace(db: Database, api: LabelStudioApi, project: Project, old: str, new: str) -> bool:
    if new == old:
        return False
    for _ in range(TRIES):
        try:
            found = api.update_project(project.label_studio_id, {"label_config": new})
        except LabelStudioRefused as error:
            raise ConfigError(f"Label Studio does not take the label config with this change: {error}") from error
        time.sleep(SETTLE_SECONDS)
        if _config(api, project.label_studio_id) != old:
            break
    with db.write() as session:
        row = projects.ensure(session, project.uid)
        projects.configure(session, row, label_config=str(found.get("label_config") or new))
    return True


def _new_key(db: Database, project: Project) -> str:
    with db.write() as session:
        return link_keys.new_key(session, projects.ensure(session, project.uid))


def _all_data(api: LabelStudioApi, number: int) -> Iterator[Mapping[str, Any]]:
    """The data of all tasks, page by page as it is asked for."""
    page, read = 1, 0
    while True:
        found = api.task_page(number, page, PAGE_SIZE, query={"ordering": ["tasks:id"]})
        for task in found.tasks:
            data = task.get("data")
            yield data if isinstance(data, dict) else {}
        read, page = read + len(found.tasks), page + 1
        if not found.tasks or read >= found.total:
            return
