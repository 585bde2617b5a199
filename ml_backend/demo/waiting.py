"""Waiting for something, with a bar that shows for how long and for what."""

from __future__ import annotations

import time
from collections.abc import Callable

from tqdm import tqdm

from ml_backend.errors import DemoError

POLL_SECONDS = 0.5


def wait_until(what: str, missing: Callable[[], str | None], seconds: float, *, visible: bool = True) -> None:
    """Until `missing` gives None; until then it says what is missing.

    Raises DemoError with the last answer after `seconds`. The bar shows on a terminal only.
    """
    deadline = time.monotonic() + seconds
    with tqdm(bar_format="  {desc} ({elapsed})", leave=False, disable=None if visible else True) as bar:
        while (answer := missing()) is not None:
            if time.monotonic() > deadline:
                raise DemoError(f"{what} did not happen within {seconds:.0f} s: {answer}")
            bar.set_description_str(f"{what}: {answer}")
            time.sleep(POLL_SECONDS)
