"""Waiting for something, and saying for how long and for what."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from ml_backend.errors import DemoError

POLL_SECONDS = 0.5
LINE_SECONDS = 10.0
"""Between two lines where no bar can move: in a log, or through a pipe."""

Say = Callable[[str], None]
"""Told, again and again, what is waited for."""


@contextmanager
def waiting(*, visible: bool = True) -> Iterator[Say]:
    """Shows what is waited for and since when: a line that changes on a terminal, else a new one every few seconds."""
    start = said = time.monotonic()
    with tqdm(bar_format="  {elapsed} {desc}", leave=False, disable=None if visible else True) as bar:

        def say(what: str) -> None:
            nonlocal said
            now = time.monotonic()
            if not bar.disable:
                bar.set_description_str(what)
            elif visible and now - said >= LINE_SECONDS:
                said = now
                print(f"  {tqdm.format_interval(now - start)} {what}", file=sys.stderr, flush=True)

        yield say


def wait_until(what: str, missing: Callable[[], str | None], seconds: float, *, visible: bool = True) -> None:
    """Until `missing` gives None; until then it says what is missing.

    Raises DemoError with the last answer after `seconds`.
    """
    deadline = time.monotonic() + seconds
    with waiting(visible=visible) as say:
        while (answer := missing()) is not None:
            if time.monotonic() > deadline:
                raise DemoError(f"{what} did not happen within {seconds:.0f} s: {answer}")
            say(f"{what}: {answer}")
            time.sleep(POLL_SECONDS)
