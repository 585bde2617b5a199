"""Things that are made once: after a 5xx they are looked for before they are made again.

On SQLite, Label Studio answers 500 while another of its requests holds the lock, sometimes after the thing was made.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ml_backend.errors import LabelStudioUnreachable
from ml_backend.label_studio import client

Json = dict[str, Any]


def made_once(make: Callable[[], Json], find: Callable[[], Json | None]) -> Json:
    """What was made. find: looks for what an earlier try has left. Errors are those of `LabelStudioClient.send`."""
    for wait in client.RETRY_SECONDS:
        try:
            return make()
        except LabelStudioUnreachable as error:
            if (error.http_status or 0) < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
        time.sleep(wait)
        found = find()
        if found is not None:
            return found
    return make()
