"""Who may read a project through the map: a token of 15 minutes, for one project.

Threats: a link key or a log-in that travels with every request and lands in logs; project A's page reading project B;
a foreign page using a log-in that the browser remembers. So the key or the log-in is shown once, and what is shown
afterwards is a header that no foreign page can send or read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flask import Request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from ml_backend.store.tables import Project
from ml_backend.web.map.signing_key import signing_key

TOKEN_SECONDS = 15 * 60
_SALT = "lantern.map.token"
_LONGEST_TOKEN = 512


@dataclass(frozen=True)
class Claim:
    """What a token says: which project's row, and the mark of the link key that it was given for ("" = a log-in)."""

    project_id: int
    mark: str


class Sessions:
    """Gives tokens and reads them again."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def issue(self, project: Project, mark: str = "") -> str:
        """A token for this project. mark: of the link key that was shown, so that revoking it ends the session."""
        return str(self._serializer.dumps([project.id, mark]))

    def claim(self, request: Request) -> Claim:
        """What the request's token says. Raises Unauthorized (401) without a valid one."""
        given = request.authorization
        token = given.token if given is not None and given.type == "bearer" else None
        if token is None:
            raise refusal("this needs a token: POST session gives one")
        if len(token) > _LONGEST_TOKEN:
            raise refusal("the token is not valid")
        try:
            content = self._serializer.loads(token, max_age=TOKEN_SECONDS)
        except BadData as error:
            raise refusal("the token is not valid or older than 15 minutes: POST session gives a new one") from error
        project_id, mark = content
        return Claim(int(project_id), str(mark))

    @cached_property
    def _serializer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(signing_key(self._home), salt=_SALT)


def refusal(message: str) -> Unauthorized:
    """401 that makes no browser ask for a password."""
    return Unauthorized(message, www_authenticate=WWWAuthenticate("bearer", {"realm": "Lantern map"}))
