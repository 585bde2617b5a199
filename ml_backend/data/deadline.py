"""A cap on the whole duration of a download, also against servers that send one byte a second.

A socket's own time-out starts anew with every byte, so a watchdog shuts the connection down when the time is over;
whoever waits for it then gets an end of file or an error at once.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time


class Deadline:
    """The time left for one download, over all its connections. Close it in the end."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def left(self) -> float:
        """Seconds left. Raises TimeoutError when there are none."""
        self.check()
        return max(0.001, self._end - time.monotonic())

    def passed(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._end

    def check(self) -> None:
        """Raises TimeoutError when the time is over: an end of file may have been our own cut."""
        if self.passed():
            raise TimeoutError("the download took too long")

    def watch(self, connection: socket.socket) -> None:
        """Shuts this connection down when the time is over. A TLS socket made from it is the same connection."""
        with self._lock:
            self._sockets.append(connection.dup())
        if self.passed():
            self._cut()

    def close(self) -> None:
        """Ends the watch."""
        self._timer.cancel()
        with self._lock:
            for connection in self._sockets:
                connection.close()
            self._sockets.clear()

    def _cut(self) -> None:
        with self._lock:
            for connection in self._sockets:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
