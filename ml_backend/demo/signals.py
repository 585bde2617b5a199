"""Ending on request."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupts_on_request() -> Iterator[None]:
    """Within: SIGTERM and SIGINT (Ctrl-C) raise KeyboardInterrupt.

    SIGINT too: a shell that starts a command in the background has it ignored, and Python then leaves it so.
    """
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
