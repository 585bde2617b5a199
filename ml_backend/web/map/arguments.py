"""Reads numbers and words of a request strictly."""

from __future__ import annotations

from flask import Request

from ml_backend.errors import InputError
from ml_backend.web.bodies import Body, read_object

MOST_BYTES = 2 * 2**20
"""Of a body: an act about as many tasks as it may be has 1 MB at most."""


def body_of(request: Request) -> Body:
    """The body as a JSON object. Raises as `read_object`."""
    return read_object(request, MOST_BYTES)


def whole(request: Request, name: str, default: int, low: int, high: int) -> int:
    """A whole number of the query, low..high. Raises InputError."""
    text = request.args.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and low <= int(text) <= high):
        raise InputError(f"{name} must be a whole number {low}..{high}")
    return int(text)


def rows_of(request: Request) -> tuple[list[int], str | None]:
    """`rows` and `control` of a body. Raises InputError."""
    body = body_of(request)
    rows, control = body.get("rows"), body.get("control")
    if not isinstance(rows, list) or not all(isinstance(row, int) and not isinstance(row, bool) for row in rows):
        raise InputError("'rows' must be a list of whole numbers")
    if control is not None and not isinstance(control, str):
        raise InputError("'control' must be a text")
    return rows, control
