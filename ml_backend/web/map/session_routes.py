"""POST session: a link key, or the log-in, becomes a token."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Request, Response, jsonify, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, NotFound, Unauthorized

from ml_backend.errors import InputError
from ml_backend.label_studio import link_keys
from ml_backend.logs import hide
from ml_backend.store.tables import Project
from ml_backend.web.bodies import read_object
from ml_backend.web.map.context import API_PREFIX, MapContext
from ml_backend.web.map.sessions import TOKEN_SECONDS

MOST_BYTES = 4096
"""Of a body: this route reads what strangers send."""


def session_routes(maps: MapContext, logged_in: Callable[[Request], bool]) -> Blueprint:
    """The one route of the interface that needs no token."""
    routes = Blueprint("map_session", __name__, url_prefix=API_PREFIX)

    @routes.post("/session")
    def session(project: str) -> Response:
        key = _key_of(request)
        if key is None and not logged_in(request):
            raise Unauthorized(
                "open the map with its link from Label Studio, or log in with the user and password of Lantern",
                www_authenticate=WWWAuthenticate("basic", {"realm": "Lantern"}),
            )
        found, mark = (maps.project(project), "") if key is None else _opened(maps, project, key)
        token = maps.sessions.issue(found, mark)
        return jsonify({"token": token, "expires_in": TOKEN_SECONDS})

    return routes


def _opened(maps: MapContext, project: str, key: str) -> tuple[Project, str]:
    """The project and its link key's mark. An unknown project is refused like a wrong key: strangers learn nothing."""
    try:
        found = maps.project(project)
    except NotFound:
        found = None
    if found is None or not link_keys.matches(found, key):
        raise Forbidden("this link to the map is wrong or was revoked: reload the task in Label Studio")
    return found, link_keys.mark(found)


def _key_of(given: Request) -> str | None:
    """The link key in the body; None when there is none."""
    if not given.content_length and "Transfer-Encoding" not in given.headers:
        return None
    body = read_object(given, MOST_BYTES)
    hide([body.get("key")])
    key = body.get("key")
    if key is not None and not isinstance(key, str):
        raise InputError("'key' must be a text")
    return key
