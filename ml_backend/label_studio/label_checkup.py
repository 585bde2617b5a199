"""What the doctor sees of the labels that people gave: those that the label config does not offer (any more)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ml_backend.data.answers import UnknownLabel, parse_answers
from ml_backend.data.label_config import parse_label_config
from ml_backend.engine.given_labels import given_labels
from ml_backend.errors import LabelConfigError
from ml_backend.label_studio.findings import Finding, warning
from ml_backend.store.database import Database
from ml_backend.store.tables import Project

SHOWN = 3


def check_labels(db: Database, row: Project, label_config: str) -> Iterator[Finding]:
    """A finding when a class was renamed or removed that has labels: Label Studio keeps them as they were given.
    label_config: Label Studio's; nothing is said of one that cannot be read.
    """
    try:
        schema = parse_label_config(label_config)
    except LabelConfigError:
        return
    with db.read() as session:
        given = given_labels(session, row)
    unknown = Counter(label for one in given for label in parse_answers(one.result, schema).unknown)
    if unknown:
        yield _not_offered(unknown)


def _not_offered(unknown: Counter[UnknownLabel]) -> Finding:
    shown = [f"{label.label!r} of {label.control!r} ({count})" for label, count in unknown.most_common(SHOWN)]
    left = len(unknown) - len(shown)
    more = [f"{left} more class{'' if left == 1 else 'es'}"] if left else []
    total = unknown.total()
    return warning(
        f"{total} label{'' if total == 1 else 's'} of people count{'s' if total == 1 else ''} for nothing",
        f"the label config has no {', '.join(shown + more)}",
        "give a renamed class its old value back, or the new name beside the old value, "
        '<Choice value="new" alias="old"/>; correct the annotations of a class that is gone',
    )
