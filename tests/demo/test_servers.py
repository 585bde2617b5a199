"""Servers as child processes, with small ones in Label Studio's place."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_backend.config import Settings
from ml_backend.demo.label_studio_process import Account, LabelStudioProcess, label_studio_program
from ml_backend.demo.lantern_process import LanternProcess
from ml_backend.demo.ports import free_port
from ml_backend.demo.servers import Server
from ml_backend.errors import ConfigError, DemoError
from tests.conftest import LABEL_STUDIO_ENVIRONMENT, RunningLabelStudio

pytestmark = pytest.mark.slow

HEALTHY = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", {port}), Handler).serve_forever()
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    port = free_port()
    command = (sys.executable, "-c", HEALTHY.format(port=port))
    made = Server("Healthy", command, dict(os.environ), port=port, log_file=tmp_path / "logs" / "healthy.log")
    yield made
    made.stop()


def test_up_after_the_start_and_down_after_the_stop(server: Server) -> None:
    server.start()
    server.wait_until_up()
    server.require_running()
    server.stop()
    assert not server.is_up()
    with pytest.raises(DemoError, match="ended with status"):
        server.require_running()


def test_it_can_be_started_again(server: Server) -> None:
    for _ in range(2):
        server.start()
        server.wait_until_up()
        server.stop()
    assert not server.is_up()


def test_stopping_what_never_started_does_nothing(server: Server) -> None:
    server.stop()


def test_a_server_that_ends_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import sys; print('cannot open the database'); sys.exit(3)")
    server = Server("Broken", command, dict(os.environ), port=free_port(), log_file=tmp_path / "broken.log")
    server.start()
    with pytest.raises(DemoError, match=r"(?s)Broken ended with status 3.*cannot open the database"):
        server.wait_until_up()


def test_a_server_that_never_answers_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Server, "start_seconds", 0.5)
    command = (sys.executable, "-c", "import time; time.sleep(60)")
    server = Server("Silent", command, dict(os.environ), port=free_port(), log_file=tmp_path / "silent.log")
    server.start()
    try:
        with pytest.raises(DemoError, match="does not answer"):
            server.wait_until_up()
    finally:
        server.stop()


def test_an_account_is_made_once_and_is_the_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "account.json"
    account = Account.kept_in(path)
    assert Account.kept_in(path) == account
    assert path.stat().st_mode & 0o077 == 0
    assert Account.kept_in(tmp_path / "other.json").token != account.token
    assert account.token not in repr(account)
    assert account.password not in repr(account)


LABEL_STUDIO_KEY = """
import sys
from label_studio.core.utils.secret_key import generate_secret_key_if_missing
print(generate_secret_key_if_missing(sys.argv[1]))
"""


def started_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave behind what a start leaves before Label Studio itself runs."""
    monkeypatch.setattr(Server, "start", lambda self: None)
    LabelStudioProcess(Path("label-studio"), data, 8080, Account.kept_in(data.parent / "account.json")).start()


def test_label_studios_key_is_made_once_and_is_the_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [tmp_path / name / "data" / ".env" for name in ("one", "other")]
    for path in (*kept, kept[0]):
        before = path.read_text() if path.exists() else None
        started_once(path.parent, monkeypatch)
        assert before in (None, path.read_text())
        assert path.stat().st_mode & 0o077 == 0
    assert kept[0].read_text() != kept[1].read_text()


@pytest.mark.e2e
def test_label_studio_reads_the_same_key_at_every_start(
    label_studio: RunningLabelStudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    started_once(data, monkeypatch)
    python = LABEL_STUDIO_ENVIRONMENT / "bin" / "python"
    keys = {
        subprocess.run(
            [python, "-c", LABEL_STUDIO_KEY, data], env=label_studio.process.environ, capture_output=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert keys == {(data / ".env").read_bytes().removeprefix(b"SECRET_KEY=")}


def test_label_studio_not_installed_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="make venv-label-studio"):
        label_studio_program(tmp_path)


def test_label_studio_gets_none_of_the_callers_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LABEL_STUDIO_HOST", "HEARTEX_SENTRY_DSN", "DJANGO_DB", "HOST", "PORT", "DATABASE_NAME", "SECRET_KEY"):
        monkeypatch.setenv(name, "from outside")
    account = Account.kept_in(tmp_path / "account.json")
    server = LabelStudioProcess(Path("label-studio"), tmp_path / "data", 8080, account)
    environment = server.environ
    assert "from outside" not in environment.values()
    # a default Label Studio refuses to call an ML backend on the same machine
    assert environment["ML_BLOCK_LOCAL_IP"] == environment["SSRF_PROTECTION_ENABLED"] == "false"
    assert environment["SENTRY_DSN"] == environment["FRONTEND_SENTRY_DSN"] == ""
    assert environment["COLLECT_ANALYTICS"] == environment["LATEST_VERSION_CHECK"] == "false"
    assert environment["LABEL_STUDIO_BASE_DATA_DIR"] == str(tmp_path / "data")


def test_lantern_gets_exactly_the_given_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANTERN_QUERY", "s_ood")
    monkeypatch.setenv("MODEL_DIR", "/elsewhere")
    monkeypatch.setenv("BASIC_AUTH_USER", "somebody")
    settings = Settings(home=tmp_path, port=9191, debounce_seconds=1.5)
    environment = LanternProcess(settings, tmp_path / "lantern.log").environ
    assert Settings.from_environment(environment) == settings
