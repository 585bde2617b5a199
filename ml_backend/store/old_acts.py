"""Forgets acts that nobody will undo any more. What they did stays: annotations are the truth, and where a newer act is
about the same annotation, what the old ones did to it becomes what was there before.
"""

from __future__ import annotations

from itertools import groupby

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.orm import Session

from ml_backend.data.edits import Edit, apply_edits
from ml_backend.store.bulk import chunks
from ml_backend.store.outbox import State
from ml_backend.store.tables import Act, ActItem, OutboxEntry, Project

KEPT_ACTS = 1_000
KEPT_SECONDS = 30 * 86_400.0
"""An act is kept that is among the newest ones, or younger than this."""
AT_ONCE = 2_000
"""Annotations that one transaction looks at: others want to write, too."""


def last_to_forget(session: Session, project: Project, now: float) -> int | None:
    """That act and all before it can no longer be undone, where Label Studio has what they said; None = no act."""
    mine = Act.project_id == project.id
    beyond = session.scalar(select(Act.id).where(mine).order_by(Act.id.desc()).offset(KEPT_ACTS).limit(1))
    old = session.scalar(select(func.max(Act.id)).where(mine, Act.created_at < now - KEPT_SECONDS))
    return None if beyond is None or old is None else min(beyond, old)


def forget(session: Session, project: Project, last: int) -> int:
    """Forget acts up to this one, except for what was not sent; how many annotations they were about, at most AT_ONCE:
    call it again until there are none.
    """
    query = (
        select(ActItem.entry_id, ActItem.act_id, ActItem.answer, Act.undone)
        .join(Act, Act.id == ActItem.act_id)
        .join(OutboxEntry, OutboxEntry.id == ActItem.entry_id)
        .where(Act.project_id == project.id, Act.id <= last, OutboxEntry.state == State.SENT)
        .order_by(ActItem.entry_id, ActItem.act_id)
    )
    # In the order of acts for each annotation, so that what is folded in now comes before what is left.
    items = session.execute(query.limit(AT_ONCE)).all()
    edits = {act_id: dict(of_act) for act_id, of_act in _edits(session, {item.act_id for item in items})}
    for entry_id, of_entry in groupby(items, key=lambda item: item.entry_id):
        entry = session.get_one(OutboxEntry, entry_id, populate_existing=True)
        done = [edits[item.act_id][item.answer] for item in of_entry if not item.undone]
        entry.base = apply_edits(entry.base, done, entry.unique_id)
    session.flush()
    for part in chunks((item.act_id, item.entry_id) for item in items):
        session.execute(delete(ActItem).where(tuple_(ActItem.act_id, ActItem.entry_id).in_(part)))
    _drop_unused(session, {item.entry_id for item in items}, {item.act_id for item in items})
    return len(items)


def _edits(session: Session, act_ids: set[int]) -> list[tuple[int, dict[str, Edit]]]:
    found = (session.execute(select(Act.id, Act.edits).where(Act.id.in_(part))) for part in chunks(sorted(act_ids)))
    return [(act_id, edits) for rows in found for act_id, edits in rows]


def _drop_unused(session: Session, entry_ids: set[int], act_ids: set[int]) -> None:
    """Entries that say why a task was skipped stay: no annotation does."""
    for part in chunks(sorted(entry_ids)):
        used = select(ActItem.entry_id).where(ActItem.entry_id.in_(part))
        gone = OutboxEntry.id.in_(part), OutboxEntry.aside.is_(None), OutboxEntry.id.not_in(used)
        session.execute(delete(OutboxEntry).where(*gone))
    for part in chunks(sorted(act_ids)):
        session.execute(delete(Act).where(Act.id.in_(part), Act.id.not_in(select(ActItem.act_id))))
