"""What people do on the map: labels, answers that are no label, undo and redo, new classes."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify, request

from ml_backend.errors import InputError
from ml_backend.label_studio.map_acts import MOST_TASKS, Acted
from ml_backend.label_studio.new_class import add_class
from ml_backend.label_studio.people import SignedIn
from ml_backend.store.checks import row_id
from ml_backend.web.bodies import Body
from ml_backend.web.map.arguments import body_of
from ml_backend.web.map.context import API_PREFIX, ROW_ID, MapContext
from ml_backend.web.map.people import writes

MOST_LISTED = 200


def act_routes(maps: MapContext) -> Blueprint:
    """POST acts, undo, redo and retry; GET acts; POST controls/<control>/classes."""
    routes = Blueprint("map_acts", __name__, url_prefix=API_PREFIX)

    @routes.post("/acts")
    @writes(maps)
    def act(uid: str, who: SignedIn) -> Response:
        acted = _act(maps, uid, who, body_of(request))
        return jsonify({"act": act_json(acted), "kept": acted.kept})

    @routes.get("/acts")
    @maps.reads
    def listed(uid: str) -> Response:
        limit = request.args.get("limit", 50, type=int)
        found = maps.acts.list_newest(uid, min(max(limit, 1), MOST_LISTED))
        return jsonify({"acts": [act_json(one) for one in found]})

    @routes.post(f"/acts/<{ROW_ID}:number>/undo")
    @writes(maps)
    def undo(uid: str, who: SignedIn, number: int) -> Response:
        acted = maps.acts.undo(uid, who, number)
        return jsonify({"act": act_json(acted), "kept": acted.kept})

    @routes.post(f"/acts/<{ROW_ID}:number>/redo")
    @writes(maps)
    def redo(uid: str, who: SignedIn, number: int) -> Response:
        acted = maps.acts.redo(uid, who, number)
        return jsonify({"act": act_json(acted), "kept": acted.kept})

    @routes.post("/acts/retry")
    @writes(maps)
    def retry(uid: str, who: SignedIn) -> Response:
        return jsonify({"retried": maps.acts.retry(uid, who)})

    @routes.post("/controls/<path:control>/classes")
    @writes(maps)
    def new_class(uid: str, who: SignedIn, control: str) -> Response:
        name = _text(body_of(request), "name")
        return jsonify({"classes": list(add_class(maps.db, maps.project(uid), who, control, name))})

    return routes


def act_json(acted: Acted) -> dict[str, object]:
    """An act as the page knows it."""
    act, progress = acted.act, acted.progress
    return {
        "id": act.id,
        "kind": act.kind,
        "control": act.control,
        "label": act.label,
        "person": act.person_name,
        "tasks": progress.total,
        "created_at": datetime.fromtimestamp(act.created_at, UTC).isoformat(timespec="seconds"),
        "undone": act.undone,
        "progress": {"sent": progress.sent, "failed": progress.failed, "waiting": progress.waiting},
        "error": progress.error,
    }


def _act(maps: MapContext, uid: str, who: SignedIn, body: Body) -> Acted:
    kind = _text(body, "kind")
    if kind == "label":
        control, label, overwrite = _text(body, "control"), _text(body, "label"), body.get("overwrite") is True
        return maps.acts.label(uid, who, control, label, _tasks(body), overwrite=overwrite)
    if kind == "accept":
        return maps.acts.accept(
            uid,
            who,
            _text(body, "control"),
            component=_component(body),
            tasks=None if body.get("tasks") is None else _tasks(body),
            min_confidence=_share(body, "min_confidence"),
        )
    return maps.acts.set_aside(uid, who, kind, _tasks(body))


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"'{name}' must be a text")
    return value


def _tasks(body: Body) -> list[int]:
    """Ids without repeats, in order."""
    value = body.get("tasks")
    if not isinstance(value, list) or not value:
        raise InputError("'tasks' must be a list of task ids with at least one of them")
    if len(value) > MOST_TASKS:
        raise InputError(f"an act is about {MOST_TASKS:,} tasks at most: select fewer")
    return list(dict.fromkeys(row_id(task, "a task") for task in value))


def _component(body: Body) -> int | None:
    value = body.get("component")
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputError("'component' must be a component's number, or null")
    return value


def _share(body: Body, name: str) -> float:
    value = body.get(name, 0.9)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0.0 <= value <= 1.0:
        raise InputError(f"'{name}' must be a number from 0 to 1")
    return float(value)
