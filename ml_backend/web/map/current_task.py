"""GET tasks?value=: the row of the task that Label Studio shows beside the map, by the field that the map's place in
the label config names.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import Text, cast, func, select
from werkzeug.exceptions import NotFound

from ml_backend.errors import InputError, LabelConfigError
from ml_backend.label_studio.map_config import find_map
from ml_backend.store import projects
from ml_backend.store.tables import Project, Task
from ml_backend.web.map.context import API_PREFIX, MapContext


def current_task_routes(maps: MapContext) -> Blueprint:
    """GET tasks?value=V -> {"row": row or null, "task": id}."""
    routes = Blueprint("map_current_task", __name__, url_prefix=API_PREFIX)

    @routes.get("/tasks")
    @maps.reads
    def task_of_value(uid: str) -> Response:
        value = request.args.get("value")
        if not value:
            raise InputError("name the task by `value`, the content of its field")
        task_id = _task(maps, maps.project(uid), value)
        view = maps.engine.view(uid)
        return jsonify({"row": None if view is None else view.row_of.get(task_id), "task": task_id})

    return routes


def _task(maps: MapContext, project: Project, value: str) -> int:
    """The live task whose field has this content. Raises NotFound, also when several have."""
    field = _field(project)
    if field is None:
        raise NotFound("the map in the label config names no field: `lantern connect --map` chooses one")
    content = cast(func.json_extract(Task.data, f'$."{field}"'), Text)
    with maps.db.read() as session:
        row = projects.current(session, project)
        query = select(Task.task_id).where(Task.project_id == row.id, Task.deleted.is_(False), content == value)
        found = session.scalars(query.limit(2)).all()
    if len(found) != 1:
        raise NotFound(f"{'several tasks have' if found else 'no task has'} this {field}")
    return found[0]


def _field(project: Project) -> str | None:
    try:
        shown = find_map(project.label_config) if project.label_config else None
    except LabelConfigError:
        return None
    return shown.field if shown else None
