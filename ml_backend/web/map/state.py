"""GET state: everything that the page shows but the points; and how people choose that classes look."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, jsonify, request

from ml_backend.engine.label_sets import BINARY_CLASSES, store_name
from ml_backend.engine.map_colours import colours_of
from ml_backend.engine.map_looks import shown_names, with_colour, with_name
from ml_backend.engine.map_state import MapState
from ml_backend.engine.map_watch import Watch
from ml_backend.engine.schema import schema_of
from ml_backend.errors import InputError
from ml_backend.store import projects
from ml_backend.store.tables import Project
from ml_backend.web.bodies import Body
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
    def look(uid: str, who: object, control: str, name: str) -> Response:
        del who  # any person who may write chooses for everybody
        colour, shown_as = _wanted(body_of(request))
        with maps.db.write() as session:
            project = projects.ensure(session, uid)
            classes, binary = _classes(project, control, name)
            settings = project.settings
            if colour is not None:
                settings = with_colour(settings, control, name, colour)
            if shown_as is not None:
                settings = with_name(settings, control, classes, name, shown_as)
            projects.configure(session, project, settings=settings)
        place = classes.index(name)
        now = {
            "colour": colours_of(control, classes, settings, binary=binary)[place],
            "shown_as": shown_names(control, classes, settings)[place],
        }
        return jsonify(now)

    return routes


def _wanted(body: Body) -> tuple[str | None, str | None]:
    """`colour` and `shown_as`, at least one of them. Raises InputError."""
    colour, shown_as = body.get("colour"), body.get("shown_as")
    if colour is None and shown_as is None:
        raise InputError("'colour' or 'shown_as' is missing: say what the class should look like")
    if colour is not None and not isinstance(colour, str):
        raise InputError("'colour' must be a text like #0072b2")
    if shown_as is not None and not isinstance(shown_as, str):
        raise InputError("'shown_as' must be a text: the name on the map, or empty for the class's own")
    return colour, shown_as


def _classes(project: Project, control: str, name: str) -> tuple[tuple[str, ...], bool]:
    """Classes of the control, `name` among them, and whether they are no and yes.

    Raises InputError for a class that the label config does not have: the settings hold nothing that strangers invent.
    """
    for one in schema_of(project).controls:
        binary = one.kind == "multiple"
        stores = [store_name(one, choice) for choice in one.classes] if binary else [one.name]
        classes = BINARY_CLASSES if binary else one.classes
        if control in stores and name in classes:
            return classes, binary
    raise InputError(f"the label config has no class {name[:80]!r} in {control[:80]!r}")
