"""A real HTTP server in a thread, which each test gives its own behaviour."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


@dataclass
class LocalServer:
    """url: its base address. requests: (path, headers, body) of what came in."""

    url: str
    port: int
    answer: Answer
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


def reply(handler: BaseHTTPRequestHandler, content: bytes, status: int = 200, **headers: str) -> None:
    """A complete reply; header names with _ for -."""
    handler.send_response(status)
    headers.setdefault("Content_Length", str(len(content)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


def hello(handler: BaseHTTPRequestHandler, _: bytes) -> None:
    """An answer for `serve`."""
    reply(handler, b"hello")


Serve = Callable[[Answer], LocalServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers on free loopback ports; all are stopped after the test."""
    running: list[ThreadingHTTPServer] = []

    def start(answer: Answer) -> LocalServer:
        class Handler(BaseHTTPRequestHandler):
            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                server.requests.append((self.path, dict(self.headers), body))
                server.answer(self, body)

            do_GET = do_POST = handle_one

            def log_message(self, *_: object) -> None:
                """Keeps the test output clean."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A client that hangs up is what some tests are about."""

        httpd = Quiet(("127.0.0.1", 0), Handler)
        running.append(httpd)
        port = httpd.server_address[1]
        server = LocalServer(f"http://127.0.0.1:{port}", port, answer)
        threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server

    yield start
    for httpd in running:
        httpd.shutdown()
        httpd.server_close()
