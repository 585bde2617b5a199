"""Child processes: started, watched, stopped, restarted with a growing wait."""

from __future__ import annotations

import ctypes
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

log = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
HEALTHY_SECONDS = 60.0
"""A child that lived this long did not die of its start: the waits begin anew."""

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when its parent dies."""


class Child:
    """One command, run in a session of its own, so that Ctrl-C reaches the supervisor alone.

    log_file: where its output is appended; None = the supervisor's own. private: files that it makes are for their
    owner only, also in a folder that others may read.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environ: dict[str, str],
        *,
        log_file: Path | None = None,
        private: bool = False,
    ) -> None:
        self.name = name
        self.environ = environ
        self.log_file = log_file
        self._umask = 0o077 if private else -1
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    def start(self, keep_open: Sequence[int] = ()) -> None:
        """Start it; `keep_open` are file descriptors that it inherits."""
        self._started = time.monotonic()
        with self.log_file.open("ab") if self.log_file else nullcontext() as output:
            self._process = subprocess.Popen(
                self._command,
                env=self.environ,
                pass_fds=keep_open,
                stdout=output,
                stderr=output,
                start_new_session=True,
                umask=self._umask,
                preexec_fn=_end_with_parent,
            )

    def exit_status(self) -> int | None:
        """None while it runs."""
        return self._process.poll() if self._process is not None else None

    def seconds_since_start(self) -> float:
        """Since the latest start."""
        return time.monotonic() - self._started

    def terminate(self) -> None:
        """Ask it to end (SIGTERM); nothing when it has ended."""
        if self._process is not None:
            self._process.terminate()

    def wait_or_kill(self, deadline: float) -> None:
        """Wait until it has ended; killed at `deadline` (monotonic seconds)."""
        if self._process is None:
            return
        try:
            self._process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.error("the %s did not stop in time: killed", self.name)
            self._process.kill()
            self._process.wait()


class Restarts:
    """When a child that keeps dying is started again: after 1, 2, 4 ... 60 seconds."""

    def __init__(self) -> None:
        self.next_start: float | None = None
        """Monotonic seconds; None while no start is planned."""
        self._deaths = 0

    def died(self, lived_seconds: float) -> float:
        """Plan the next start; returns the wait in seconds."""
        self._deaths = 1 if lived_seconds >= HEALTHY_SECONDS else self._deaths + 1
        wait = float(min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(self._deaths - 1, 10)))
        self.next_start = time.monotonic() + wait
        return wait

    def started(self) -> None:
        """The planned start has happened."""
        self.next_start = None


def _end_with_parent() -> None:
    """In the child, before its program: SIGTERM when the supervisor dies, even by kill -9. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
