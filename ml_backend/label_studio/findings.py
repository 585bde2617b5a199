"""What `lantern doctor` says: what is wrong, why it matters, and the exact mend."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """error: something does not work. warning: it works less well than it could, or may be meant so."""

    ERROR = "error"
    WARNING = "warning"
    OK = "ok"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. why and mend are empty when all is well."""

    severity: Severity
    what: str
    why: str = ""
    mend: str = ""


def fine(what: str) -> Finding:
    """All is well."""
    return Finding(Severity.OK, what)


def warning(what: str, why: str, mend: str) -> Finding:
    """It works, but not as well as it could."""
    return Finding(Severity.WARNING, what, why, mend)


def error(what: str, why: str, mend: str) -> Finding:
    """It does not work."""
    return Finding(Severity.ERROR, what, why, mend)
