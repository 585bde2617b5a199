"""Which task field tells the map beside a task which point is this task's.

A label config can show a field of the task's data and not the task's number. So the field must be in every task, have
another value in each, and stand in an address as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ml_backend.data.task_text import KEY_FIELD

PREFERRED = (KEY_FIELD, "id", "uid", "uuid", "key")
WITHOUT = (
    "no field is in every task with a different value of letters, digits and - _ . ~ only: to have the present task "
    f"ringed, add such a field `{KEY_FIELD}` to the tasks' data, then run this again"
)
_NAME = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
_VALUE = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_SAFE_INTEGER = 2**53
"""Beyond it, JavaScript rounds."""


def ring_field(tasks: Iterable[Mapping[str, object]], present: str | None = None) -> str | None:
    """The field to use, None when none fits. tasks: the data of all tasks; read only as long as a field is left.

    present: the field in use, which stays if it still fits. Then come PREFERRED, then names that end in `id`, then
    the order of the first task.
    """
    seen: dict[str, set[str]] | None = None
    for data in tasks:
        if seen is None:
            seen = {name: set() for name in data if _NAME.fullmatch(name)}
        for name in list(seen):
            value = in_address(data.get(name))
            if value is None or value in seen[name]:
                del seen[name]
            else:
                seen[name].add(value)
        if not seen:
            return None
    ranks = {name: rank for rank, name in enumerate((present, *PREFERRED))}
    last = len(ranks)
    order = {name: (ranks.get(name, last), not name.lower().endswith("id")) for name in seen or ()}
    return min(order, key=lambda name: order[name], default=None)


def in_address(value: object) -> str | None:
    """The value as Label Studio puts it into an address; None for one that does not survive that."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _SAFE_INTEGER:
        return str(value)
    return value if isinstance(value, str) and _VALUE.fullmatch(value) else None
