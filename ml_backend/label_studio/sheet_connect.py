"""`lantern connect --label-on-map` and `--no-label-on-map`: a second Label Studio project, whose tasks are pictures of
the map. What people draw there with Label Studio's own tools becomes labels of the points inside.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from ml_backend.config import Settings
from ml_backend.data.label_config import Control
from ml_backend.engine.map_colours import colours_of
from ml_backend.engine.schema import schema_of
from ml_backend.errors import ConfigError, LabelStudioRefused
from ml_backend.label_studio import wanted
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.changes import Change
from ml_backend.label_studio.sheet_config import sheet_config
from ml_backend.label_studio.sheet_link import SheetLink, keep_link, link_of
from ml_backend.store import projects
from ml_backend.store.database import Database
from ml_backend.store.tables import Project

WHAT = "label on the map"
LONGEST_TITLE = 50
"""Characters that Label Studio takes."""
_ENDING = " - map"
_SECRET_BYTES = 16

Json = dict[str, Any]


def show_sheets(db: Database, settings: Settings, api: LabelStudioApi, project: Project, backend_url: str) -> Change:
    """Make the project with the sheets, or repair it. backend_url: how Label Studio reaches Lantern.

    Raises ConfigError when the label config asks nothing that can be drawn, and LabelStudioError.
    """
    with db.read() as session:
        row = projects.ensure(session, project.uid)
    control = _control(row)
    config = sheet_config(f"Draw around points of one kind ({control.name})", _classes(row, control))
    link, found = _present(api, row)
    changed = link is None or not link.active
    if link is None or found is None:
        title = row.title[: LONGEST_TITLE - len(_ENDING)] + _ENDING
        found = api.create_project({"title": title, "label_config": config, "show_collab_predictions": False})
        link = SheetLink(int(found["id"]), str(found["uid"]), control.name, secrets.token_hex(_SECRET_BYTES))
    elif found.get("label_config") != config:
        _update_config(api, link, config)
        changed = True
    link = replace(link, control=control.name, secret=link.secret or secrets.token_hex(_SECRET_BYTES))
    _keep(db, row, link)  # before the webhook, whose first posts must find it
    webhook, made = _webhook(settings, api, link, f"{backend_url}/webhook")
    _keep(db, row, replace(link, webhook=webhook))
    detail = f'project {link.project}, "{found.get("title")}", answers {control.name!r}; its first picture follows'
    return Change(WHAT, changed or made, detail)


def hide_sheets(db: Database, api: LabelStudioApi, project: Project) -> Change:
    """Stop following the project with the sheets and end the addresses of its pictures; it stays, and so do the labels.

    Raises LabelStudioError.
    """
    with db.read() as session:
        row = projects.ensure(session, project.uid)
    link = link_of(row)
    if link is None or not link.active:
        return Change(WHAT, False, "off")
    if link.webhook:
        api.delete_webhook(link.webhook)
    _keep(db, row, link.switched_off())
    return Change(WHAT, True, f"off; project {link.project} and the labels drawn there stay")


def _control(project: Project) -> Control:
    controls = schema_of(project).controls
    if not controls:
        raise ConfigError("the label config asks nothing that Lantern predicts, so nothing can be drawn on the map")
    return controls[0]


def _classes(project: Project, control: Control) -> list[tuple[str, str]]:
    """A box that can be ticked has no colour on the map of its own: the palette's serves to tell them apart."""
    colours = colours_of(control.name, control.classes, project.settings, binary=False)
    return list(zip(control.classes, colours, strict=True))


def _present(api: LabelStudioApi, project: Project) -> tuple[SheetLink | None, Json | None]:
    """The link and the project that it names; None when somebody deleted that."""
    link = link_of(project)
    try:
        found = api.project(link.project) if link is not None else None
    except LabelStudioRefused as error:
        if error.http_status != 404:
            raise
        return None, None
    return (link, found) if link is not None and found is not None and found["uid"] == link.uid else (None, None)


def _update_config(api: LabelStudioApi, link: SheetLink, config: str) -> None:
    try:
        api.update_project(link.project, {"label_config": config})
    except LabelStudioRefused as error:
        raise ConfigError(
            f"project {link.project} does not take the present classes, since somebody drew with one that is gone: "
            f"delete those annotations or that project, then run this again ({error})"
        ) from error


def _webhook(settings: Settings, api: LabelStudioApi, link: SheetLink, target: str) -> tuple[int, bool]:
    """(id, whether it was made or changed)."""
    fields = wanted.webhook_fields(settings, target)
    ours = next((hook for hook in api.webhooks(link.project) if wanted.same_address(hook.get("url"), target)), None)
    if ours is None:
        return int(api.create_webhook({"project": link.project, **fields})["id"]), True
    if wanted.holds(ours, fields):
        return int(ours["id"]), False
    api.update_webhook(ours["id"], fields)
    return int(ours["id"]), True


def _keep(db: Database, project: Project, link: SheetLink) -> None:
    with db.write() as session:
        keep_link(session, projects.ensure(session, project.uid), link)
