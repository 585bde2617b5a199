"""How long what has failed waits before it is tried again: longer each time."""

from __future__ import annotations

import time
from dataclasses import dataclass

FIRST_WAIT_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 120.0


@dataclass
class _Waiting:
    """Failures in a row, and until when to wait (monotonic seconds)."""

    failures: int = 0
    until: float = 0.0


class Waits:
    """By a name, such as a project's or an address."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}

    def holds(self, name: str) -> bool:
        """Whether it has to wait now."""
        waiting = self._waiting.get(name)
        return waiting is not None and time.monotonic() < waiting.until

    def failed(self, name: str, took: float) -> float:
        """Seconds to wait: at least as long as the failure took, since nothing else is done meanwhile."""
        waiting = self._waiting.setdefault(name, _Waiting())
        waiting.failures += 1
        wait: float = min(LONGEST_WAIT_SECONDS, max(took, FIRST_WAIT_SECONDS * 2 ** (waiting.failures - 1)))
        waiting.until = time.monotonic() + wait
        return wait

    def succeeded(self, name: str) -> None:
        """Its failures are forgotten."""
        self._waiting.pop(name, None)
