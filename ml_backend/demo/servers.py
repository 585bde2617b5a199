"""A server as a child process: started, waited for, stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from ml_backend.errors import DemoError
from ml_backend.processes import Child

POLL_SECONDS = 0.25
SHOWN_LINES = 15
"""How much of a log is shown when its server did not start."""


class Server:
    """One server at http://localhost:PORT that tells at `health_path` when it is up."""

    health_path = "/health"
    start_seconds = 300.0
    """Longest wait for its first answer: databases are made, and the machine may be busy."""
    stop_seconds = 40.0

    def __init__(
        self, name: str, command: Sequence[str], environ: dict[str, str], *, port: int, log_file: Path
    ) -> None:
        self.name = name
        self.port = port
        self.log_file = log_file
        self.environ = environ
        self._child = Child(name, command, environ, log_file=log_file)

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Start the process; `wait_until_up` tells when it answers."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self._child.start()

    def wait_until_up(self, on_wait: Callable[[float], None] | None = None) -> None:
        """Until it answers. on_wait: called now and then with the seconds since the start.

        Raises DemoError with the end of its log when it ends by itself or takes too long.
        """
        while not self.is_up():
            waited = self._child.seconds_since_start()
            self.require_running()
            if waited > self.start_seconds:
                raise DemoError(f"{self.name} does not answer after {waited:.0f} s: {self._log_end()}")
            if on_wait is not None:
                on_wait(waited)
            time.sleep(POLL_SECONDS)

    def is_up(self) -> bool:
        """Whether it answers now."""
        try:
            return httpx.get(self.url + self.health_path, timeout=2.0).is_success
        except httpx.TransportError:
            return False

    def require_running(self) -> None:
        """Raises DemoError with the end of its log when it has ended by itself."""
        status = self._child.exit_status()
        if status is not None:
            raise DemoError(f"{self.name} ended with status {status}: {self._log_end()}")

    def stop(self) -> None:
        """Ask it to end and wait until it has; killed if it takes too long. Nothing when it never started."""
        self._child.terminate()
        self._child.wait_or_kill(time.monotonic() + self.stop_seconds)

    def _log_end(self) -> str:
        lines = self.log_file.read_text("utf-8", errors="replace").splitlines()[-SHOWN_LINES:]
        return f"see {self.log_file}, which ends:\n  " + "\n  ".join(lines)
