"""Writes strict JSON: a value that JSON cannot hold (NaN, infinity) is a failure here, never a bare NaN on the wire."""

from __future__ import annotations

import json
from typing import Any

from flask.json.provider import JSONProvider


class StrictJson(JSONProvider):
    """Flask's JSON without NaN and without guessing how to write unknown types. Raises ValueError or TypeError."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        """One compact line of ASCII."""
        return json.dumps(obj, allow_nan=False, separators=(",", ":"), **kwargs)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """As json.loads; bodies of requests go through `bodies.parse` instead."""
        return json.loads(s, **kwargs)
