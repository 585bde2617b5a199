"""How the commands print what they did and found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ml_backend.logs import mask

if TYPE_CHECKING:
    from ml_backend.label_studio.changes import Change
    from ml_backend.label_studio.findings import Finding

MARKS = {"ok": "ok     ", "warning": "WARNING", "error": "ERROR  "}


def print_changes(changes: Sequence[Change]) -> None:
    """One line each: what was changed and what was as it should be."""
    for change in changes:
        state = "changed  " if change.changed else "unchanged"
        print(mask(f"{state}  {change.what}" + (f": {change.detail}" if change.detail else "")))


def print_findings(findings: Sequence[Finding]) -> None:
    """What was looked at; for what is wrong also why it matters and the mend."""
    for finding in findings:
        print(mask(f"{MARKS[finding.severity]}  {finding.what}"))
        for label, text in (("why: ", finding.why), ("mend:", finding.mend)):
            if text:
                print(mask(f"         {label} " + text.replace("\n", "\n               ")))
    wrong = sum(finding.severity != "ok" for finding in findings)
    print(f"\n{wrong} of {len(findings)} points need attention." if wrong else "\nAll is well.")
