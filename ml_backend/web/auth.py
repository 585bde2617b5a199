"""Who may call what.

Threats: anyone on the network reading tasks or poisoning labels; guessing by trying; guessing by timing; a malformed
header crashing the check. Basic credentials open every route; the webhook secret opens /webhook only, because Label
Studio's automatic webhook carries no log-in. /health is open: Label Studio, Docker and Kubernetes probe it without one.
A request without any credentials is refused but not counted as a try: a webhook without headers must not lock Label
Studio out.

Below /map/ a request without a log-in passes: the page and its files hold no data, and each route of the map's
interface checks a token of its own (map/context.py), which cannot be guessed and is not counted as a try either, since
a page left open shows an old one. A log-in shown there counts as everywhere.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import math

from flask import Request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import TooManyRequests, Unauthorized

from ml_backend.config import WEBHOOK_SECRET_HEADER, Settings
from ml_backend.web.attempts import Attempts
from ml_backend.web.metrics import Metrics

log = logging.getLogger(__name__)

OPEN_PATH = "/health"
WEBHOOK_PATH = "/webhook"
MAP_PATHS = "/map/"
REFUSAL = "log in with the user and password that Lantern was started with (BASIC_AUTH_USER, BASIC_AUTH_PASS)"


class Gate:
    """Lets a request pass or raises Unauthorized (401) or TooManyRequests (429)."""

    def __init__(self, settings: Settings, metrics: Metrics, attempts: Attempts) -> None:
        self._user = _digest(settings.basic_auth_user)
        self._password = _digest(settings.basic_auth_pass)
        self._secret = _digest(settings.webhook_secret)
        self._metrics = metrics
        self._attempts = attempts

    def check(self, request: Request) -> None:
        """Raises when the request must not pass."""
        if request.path == OPEN_PATH or not self._guards(request.path) or _is_of_map(request):
            return
        address = request.remote_addr or "unknown"
        self._not_too_many(address)
        if self._knows_password(request) or self._knows_secret(request):
            return
        if "Authorization" in request.headers or WEBHOOK_SECRET_HEADER in request.headers:
            self._attempts.failed(address)
        self._refuse(request.path, address)

    def knows(self, request: Request) -> bool:
        """Whether the request carries the log-in, or Lantern was started without one."""
        return self._password is None or self._knows_password(request)

    def _guards(self, path: str) -> bool:
        return self._password is not None or (path == WEBHOOK_PATH and self._secret is not None)

    def _not_too_many(self, address: str) -> None:
        wait = self._attempts.wait_seconds(address)
        if wait > 0:
            raise TooManyRequests("too many bad log-ins from this address: wait", retry_after=math.ceil(wait))

    def _knows_password(self, request: Request) -> bool:
        given = request.authorization
        if given is None or given.type != "basic":
            return False
        # Both are compared always, so that the time taken does not tell which one was wrong.
        user, password = _same(given.username, self._user), _same(given.password, self._password)
        return user and password

    def _knows_secret(self, request: Request) -> bool:
        return request.path == WEBHOOK_PATH and _same(request.headers.get(WEBHOOK_SECRET_HEADER), self._secret)

    def _refuse(self, path: str, address: str) -> None:
        self._metrics.refused.labels(route=path if path == WEBHOOK_PATH else "other").inc()
        if path == WEBHOOK_PATH:
            log.error(
                "REFUSED A WEBHOOK from %s: it carried neither the webhook secret nor Basic credentials. Labels made "
                "in Label Studio reach Lantern only at the next reconcile until this is mended: run `lantern connect`",
                address,
            )
        raise Unauthorized(REFUSAL, www_authenticate=WWWAuthenticate("basic", {"realm": "Lantern"}))


def _is_of_map(request: Request) -> bool:
    given = request.authorization
    return request.path.startswith(MAP_PATHS) and (given is None or given.type == "bearer")


def _digest(text: str | None) -> bytes | None:
    """Equal length for every text, so that the comparison's time says nothing about it."""
    return None if text is None else hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _same(given: str | None, wanted: bytes | None) -> bool:
    digest = _digest(given)
    return digest is not None and wanted is not None and hmac.compare_digest(digest, wanted)
