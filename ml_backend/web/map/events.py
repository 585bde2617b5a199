"""GET events: Server-Sent Events. Each open stream holds a thread of the web server, so their number is capped."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

from flask import Blueprint, Response, request
from werkzeug.exceptions import ServiceUnavailable, Unauthorized

from ml_backend.web.map.context import API_PREFIX, MapContext
from ml_backend.web.map.hub import LOOK_SECONDS, Event, Hub, Watcher
from ml_backend.web.map.sessions import TOKEN_SECONDS

COMMENT_SECONDS = 15.0
RETRY_SECONDS = 10
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""The last one: a proxy must not collect events before it passes them on."""


def event_routes(maps: MapContext, hub: Hub, stopping: Callable[[], bool]) -> Blueprint:
    """stopping: whether this process is being shut down; then every stream ends, and the page comes back later."""
    routes = Blueprint("map_events", __name__, url_prefix=API_PREFIX)

    @routes.get("/events")
    @maps.reads
    def events(uid: str) -> Response:
        watcher = None if stopping() else hub.enter(uid)
        if watcher is None:
            raise ServiceUnavailable(
                "all event streams are taken: ask for the state instead", retry_after=RETRY_SECONDS
            )
        claim, connection = maps.sessions.claim(request), request.environ.get("gunicorn.socket")

        def still_allowed() -> bool:
            try:
                maps.opened(claim, uid)
            except Unauthorized:
                return False
            return True

        def over() -> bool:
            return stopping() or _has_hung_up(connection)

        stream = _stream(watcher, request.headers.get("Last-Event-ID"), over, still_allowed)
        reply = Response(stream, content_type="text/event-stream; charset=utf-8", headers=_HEADERS)
        # Not at the end of the generator: it never begins when the client is gone at once.
        reply.call_on_close(watcher.leave)
        return reply

    return routes


def places(threads: int) -> int:
    """How many of a process's threads streams may hold: half of them, so that Label Studio's calls find one."""
    return threads // 2


def _stream(
    watcher: Watcher, last_id: str | None, over: Callable[[], bool], still_allowed: Callable[[], bool]
) -> Iterator[bytes]:
    """Ends after the lifetime of a token, or when it counts no more: nobody watches for longer than they may read."""
    hub, uid = watcher.hub, watcher.uid
    ends, comment = time.monotonic() + TOKEN_SECONDS, time.monotonic() + COMMENT_SECONDS
    yield b": lantern\n\n"
    number, found = hub.begin(uid, last_id)
    while not over() and time.monotonic() < ends:
        for event in found:
            yield _bytes(hub.name, event)
        if time.monotonic() >= comment:
            if not still_allowed():
                return
            yield b": still here\n\n"
            comment = time.monotonic() + COMMENT_SECONDS
        found = hub.since(uid, number, LOOK_SECONDS)
        number = found[-1].number if found else number


def _bytes(hub_name: str, event: Event) -> bytes:
    return f"id: {hub_name}-{event.number}\nevent: {event.name}\ndata: {event.data}\n\n".encode()


def _has_hung_up(connection: object) -> bool:
    """Whether the client has closed its end. Otherwise that shows at the next write only, and the place stays taken
    while the page behind a task is rebuilt for the next one.
    """
    if not isinstance(connection, socket.socket):
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except (BlockingIOError, InterruptedError, ValueError):  # ValueError: TLS cannot peek
        return False
    except OSError:
        return True
