"""GET state: everything that the page shows but the points."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from ml_backend.engine.map_state import map_state
from ml_backend.web.map.context import API_PREFIX, MapContext


def state_routes(maps: MapContext) -> Blueprint:
    """GET state."""
    routes = Blueprint("map_state", __name__, url_prefix=API_PREFIX)

    @routes.get("/state")
    @maps.reads
    def state(uid: str) -> Response:
        return jsonify(map_state(maps.engine, uid, maps.connections.address))

    return routes
