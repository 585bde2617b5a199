"""The one way in which the store writes JSON, so that equal values are equal texts and SQL can compare them."""

from __future__ import annotations

import json


def to_text(value: object) -> str:
    """Canonical JSON: sorted keys, no spaces, ASCII only.

    ASCII, because a lone surrogate in a task's text is valid JSON but no valid UTF-8. NaN is written as the bare word
    NaN: one task with a broken vector must be storable, or it would stop the import of all others. Raises TypeError for
    what JSON cannot hold.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
