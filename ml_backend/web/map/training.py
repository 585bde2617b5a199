"""Training, runs and settings: what a person steers. Reading needs the page's token, everything else a person's own."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request

from ml_backend.engine.steering import Steering
from ml_backend.errors import InputError
from ml_backend.web.bodies import read_object
from ml_backend.web.map.context import API_PREFIX, MapContext

WISHES = ("epochs", "weights", "prior", "phase")


def training_routes(maps: MapContext, person_of: Callable[[str], str]) -> Blueprint:
    """person_of: name of the person whose token the present request shows, checked against the project of a uid; raises
    when there is none.
    """
    routes = Blueprint("map_training", __name__, url_prefix=API_PREFIX)
    steering = Steering(maps.db, maps.settings)

    @routes.get("/training")
    @maps.reads
    def overview(uid: str) -> Response:
        return jsonify(steering.overview(uid))

    @routes.post("/training")
    @maps.reads
    def train(uid: str) -> Response:
        person, wish = person_of(uid), read_object(request)
        unknown = set(wish) - set(WISHES)
        if unknown:
            raise InputError(f"a training has no {sorted(unknown)[0][:40]!r}: {', '.join(WISHES)}")
        return jsonify({"run": steering.ask(uid, wish, person)})

    @routes.post("/training/stop")
    @maps.reads
    def stop(uid: str) -> Response:
        person_of(uid)
        return jsonify({"run": steering.stop(uid)})

    @routes.get("/runs")
    @maps.reads
    def runs(uid: str) -> Response:
        return jsonify({"runs": steering.runs(uid)})

    @routes.post("/runs/<int:run_id>/restore")
    @maps.reads
    def restore(uid: str, run_id: int) -> Response:
        return jsonify({"run": steering.restore(uid, run_id, person_of(uid))})

    @routes.post("/settings")
    @maps.reads
    def settings(uid: str) -> Response:
        person_of(uid)
        return jsonify({"settings": steering.set(uid, read_object(request))})

    return routes
