"""Reads a request's JSON body strictly.

Threats: NaN and infinities (Label Studio would store null), nesting bombs (RecursionError in whoever walks the value),
lone surrogates (no database takes them), bodies that are not objects, other content types (a browser form needs no CORS
preflight). The size cap is Flask's MAX_CONTENT_LENGTH, and a far smaller one below /map/, where strangers may post: 413
before a byte is parsed.
"""

from __future__ import annotations

import json
import math
from typing import NoReturn

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from ml_backend.errors import InputError
from ml_backend.logs import hide

MAX_DEPTH = 64
"""Deepest nesting of a body; Label Studio's stay below 20."""

Body = dict[str, object]


def read_object(request: Request, most_bytes: int | None = None) -> Body:
    """The body as a JSON object. most_bytes: a cap of its own; a body that does not tell its length is then too large.

    Raises InputError (400), UnsupportedMediaType (415), RequestEntityTooLarge (413).
    """
    if not request.is_json:
        raise UnsupportedMediaType("send JSON with the header Content-Type: application/json")
    length = request.content_length
    if most_bytes is not None and (length is None or length > most_bytes):
        raise RequestEntityTooLarge(f"the body is larger than {most_bytes:,} bytes, or does not tell its length")
    body = parse(_all_of(request))
    if not isinstance(body, dict):
        raise InputError(f"the body must be a JSON object, not {_kind(body)}")
    hide(secrets_in(body))
    return body


def _all_of(request: Request) -> bytes:
    """Up to the app's cap. Raises RequestEntityTooLarge."""
    length, most = request.content_length, request.max_content_length
    if most is None:
        return request.get_data(cache=False)
    if length is None or length <= most:
        raw = request.get_data(cache=False)
        if length is not None or len(raw) < most:  # of one that tells no length, what comes beyond the cap is left out
            return raw
    raise RequestEntityTooLarge(
        f"the body is larger than {most:,} bytes: send less at once, or set LANTERN_MAX_BODY_BYTES"
    )


def read_predict(request: Request) -> Body:
    """As `read_object`, with a list under `tasks`; what is in the list is the service's matter, task by task."""
    body = read_object(request)
    if "tasks" not in body:
        raise InputError("the body has no 'tasks'")
    if not isinstance(body["tasks"], list):
        raise InputError(f"'tasks' must be a list, not {_kind(body['tasks'])}")
    return body


def parse(raw: bytes) -> object:
    """Strict JSON: finite numbers, at most MAX_DEPTH deep, lone surrogates replaced by '?'. Raises InputError."""
    try:
        value: object = json.loads(raw, parse_constant=_no_constant)
        if b"\\ud" in raw.lower():
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError as error:
        raise InputError(f"the body is nested deeper than {MAX_DEPTH} levels") from error
    except ValueError as error:
        raise InputError("the body is not valid JSON") from error
    _check(value)
    return value


def secrets_in(body: Body) -> list[object]:
    """What Label Studio sends that must never be logged: its owner's token, the project's token, task passwords."""
    found = [body.get("access_token")]
    for key, names in (("params", ("password",)), ("project", ("token", "task_data_password"))):
        part = body.get(key)
        if isinstance(part, dict):
            found += [part.get(name) for name in names]
    return found


def _check(value: object) -> None:
    layer: list[dict[str, object] | list[object]] = [[value]]
    for _ in range(MAX_DEPTH + 1):
        deeper: list[dict[str, object] | list[object]] = []
        for container in layer:
            for item in container.values() if isinstance(container, dict) else container:
                if isinstance(item, dict | list):
                    deeper.append(item)
                elif isinstance(item, float) and not math.isfinite(item):
                    raise InputError("the body holds a number that is not finite")
        if not deeper:
            return
        layer = deeper
    raise InputError(f"the body is nested deeper than {MAX_DEPTH} levels")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
