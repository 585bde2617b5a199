"""`lantern disconnect`: puts back what `connect` found. Labels and pushed predictions stay there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ml_backend.config import Settings
from ml_backend.errors import ConfigError, LabelStudioRefused
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.changes import Change
from ml_backend.label_studio.connect import PROJECT_FIELDS
from ml_backend.label_studio.map_connect import hide_map
from ml_backend.label_studio.sheet_connect import hide_sheets
from ml_backend.label_studio.sheet_link import CONNECTION_KEY as SHEETS
from ml_backend.store import projects
from ml_backend.store.database import Database

Json = dict[str, Any]


def disconnect(db: Database, settings: Settings, api: LabelStudioApi, project: int) -> list[Change]:
    """Put back what `connect` found. Raises ConfigError when the project is not connected to this Lantern, and
    LabelStudioError.
    """
    with db.read() as session:
        row = projects.by_label_studio_id(session, project)
    if row is None or not row.connection.get("connected"):
        raise ConfigError(f"project {project} is not connected to this Lantern ({settings.home})")
    kept = row.connection
    changes = [
        hide_sheets(db, api, row),
        hide_map(db, api, row),
        _put_back("the tab", kept.get("view"), api.delete_view, lambda i, old: api.update_view(i, project, old)),
        _put_back("the webhook", kept.get("webhook"), api.delete_webhook, api.update_webhook),
        _put_back_project(api, project, kept.get("before", {})),
        _put_back(
            "the ML backend",
            kept.get("backend"),
            api.delete_backend,
            lambda i, old: api.update_backend(i, {**old, **_password(settings, old), "project": project}),
        ),
    ]
    with db.write() as session:
        known = projects.ensure(session, row.uid)
        remembered = {name: known.connection[name] for name in (SHEETS,) if name in known.connection}
        connection = {"connected": False, "url": kept.get("url", api.url), **remembered}
        projects.configure(session, known, connection=connection)
    return changes


def _put_back(
    what: str, kept: Json | None, delete: Callable[[int], object], update: Callable[[int, Json], object]
) -> Change:
    if not kept:
        return Change(what, False, "was not touched")
    if kept.get("made"):
        delete(int(kept["id"]))
        return Change(what, True, "removed")
    try:
        update(int(kept["id"]), dict(kept.get("before") or {}))
    except LabelStudioRefused as error:  # such as an ML backend whose earlier address is dead
        return Change(what, False, f"could not be put back: {error}")
    return Change(what, True, "as before")


def _password(settings: Settings, before: Json) -> Json:
    """Label Studio shows no password and takes no Basic credentials without one; only ours is known."""
    return {"basic_auth_pass": settings.basic_auth_pass} if before.get("auth_method") == "BASIC_AUTH" else {}


def _put_back_project(api: LabelStudioApi, number: int, before: Json) -> Change:
    fields = {name: before[name] for name in PROJECT_FIELDS if name in before}
    version = fields.pop("model_version", "") or ""
    there = version in api.model_versions(number) or any(b.get("title") == version for b in api.backends(number))
    api.update_project(number, {**fields, "model_version": version if there else ""})
    return Change("the project", True, "as before")
