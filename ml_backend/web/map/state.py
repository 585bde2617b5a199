"""GET state: everything that the page shows but the points; and the colours that people choose for classes."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, jsonify, request

from ml_backend.engine.label_sets import BINARY_CLASSES, store_name
from ml_backend.engine.map_colours import with_colour
from ml_backend.engine.map_state import MapState
from ml_backend.engine.map_watch import Watch
from ml_backend.engine.schema import schema_of
from ml_backend.errors import InputError
from ml_backend.store import projects
from ml_backend.store.tables import Project
from ml_backend.web.map.arguments import body_of
from ml_backend.web.map.context import API_PREFIX, MapContext
from ml_backend.web.map.people import writes


def state_routes(maps: MapContext, states: MapState, watch: Watch) -> Blueprint:
    """GET state, POST controls/<control>/classes/<class>. watch: whoever asks for the state looks at the map."""
    routes = Blueprint("map_state", __name__, url_prefix=API_PREFIX)

    @routes.get("/state")
    @maps.reads
    def state(uid: str) -> Response:
        found = states.state(uid)
        training = found["training"]
        watch.keep(uid, training=isinstance(training, Mapping) and training["status"] != "idle")
        return jsonify(found)

    @routes.post("/controls/<path:control>/classes/<path:name>")
    @writes(maps)
    def recolour(uid: str, who: object, control: str, name: str) -> Response:
        del who  # any person who may write chooses for everybody
        colour = body_of(request).get("colour")
        if not isinstance(colour, str):
            raise InputError("'colour' must be a text like #0072b2")
        with maps.db.write() as session:
            project = projects.ensure(session, uid)
            _check(project, control, name)
            settings = with_colour(project.settings, control, name, colour)
            projects.configure(session, project, settings=settings)
        return jsonify({"colour": colour.lower()})

    return routes


def _check(project: Project, control: str, name: str) -> None:
    """Raises InputError for a class that the label config does not have: the settings hold nothing that strangers
    invent.
    """
    for one in schema_of(project).controls:
        if one.kind == "multiple":
            known = name in BINARY_CLASSES and any(store_name(one, choice) == control for choice in one.classes)
        else:
            known = one.name == control and name in one.classes
        if known:
            return
    raise InputError(f"the label config has no class {name[:80]!r} in {control[:80]!r}")
