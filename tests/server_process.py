"""Starts Lantern as a process of its own, for tests of what only a running server shows."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

START_SECONDS = 120.0
"""A loaded machine imports torch slowly."""
STOP_SECONDS = 30.0
"""What Lantern promises."""


@dataclass
class Server:
    """A running `lantern serve`; its output is in `log`."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def get(self, path: str, auth: tuple[str, str] | None = None) -> requests.Response:
        return requests.get(self.url + path, timeout=10, auth=auth)

    def child(self, word: str) -> psutil.Process:
        """The child whose command line holds the word."""
        return next(c for c in psutil.Process(self.process.pid).children() if word in " ".join(c.cmdline()))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal it and return its exit status; raises TimeoutExpired past the promise."""
        self.process.send_signal(number)
        return self.process.wait(timeout=STOP_SECONDS)


@contextmanager
def running_server(
    home: Path,
    environ: dict[str, str],
    command: Sequence[str] = (sys.executable, "-m", "ml_backend.cli", "serve"),
    *,
    log: Path | None = None,
) -> Iterator[Server]:
    """Until the block ends; whatever is left then is killed. log: None = in the home."""
    home.mkdir(parents=True, exist_ok=True)
    port, log = free_port(), log or home / "server.log"
    full = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "LANTERN_HOME": "",
        "MODEL_DIR": str(home),
        "PORT": str(port),
        **environ,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=full, stdout=output, stderr=output)
    server = Server(process, f"http://127.0.0.1:{port}", log)
    family = []
    try:
        eventually(lambda: _answers(server), START_SECONDS)
        family = psutil.Process(process.pid).children(recursive=True)
        yield server
    finally:
        for one in (*family, process):
            try:
                one.kill()
            except psutil.NoSuchProcess:
                continue
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Poll until the condition holds; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


def _answers(server: Server) -> bool:
    assert server.process.poll() is None, server.log.read_text()
    try:
        return requests.get(server.url + "/health", timeout=2).ok
    except requests.RequestException:
        return False
