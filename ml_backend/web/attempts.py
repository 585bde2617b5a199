"""Counts bad log-ins per client address, so that a password cannot be guessed by trying."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

LIMIT = 30
"""Bad log-ins of one address within WINDOW_SECONDS after which it has to wait."""
WINDOW_SECONDS = 60.0
MOST_ADDRESSES = 10_000
"""Addresses remembered; the longest unseen is forgotten first, so that the memory stays bounded."""


class Attempts:
    """Sliding window of bad log-ins per address, of one process. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def failed(self, address: str) -> None:
        """Note one bad log-in."""
        with self._lock:
            times = self._times.setdefault(address, deque(maxlen=LIMIT))
            times.append(self._clock())
            self._times.move_to_end(address)
            while len(self._times) > MOST_ADDRESSES:
                self._times.popitem(last=False)

    def wait_seconds(self, address: str) -> float:
        """How long the address has to wait before its next try; 0 when it need not."""
        with self._lock:
            times = self._times.get(address)
            if times is None or len(times) < LIMIT:
                return 0.0
            return max(0.0, times[0] + WINDOW_SECONDS - self._clock())
