"""Who a person is: a Label Studio token, checked against Label Studio and against one project.

Threats: a token that is kept (it never leaves memory, and is looked up by its hash), a person of another organization
or one whose access was taken away (asked again after CHECKED_SECONDS), writing under somebody else's name (the token
that is checked here is the one that writes).
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ml_backend.errors import (
    ConflictError,
    LabelStudioAuthError,
    LabelStudioError,
    LabelStudioForbidden,
    LabelStudioRefused,
    PersonForbidden,
    PersonRefused,
)
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.contract import parse_id, project_uid
from ml_backend.store.tables import Project

if TYPE_CHECKING:
    from ml_backend.label_studio.api import Json, LabelStudioApi

CHECKED_SECONDS = 600.0
"""For how long an answer of Label Studio is believed."""
LONGEST_TOKEN = 4096
SIGN_IN = "sign in again with a token from Label Studio under Account & Settings"


@dataclass(frozen=True)
class Person:
    """A Label Studio user."""

    id: int
    name: str
    email: str


@dataclass(frozen=True)
class SignedIn:
    """A person in one project, and calls to Label Studio in that person's name."""

    person: Person
    api: LabelStudioApi = field(repr=False)


class People:
    """Those who showed a token to this process lately. Safe for threads."""

    def __init__(
        self,
        connections: Connections,
        *,
        api_at: Callable[[str, str], LabelStudioApi] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connections = connections
        self._api_at = api_at or _api_at
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[int, str, str], tuple[float, SignedIn]] = {}

    def remembers(self, project: Project, token: str | None) -> bool:
        """Whether Label Studio took this token for the project lately, so that it need not be asked again."""
        address = self._connections.address(project)
        if not token or address is None:
            return False
        with self._lock:
            until, _who = self._known.get(_key(project, address.url, token), (0.0, None))
        return until > self._clock()

    def check(self, project: Project, token: str | None) -> SignedIn:
        """Who this token belongs to. Raises PersonRefused (401) for a token that Label Studio does not take,
        PersonForbidden (403) without access to the project, ConflictError (409) when nobody said which Label Studio the
        project is in, and LabelStudioError (502) when that does not answer.
        """
        if not token or len(token) > LONGEST_TOKEN or not token.isascii() or not token.isprintable():
            raise PersonRefused(f"this needs your own Label Studio token: {SIGN_IN}")
        address = self._connections.address(project)
        if address is None or project.connection.get("connected") is False:
            raise ConflictError("the project is not connected to a Label Studio: run `lantern connect`")
        key = _key(project, address.url, token)
        with self._lock:
            self._known = {k: entry for k, entry in self._known.items() if entry[0] > self._clock()}
            found = self._known.get(key)
        if found is not None:
            return found[1]
        signed_in = self._ask(project, address.url, token)
        with self._lock:
            self._known[key] = self._clock() + CHECKED_SECONDS, signed_in
        return signed_in

    def forget(self, signed_in: SignedIn) -> None:
        """Label Studio has refused this person's token."""
        with self._lock:
            self._known = {k: entry for k, entry in self._known.items() if entry[1].api is not signed_in.api}

    def _ask(self, project: Project, url: str, token: str) -> SignedIn:
        try:
            api = self._api_at(url, token)
            person = _person(api.whoami())
        except LabelStudioAuthError as error:
            raise PersonRefused(f"Label Studio does not take this token: {SIGN_IN}") from error
        try:
            found = api.project(project.label_studio_id)
        except LabelStudioForbidden as error:
            raise PersonForbidden(_no_access(person)) from error
        except LabelStudioRefused as error:
            raise PersonForbidden(_no_access(person)) from error
        if "." in project.uid and project_uid(found) != project.uid:
            raise PersonForbidden(_no_access(person))
        return SignedIn(person, api)


def _key(project: Project, url: str, token: str) -> tuple[int, str, str]:
    return project.id, url, hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _no_access(person: Person) -> str:
    return f"{person.name} has no access to this project in Label Studio: ask for it there"


def _person(user: Json) -> Person:
    number = parse_id(user.get("id"))
    if number is None:
        raise LabelStudioError("Label Studio does not say whose token this is: is this Label Studio?")
    email = user.get("email")
    email = email if isinstance(email, str) else ""
    names = [name for key in ("first_name", "last_name") if isinstance(name := user.get(key), str) and name.strip()]
    return Person(number, " ".join(names) or email or f"user {number}", email)


def _api_at(url: str, token: str) -> LabelStudioApi:
    # here, so that a web process which only answers requests does not load the SDK (1.5 s)
    from ml_backend.label_studio.api import LabelStudioApi
    from ml_backend.label_studio.client import LabelStudioClient

    return LabelStudioApi(LabelStudioClient(url, token))
