"""Identifiers that come from outside are checked here, before a query or a path is made with them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ml_backend.errors import InputError

_UID = re.compile(r"([1-9][0-9]{0,17})(?:\.([0-9]{1,12}))?", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){0,119}", re.ASCII)
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class ProjectUid:
    """A project's key. label_studio_id: its number; created_ts: when Label Studio made it (epoch seconds), None if not
    told.

    The number alone is not enough: Label Studio gives it again after its database was reset.
    """

    label_studio_id: int
    created_ts: int | None

    def __str__(self) -> str:
        return str(self.label_studio_id) if self.created_ts is None else f"{self.label_studio_id}.{self.created_ts}"


def project_uid(value: object) -> ProjectUid:
    """Read "12.1795381627", "12" or 12; anything else raises InputError."""
    text = str(value) if isinstance(value, int) and _is_row_id(value) else value
    match = _UID.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise InputError(f"project {_shown(value)} is not a project key: send 12, '12' or '12.1795381627'")
    number, created = match.groups()
    return ProjectUid(int(number), None if created is None else int(created))


def row_id(value: object, noun: str) -> int:
    """A task's or annotation's id as an int in [0, 2^63); anything else (a bool, a text, 10**30) raises InputError."""
    if not isinstance(value, int) or not _is_row_id(value):
        raise InputError(f"{_shown(value)} is not the id of {noun}: send a whole number")
    return value


def seconds(value: object, noun: str) -> float:
    """A moment as finite epoch seconds; anything else raises InputError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{noun} {_shown(value)} is not a time in seconds")
    return float(value)


def path_component(name: str) -> str:
    """A name that is safe as one folder or file name: letters, digits, `_`, `-` and single dots; else InputError."""
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise InputError(f"{name[:40]!r} cannot be a file name: use letters, digits, '.', '_' and '-' (at most 120)")
    return name


def _is_row_id(value: int) -> bool:
    return not isinstance(value, bool) and 0 <= value <= _LARGEST_ID


def _shown(value: object) -> str:
    """For a message: short, and not the digits of a huge number, which Python may refuse to write."""
    return "a huge number" if isinstance(value, int) and abs(value) > _LARGEST_ID else repr(str(value)[:40])
