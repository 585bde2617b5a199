"""What every route of the map needs: settings, store, engine, sessions, and the check of who may read which project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

from flask import request
from werkzeug.exceptions import Conflict, NotFound

from ml_backend.config import Settings
from ml_backend.engine.engine import NO_MODEL, Engine
from ml_backend.engine.map_reading import MapReader, Moment
from ml_backend.errors import InputError
from ml_backend.label_studio import link_keys
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.map_acts import MapActs
from ml_backend.label_studio.outbox import Outbox
from ml_backend.label_studio.people import People
from ml_backend.store import projects
from ml_backend.store.database import Database
from ml_backend.store.tables import Project
from ml_backend.web.attempts import Attempts
from ml_backend.web.map.sessions import Claim, Sessions, refusal

API_PREFIX = "/map/<project>/api"
"""`url_prefix` of every blueprint of the interface."""

ROW_ID = f"int(max={2**63 - 1})"
"""Converter of an id in a path: SQLite takes no larger one."""

R = TypeVar("R")


@dataclass(frozen=True)
class MapContext:
    """One a process."""

    settings: Settings
    db: Database
    engine: Engine
    connections: Connections
    token_attempts: Attempts = field(default_factory=Attempts)
    """People's tokens that were refused. Apart from the bad log-ins: an old token in a page must not lock Label Studio
    out, whose calls may come from the same address.
    """
    sessions: Sessions = field(init=False)
    reading: MapReader = field(init=False)
    people: People = field(init=False)
    acts: MapActs = field(init=False)

    def __post_init__(self) -> None:
        people = People(self.connections)
        sender = Outbox(self.db, on_refused=people.forget)
        object.__setattr__(self, "sessions", Sessions(self.settings.home))
        object.__setattr__(self, "reading", MapReader(self.engine))
        object.__setattr__(self, "people", people)
        object.__setattr__(self, "acts", MapActs(self.db, self.engine, sender))

    def project(self, key: str) -> Project:
        """The project of a path, by its full key or its number. Raises NotFound (404)."""
        try:
            with self.db.read() as session:
                found = projects.find(session, key)
        except InputError as error:
            raise NotFound("there is no such project") from error
        if found is None or found.deleted:
            raise NotFound("Lantern does not know this project: connect it first")
        return found

    def moment(self, uid: str) -> Moment:
        """What the map shows right now. Raises Conflict (409) before the first model."""
        found = self.reading.moment(uid)
        if found is None:
            raise Conflict(NO_MODEL)
        return found

    def people_address(self, project: Project) -> str | None:
        """Where people's browsers find the project's Label Studio; None when nobody said."""
        found = self.connections.address(project)
        own = self.settings.label_studio_url is None or found is None or found.url == self.settings.label_studio_url
        return (self.settings.label_studio_browser_url if own else None) or (found.url if found else None)

    def reads(self, view: Callable[..., R]) -> Callable[..., R]:
        """Decorator of a route below API_PREFIX: checks the token, then calls the view with the project's uid.

        The other parts of the path follow as keywords. 401 without a valid token of just this project, or when the link
        key that the token came from was revoked.
        """

        @wraps(view)
        def checked(*, project: str, **rest: Any) -> R:
            return view(self.reader(project).uid, **rest)

        return checked

    def reader(self, key: str) -> Project:
        """The project that the present request may read. Raises Unauthorized (401)."""
        return self.opened(self.sessions.claim(request), key)

    def opened(self, claim: Claim, key: str) -> Project:
        """The project of a path, when the claim is of just this one and its link key still counts. Raises Unauthorized
        (401).
        """
        try:
            found = self.project(key)
        except NotFound as error:
            raise refusal("the token is of another project") from error
        if claim.project_id != found.id:
            raise refusal("the token is of another project")
        if claim.mark and claim.mark != link_keys.mark(found):
            raise refusal("the link key that opened this session was revoked")
        return found
