"""HTTP to Label Studio: authorised, bounded in time, with typed errors. What may be called is in api.py.

GET is tried again once after a broken connection, and GET and PATCH a few times after a 5xx: on SQLite, Label Studio
answers 500 while another of its requests holds the lock (for POST see once.py). Nothing else is tried again, because an
import that came through and whose answer was lost would count twice. Redirects are not followed: a POST would turn into
a GET on the way to https.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx

from ml_backend.errors import (
    LabelStudioAuthError,
    LabelStudioError,
    LabelStudioForbidden,
    LabelStudioRefused,
    LabelStudioUnreachable,
)
from ml_backend.label_studio.tokens import WHERE_LEGACY, WHERE_PERSONAL, Token, TokenKind

# httpx logs every request at INFO, with its query.
logging.getLogger("httpx").setLevel(logging.WARNING)

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
"""Default time for an answer; slow calls name their own."""
KEEP_ALIVE_SECONDS = 2.0
"""Shorter than any server's: a connection that the server has just closed breaks the next call."""
RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""Waits before GET and PATCH are tried again after a 5xx."""
SHOWN_CHARACTERS = 600
"""How much of an error's text is passed on."""

Params = Mapping[str, str | int | list[int]]


@dataclass(frozen=True)
class Answer:
    """A 2xx answer. body: parsed JSON, None if empty. date: the server's clock in epoch seconds, where it told."""

    status: int
    body: Any
    date: float | None


class LabelStudioClient:
    """One Label Studio with one token. Safe for threads. Raises LabelStudioAuthError for a token that cannot be one."""

    def __init__(self, url: str, token: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_SECONDS),
            follow_redirects=False,
            transport=transport,
        )
        self._token = Token(self.url, token, self._http)

    @property
    def token_kind(self) -> TokenKind:
        """Which kind of token this client holds."""
        return self._token.kind

    def authorise(self) -> dict[str, str]:
        """A fresh Authorization header, for whoever fetches media from this Label Studio."""
        return self._token.header()

    def get(self, path: str, *, params: Params | None = None, seconds: float | None = None) -> Answer:
        """GET; see `send`."""
        return self.send("GET", path, params=params, seconds=seconds)

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: object = None,
        seconds: float | None = None,
    ) -> Answer:
        """One call below the base address. seconds: longest wait for data.

        Raises LabelStudioAuthError (401), LabelStudioForbidden (403), LabelStudioUnreachable (no answer, 429, 5xx),
        LabelStudioRefused (other 4xx), LabelStudioError (a redirect, or a body that is no JSON).
        """
        response = self._request(method, path, params, json, seconds)
        if response.status_code == HTTPStatus.UNAUTHORIZED and self._token.forget_access():
            response = self._request(method, path, params, json, seconds)
        for wait in RETRY_SECONDS if method in ("GET", "PATCH") else ():
            if not response.is_server_error:
                break
            time.sleep(wait)
            response = self._request(method, path, params, json, seconds)
        self._raise_for(response, f"{method} {path}")
        return Answer(response.status_code, _json(response, path), _date(response))

    def close(self) -> None:
        """Closes idle connections."""
        self._http.close()

    def _request(
        self, method: str, path: str, params: Params | None, json: object, seconds: float | None
    ) -> httpx.Response:
        for attempt in range(2):
            try:
                return self._http.request(
                    method,
                    f"{self.url}/{path.lstrip('/')}",
                    params=params,
                    json=json,
                    headers=self._token.header(),
                    timeout=httpx.Timeout(seconds or READ_SECONDS, connect=CONNECT_SECONDS),
                )
            except httpx.TransportError as error:
                if attempt == 0 and method == "GET" and not isinstance(error, httpx.TimeoutException):
                    continue
                raise LabelStudioUnreachable(f"no answer from {self.url} to {method} {path}: {_why(error)}") from error
            except httpx.InvalidURL as error:
                raise LabelStudioUnreachable(f"{self.url} is no address that can be called: {error}") from error
        raise AssertionError("the loop above returns or raises")

    def _raise_for(self, response: httpx.Response, call: str) -> None:
        status, text = response.status_code, _detail(response)
        if status < HTTPStatus.MULTIPLE_CHOICES:
            return
        if status < HTTPStatus.BAD_REQUEST:
            where = response.headers.get("location", "?")
            raise LabelStudioError(
                f"{self.url} redirects {call} to {where}: set LABEL_STUDIO_URL to the address it names"
            )
        if status == HTTPStatus.UNAUTHORIZED:
            way_out = WHERE_LEGACY if self.token_kind is TokenKind.LEGACY else WHERE_PERSONAL
            raise LabelStudioAuthError(f"Label Studio refused the {self.token_kind} (401): {text}; {way_out}")
        if status == HTTPStatus.FORBIDDEN:
            raise LabelStudioForbidden(f"the owner of the {self.token_kind} may not {call} (403): {text}")
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise LabelStudioUnreachable(f"Label Studio answered {call} with {status}: {text}", status)
        refusal = f"Label Studio refused {call} ({status}): {text}"
        raise LabelStudioRefused(refusal, status, has_detail=_has_detail(response))


def _why(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return f"no connection within {CONNECT_SECONDS:.0f} s"
    if isinstance(error, httpx.TimeoutException):
        return "it took too long"
    return str(error) or type(error).__name__


def _json(response: httpx.Response, path: str) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        raise LabelStudioError(f"the answer to {path} is no JSON: is {response.url.host} Label Studio?") from error


def _detail(response: httpx.Response) -> str:
    """What Label Studio says went wrong, shortened; HTML pages are not passed on."""
    if response.is_success:
        return ""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return "(no reason given)"
    if isinstance(body, dict):
        body = body.get("validation_errors") or body.get("detail") or body
    return str(body)[:SHOWN_CHARACTERS]


def _has_detail(response: httpx.Response) -> bool:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and "detail" in body


def _date(response: httpx.Response) -> float | None:
    try:
        return parsedate_to_datetime(response.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return None
