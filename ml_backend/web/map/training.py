"""Training, runs and settings: what a person steers. Reading needs the page's token, everything else a person's own."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, jsonify, request

from ml_backend.engine.steering import Steering
from ml_backend.errors import InputError
from ml_backend.label_studio.people import SignedIn
from ml_backend.web.map.arguments import body_of
from ml_backend.web.map.context import API_PREFIX, ROW_ID, MapContext
from ml_backend.web.map.people import writes

log = logging.getLogger(__name__)

WISHES = ("epochs", "weights", "prior", "phase")


def training_routes(maps: MapContext) -> Blueprint:
    """The routes under "Steering" of docs/map-api.md, without the components."""
    routes = Blueprint("map_training", __name__, url_prefix=API_PREFIX)
    steering = Steering(maps.db, maps.settings)

    @routes.get("/training")
    @maps.reads
    def overview(uid: str) -> Response:
        return jsonify(steering.overview(uid))

    @routes.post("/training")
    @writes(maps)
    def train(uid: str, who: SignedIn) -> Response:
        wish = body_of(request)
        unknown = set(wish) - set(WISHES)
        if unknown:
            raise InputError(f"a training has no {sorted(unknown)[0][:40]!r}: {', '.join(WISHES)}")
        return jsonify({"run": steering.ask(uid, wish, who.person.name)})

    @routes.post("/training/stop")
    @writes(maps)
    def stop(uid: str, who: SignedIn) -> Response:
        log.info("project %s: %s stops the training", uid, who.person.name)
        return jsonify({"run": steering.stop(uid)})

    @routes.get("/runs")
    @maps.reads
    def runs(uid: str) -> Response:
        return jsonify({"runs": steering.runs(uid)})

    @routes.post(f"/runs/<{ROW_ID}:run_id>/restore")
    @writes(maps)
    def restore(uid: str, who: SignedIn, run_id: int) -> Response:
        return jsonify({"run": steering.restore(uid, run_id, who.person.name)})

    @routes.post("/settings")
    @writes(maps)
    def settings(uid: str, who: SignedIn) -> Response:
        log.info("project %s: %s changes settings", uid, who.person.name)
        return jsonify({"settings": steering.set(uid, body_of(request))})

    return routes
