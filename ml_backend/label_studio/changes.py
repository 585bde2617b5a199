"""What the operator's commands report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One thing that connect or disconnect looked after. changed: False when it was as it should be already."""

    what: str
    changed: bool
    detail: str = ""
