"""The commands' data folder and that of the Lantern which answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ml_backend.config import Settings
from ml_backend.demo.ports import free_port
from ml_backend.label_studio.checkup import check_home
from ml_backend.label_studio.findings import Severity
from ml_backend.label_studio.home_check import is_other_home
from ml_backend.store.tables import Project

pytestmark = pytest.mark.slow

UID = "7.1"


@contextmanager
def answering(body: object, status: int = 200) -> Iterator[str]:
    """A Lantern with this `/status`; its address."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(status if self.path == "/status" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def listed(connected: bool, uid: str = UID) -> object:
    return {"projects": [{"project": uid, "connected": connected}]}


@pytest.mark.parametrize(
    ("body", "status", "other"),
    [
        (listed(True), 200, False),
        (listed(False), 200, True),
        (listed(True, "8.1"), 200, True),
        ({"projects": []}, 200, True),
        ({"error": "log in"}, 401, False),
        ({"projects": None}, 200, False),
        ([], 200, False),
    ],
)
def test_a_lantern_that_does_not_know_the_connection_has_another_folder(
    settings: Settings, body: object, status: int, other: bool
) -> None:
    with answering(body, status) as target:
        assert is_other_home(settings, target, UID) is other


def test_where_nobody_answers_nothing_is_said(settings: Settings) -> None:
    assert not is_other_home(settings, f"http://127.0.0.1:{free_port()}", UID)


def test_the_doctor_names_the_folder_and_the_mend(settings: Settings) -> None:
    row = Project(uid=UID, connection={"connected": True})
    with answering(listed(False)) as target:
        (finding,) = check_home(settings, row, target)
        assert finding.severity is Severity.ERROR
        assert str(settings.home) in finding.what
        assert "LANTERN_HOME" in finding.mend
        assert list(check_home(settings, Project(uid=UID, connection={"connected": False}), target)) == []
    with answering(listed(True)) as target:
        assert list(check_home(settings, row, target)) == []
