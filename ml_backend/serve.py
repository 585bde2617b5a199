"""`lantern serve`: one supervisor, which keeps gunicorn and one background worker running and stops both within 30 s.

The supervisor opens the listening socket and hands it to gunicorn, so a busy port is found before anything starts. Both
children are started fresh (never forked from a process that has used faiss or CUDA) and end when the supervisor is
killed.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from ml_backend.config import Settings
from ml_backend.data.encoders import EncoderOptions, build_encoder
from ml_backend.engine.device import check_device
from ml_backend.engine.freed_memory import GIVEN_BACK
from ml_backend.errors import ConfigError
from ml_backend.processes import Child, Restarts
from ml_backend.store import servers
from ml_backend.store.database import Database
from ml_backend.web.run_environment import LISTENER, MULTIPROCESS_DIRECTORY, STOPPING_FILE

log = logging.getLogger(__name__)

BACKLOG = 2048
DRAIN_SECONDS = 1.0
"""Between /ready saying 503 and the socket closing, so that a balancer sees it."""
QUIET_SECONDS = 10
"""Longest silence within a request or a reply; then the connection is closed."""
STOP_SECONDS = 25.0
"""Longest time that the children may take to stop; then they are killed."""
POLL_SECONDS = 0.2

WORKER_COMMAND = (sys.executable, "-m", "ml_backend.worker")
WEB_COMMAND = (
    sys.executable, "-m", "gunicorn", "-c", "python:ml_backend.web.gunicorn_config", "ml_backend.wsgi:build_app()"
)  # fmt: skip


def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT, or until the web server ends by itself; returns the exit status.

    Raises ConfigError when the port is taken or a device, folder or encoder that the settings name cannot be used,
    StoreError when the data folder cannot be used.
    """
    check_device(settings.device)
    _check_reading(settings)
    with _listen(settings) as listener, tempfile.TemporaryDirectory(prefix="lantern-") as run_directory:
        Database.open(settings.home).close()
        with servers.registered(settings.home, _name(settings)) as others:
            supervisor = Supervisor(settings, Path(run_directory))
            supervisor.start(listener)
            _announce(settings, others)
            listener.close()
            return supervisor.run()


def _check_reading(settings: Settings) -> None:
    """What would else show at the first task only."""
    folder = settings.local_files
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"LANTERN_LOCAL_FILES={folder}: there is no such folder")
    if settings.encoder is not None:
        try:
            build_encoder(settings.encoder, EncoderOptions(embeddings_url=settings.embeddings_url))
        except ConfigError as error:
            raise ConfigError(f"LANTERN_ENCODER: {error}") from error


class Supervisor:
    """The two children and their end."""

    def __init__(self, settings: Settings, run_directory: Path) -> None:
        self._stopping_file = run_directory / "stopping"
        metrics = run_directory / "metrics"
        metrics.mkdir()
        environ = {
            **os.environ,
            **settings.environment(),
            STOPPING_FILE: str(self._stopping_file),
            # Threads that wait for work must not spin: web and worker share the cores.
            "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
        }
        of_web, of_worker = {**environ, MULTIPROCESS_DIRECTORY: str(metrics)}, {**GIVEN_BACK, **environ}
        self._web = Child("web server", WEB_COMMAND, of_web, private=True)
        self._worker = Child("worker", WORKER_COMMAND, of_worker, private=True)
        self._restarts = Restarts()
        self._stop = threading.Event()

    def start(self, listener: socket.socket) -> None:
        """Start both; from now on SIGTERM and SIGINT end `run`."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self._web.environ[LISTENER] = str(listener.fileno())
        self._web.start(keep_open=(listener.fileno(),))
        self._worker.start()

    def run(self) -> int:
        """Look after the children until told to stop; 0 after a signal, 1 when the web server ended by itself."""
        status = 0
        try:
            while not self._stop.wait(POLL_SECONDS):
                if self._web.exit_status() is not None:
                    log.error("the web server ended by itself with status %s: stopping", self._web.exit_status())
                    status = 1
                    break
                self._look_after_worker()
        finally:
            self._shut_down()
        return status

    def _look_after_worker(self) -> None:
        if self._worker.exit_status() is None:
            return
        if self._restarts.next_start is None:
            wait = self._restarts.died(self._worker.seconds_since_start())
            log.error("the worker ended with status %s: starting it again in %.0f s", self._worker.exit_status(), wait)
        elif time.monotonic() >= self._restarts.next_start:
            self._restarts.started()
            self._worker.start()

    def _shut_down(self) -> None:
        self._stopping_file.touch()
        deadline = time.monotonic() + STOP_SECONDS
        self._worker.terminate()
        if self._web.exit_status() is None:
            time.sleep(DRAIN_SECONDS)
        self._web.terminate()
        for child in (self._web, self._worker):
            child.wait_or_kill(deadline)
        log.info("stopped")

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._stop.set()


def _listen(settings: Settings) -> socket.socket:
    """The bound listening socket. Raises ConfigError naming what to change."""
    host, port = settings.bind_host.strip("[]"), settings.port
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
        # Inherited by every connection, also by those that come before gunicorn sets it: without it a reply's body
        # waits 40 ms for the acknowledgement of its headers.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Inherited, too: a thread would wait for the rest of a request for as long as its sender keeps quiet.
        for waiting in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            listener.setsockopt(socket.SOL_SOCKET, waiting, struct.pack("ll", QUIET_SECONDS, 0))
        return listener
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"port {port} is in use: stop the other program, or choose another port with --port or PORT"
            ) from error
        if error.errno == errno.EACCES:
            raise ConfigError(f"port {port} needs more rights: choose one above 1023 with --port or PORT") from error
        raise ConfigError(f"cannot listen at {host}, port {port} ({error.strerror}): see LANTERN_HOST") from error


def _name(settings: Settings) -> str:
    """How another server speaks of this one."""
    return f"process {os.getpid()} on {socket.gethostname()}, http://{settings.bind_host}:{settings.port}"


def _announce(settings: Settings, others: Sequence[str]) -> None:
    log.info("Lantern serves http://%s:%d, data in %s", settings.bind_host, settings.port, settings.home)
    if others:
        log.warning(
            "another `lantern serve` works with this data folder already (%s): they share its projects, one of them "
            "at a time on each, and need the same settings; if that is not meant, stop one of them",
            "; ".join(others),
        )
    if not settings.guarded:
        log.warning(
            "no credentials are configured, so only this machine can reach Lantern: set BASIC_AUTH_USER and "
            "BASIC_AUTH_PASS to let others in"
        )
        if settings.webhook_secret is not None:
            log.warning(
                "LANTERN_WEBHOOK_SECRET without BASIC_AUTH_USER and BASIC_AUTH_PASS: Label Studio's Start Training "
                "button carries no webhook secret and will be refused"
            )
    log.info(
        "Label Studio 1.23.1 and newer refuses local addresses: if it runs on this machine or network, start it with "
        "ML_BLOCK_LOCAL_IP=false and SSRF_PROTECTION_ENABLED=false"
    )
