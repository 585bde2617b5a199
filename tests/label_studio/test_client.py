"""Tokens and HTTP: what is sent, renewed, tried again, and which error comes of what."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest

from ml_backend.errors import (
    LabelStudioAuthError,
    LabelStudioError,
    LabelStudioRefused,
    LabelStudioUnreachable,
)
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.client import LabelStudioClient
from ml_backend.label_studio.tokens import TokenKind, token_kind

LEGACY = "0123456789abcdef0123456789abcdef01234567"


def make_jwt(kind: str = "refresh", seconds: float = 3600, **claims: Any) -> str:
    return jwt.encode({"token_type": kind, "exp": int(time.time() + seconds), **claims}, "k" * 32, algorithm="HS256")


class Server:
    """Exchanges tokens and answers /api/x; `answers` come first."""

    def __init__(self, *answers: httpx.Response | Exception, access_seconds: float = 300) -> None:
        self.answers = list(answers)
        self.access_seconds = access_seconds
        self.refreshes = 0
        self.authorisations: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/token/refresh/":
            self.refreshes += 1
            return httpx.Response(200, json={"access": make_jwt("access", self.access_seconds, n=self.refreshes)})
        self.authorisations.append(request.headers["authorization"])
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return httpx.Response(200, json={"ok": True})


def client(server: Callable[[httpx.Request], httpx.Response], token: str = LEGACY) -> LabelStudioClient:
    return LabelStudioClient("http://ls.test/", token, transport=httpx.MockTransport(server))


def test_a_legacy_token_is_sent_as_it_is() -> None:
    server = Server()
    assert client(server).get("/api/x").body == {"ok": True}
    assert (server.authorisations, server.refreshes) == ([f"Token {LEGACY}"], 0)


def test_a_personal_token_is_exchanged_once_and_never_sent() -> None:
    server, token = Server(), make_jwt()
    one = client(server, token)
    one.get("/api/x")
    one.get("/api/x")
    assert server.refreshes == 1
    assert all(a.startswith("Bearer ") and token not in a for a in server.authorisations)


def test_an_expired_bearer_is_renewed() -> None:
    server = Server(access_seconds=-1)
    one = client(server, make_jwt())
    one.get("/api/x")
    one.get("/api/x")
    assert server.refreshes == 2


def test_a_refused_bearer_is_renewed_once() -> None:
    server = Server(httpx.Response(401, json={"detail": "revoked"}))
    assert client(server, make_jwt()).get("/api/x").status == 200
    assert server.refreshes == 2
    always = Server(*[httpx.Response(401, json={"detail": "revoked"})] * 4)
    with pytest.raises(LabelStudioAuthError):
        client(always, make_jwt()).get("/api/x")
    assert len(always.authorisations) == 2


def test_a_refused_legacy_token_says_where_to_allow_it() -> None:
    server = Server(httpx.Response(401, json={"detail": "legacy token authentication has been disabled"}))
    with pytest.raises(LabelStudioAuthError, match="Access Token Settings"):
        client(server).get("/api/x")
    assert len(server.authorisations) == 1


@pytest.mark.parametrize(
    ("token", "says"),
    [("a.b.c", "copy it whole"), (make_jwt("access"), "five-minute"), (make_jwt(seconds=-5), "expired")],
)
def test_a_token_that_cannot_be_one_is_found_before_any_call(token: str, says: str) -> None:
    with pytest.raises(LabelStudioAuthError, match=says):
        client(Server(), token)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401, json={"detail": "no"}), LabelStudioAuthError),
        (httpx.Response(503, text="<html>"), LabelStudioUnreachable),
        (httpx.Response(200, text="<html>"), LabelStudioUnreachable),
    ],
)
def test_a_failed_exchange_is_typed(answer: httpx.Response, error: type[LabelStudioError]) -> None:
    with pytest.raises(error):
        client(lambda _: answer, make_jwt()).get("/api/x")


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (httpx.Response(403, json={"detail": "no rights"}), LabelStudioAuthError, "no rights"),
        (httpx.Response(404, json={"detail": "Not found."}), LabelStudioRefused, "Not found"),
        (httpx.Response(400, json={"validation_errors": {"url": ["bad"]}}), LabelStudioRefused, "bad"),
        (httpx.Response(429), LabelStudioUnreachable, "429"),
        (httpx.Response(502, text="<html>secret stack</html>"), LabelStudioUnreachable, "no reason given"),
        (httpx.Response(301, headers={"location": "https://ls.test/"}), LabelStudioError, "https://ls.test/"),
        (httpx.Response(200, text="<html>"), LabelStudioError, "no JSON"),
        (httpx.ConnectTimeout("x"), LabelStudioUnreachable, "no connection"),
        (httpx.ReadTimeout("x"), LabelStudioUnreachable, "too long"),
    ],
)
def test_each_failure_has_its_error(
    answer: httpx.Response | Exception, error: type[LabelStudioError], says: str
) -> None:
    with pytest.raises(error, match=says) as caught:
        client(Server(*[answer] * 10)).get("/api/x")
    assert LEGACY not in str(caught.value)


def test_a_broken_connection_is_tried_again_for_reading_only() -> None:
    server = Server(httpx.RemoteProtocolError("closed"))
    assert client(server).get("/api/x").status == 200
    for method in ("POST", "PATCH", "DELETE"):
        server = Server(httpx.RemoteProtocolError("closed"))
        with pytest.raises(LabelStudioUnreachable):
            client(server).send(method, "/api/x")
        assert len(server.authorisations) == 1


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_server_error_is_waited_out_where_a_repeat_does_no_harm(method: str) -> None:
    locked = httpx.Response(500, json={"detail": "database is locked"})
    server = Server(locked, locked)
    assert client(server).send(method, "/api/x").status == 200
    server = Server(locked)
    with pytest.raises(LabelStudioUnreachable):
        client(server).send("POST", "/api/x")
    assert len(server.authorisations) == 1


def test_a_sub_path_is_kept() -> None:
    seen: list[str] = []

    def serve(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return httpx.Response(200, json={"access": make_jwt("access")})

    LabelStudioClient("http://ls.test/studio", make_jwt(), transport=httpx.MockTransport(serve)).get("/api/x")
    assert seen == ["/studio/api/token/refresh/", "/studio/api/x"]


def test_kinds_and_repr() -> None:
    assert token_kind(make_jwt()) is TokenKind.PERSONAL
    assert token_kind(LEGACY) is TokenKind.LEGACY
    assert LEGACY not in repr(vars(client(Server())))


def test_an_address_without_label_studio_is_named() -> None:
    with pytest.raises(LabelStudioError, match="no Label Studio"):
        LabelStudioApi(client(Server(httpx.Response(404, json={"error": "no such page"})))).version()
