"""Who writes through the map: a person, known by a Label Studio token of their own."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import TooManyRequests

from ml_backend.errors import PersonRefused
from ml_backend.label_studio.people import Person, SignedIn
from ml_backend.logs import hide
from ml_backend.store.tables import Project
from ml_backend.web.map.context import API_PREFIX, MapContext

TOKEN_HEADER = "X-Label-Studio-Token"

R = TypeVar("R")


def people_routes(maps: MapContext) -> Blueprint:
    """POST sign-in."""
    routes = Blueprint("map_people", __name__, url_prefix=API_PREFIX)

    @routes.post("/sign-in")
    @writes(maps)
    def sign_in(uid: str, who: SignedIn) -> Response:
        return jsonify({"person": person_json(who.person)})

    return routes


def writes(maps: MapContext) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Decorator of a route that changes something: the view gets the project's uid and who the person is.

    Checks the view token first, then the person's own token: 401, 403, 409 and 502 as `People.check` raises them, 429
    after too many that were refused. What that person has waiting in the outbox goes on.
    """

    def decorate(view: Callable[..., R]) -> Callable[..., R]:
        @wraps(view)
        def checked(*, project: str, **rest: Any) -> R:
            found = maps.reader(project)
            who = sign_in(maps, found)
            return view(found.uid, who=who, **rest)

        return checked

    return decorate


def sign_in(maps: MapContext, project: Project) -> SignedIn:
    """The person whose token the present request carries."""
    token = request.headers.get(TOKEN_HEADER)
    hide([token])
    who = _checked(maps, project, token)
    maps.acts.go_on(project.uid, who)
    return who


def _checked(maps: MapContext, project: Project, token: str | None) -> SignedIn:
    """As `People.check`, but raises TooManyRequests (429) instead of asking Label Studio once more when the address has
    shown too many tokens that were refused. Who is known already goes on, whatever others behind that address do.
    """
    if maps.people.remembers(project, token):
        return maps.people.check(project, token)
    address = request.remote_addr or "unknown"
    wait = maps.token_attempts.wait_seconds(address)
    if wait > 0:
        raise TooManyRequests("too many bad tokens from this address: wait", retry_after=math.ceil(wait))
    try:
        return maps.people.check(project, token)
    except PersonRefused:
        if token:
            maps.token_attempts.failed(address)
        raise


def person_json(person: Person) -> dict[str, object]:
    """As the page knows a person."""
    return {"id": person.id, "name": person.name, "email": person.email}
