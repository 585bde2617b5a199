"""A record: one task's data under its key, and how a field of it is read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

UNDEFINED = "$undefined$"
"""Key under which Label Studio stores data that was imported before the project had a label config."""

_STEP = re.compile(r"[^.\[\]]+")


@dataclass(frozen=True)
class Record:
    """One item to encode. key: a task id (int) or a row's name; data: the task's `data`, as Label Studio sends it."""

    key: str | int
    data: Mapping[str, object]


@dataclass(frozen=True)
class Unreadable:
    """In place of a value: why one item could not be read."""

    reason: str


def read_field(data: Mapping[str, object], field: str) -> object | None:
    """Value under `field`: a key, or a path as in Label Studio's `$a.b` and `$a[0]`. None when there is none."""
    if field in data:
        return data[field]
    value: object = data
    for step in _STEP.findall(field):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, Sequence) and not isinstance(value, str) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return data.get(UNDEFINED)
    return value
