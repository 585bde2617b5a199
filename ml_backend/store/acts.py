"""Acts: what a person did on the map, each undone and done again as a whole.

What an annotation should become is always worked out anew from what it was before and the acts that are not undone, in
order. So a newer label replaces an older one of the same person, undoing the newer one brings the older one back, and
undoing the older one leaves the newer one alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from ml_backend.data.edits import Edit, apply_edits, aside_kind
from ml_backend.store import outbox, projects
from ml_backend.store.act_slots import Slots, close_changed
from ml_backend.store.bulk import chunks, execute_many
from ml_backend.store.outbox import State
from ml_backend.store.tables import Act, ActItem, OutboxEntry, Project


@dataclass(frozen=True)
class Author:
    """The person who acts. id: of the Label Studio user."""

    id: int
    name: str


@dataclass(frozen=True)
class Deed:
    """What an act says. edits: what is done to an annotation, by the key that a target names."""

    kind: str
    control: str | None
    label: str | None
    edits: Mapping[str, Edit]


@dataclass(frozen=True)
class Target:
    """One annotation that an act is about: the author's own of a task, or, with annotation_id, another person's."""

    task_id: int
    answer: str
    annotation_id: int | None = None


@dataclass(frozen=True)
class Progress:
    """How far Label Studio is with one act. error: of one annotation that waits or failed."""

    sent: int
    waiting: int
    failed: int
    error: str | None

    @property
    def total(self) -> int:
        """Annotations that the act is about."""
        return self.sent + self.waiting + self.failed


def record(
    session: Session, project: Project, author: Author, deed: Deed, targets: Sequence[Target], now: float
) -> Act:
    """Write an act down: it counts from the end of this transaction on, and waits in the outbox."""
    act = Act(
        project_id=project.id,
        kind=deed.kind,
        control=deed.control,
        label=deed.label,
        person_id=author.id,
        person_name=author.name,
        edits=dict(deed.edits),
        created_at=now,
        undone=False,
    )
    session.add(act)
    session.flush()
    slots = Slots(session, project, author.id, (target.task_id for target in targets))
    found = [(target, *slots.entry(target.task_id, target.annotation_id)) for target in targets]
    new = [(target, entry) for target, entry, is_new in found if is_new]
    for target, entry in new:  # nothing but this act concerns it
        rewrite(entry, [deed.edits[target.answer]])
    session.add_all(entry for _, entry in new)
    session.flush()
    items = [{"act_id": act.id, "entry_id": entry.id, "answer": target.answer} for target, entry, _ in found]
    execute_many(session, insert(ActItem), items)
    _renew([entry for _, entry, _ in found], now)
    changed = _rework(session, [entry for _, entry, is_new in found if not is_new])
    projects.touch_labels(session, project, len(new) + changed, now)
    return act


def undo(session: Session, project: Project, act: Act, now: float) -> int:
    """Take an act back; how many annotations stay as they are because somebody changed them in Label Studio since."""
    act.undone = True
    return _again(session, project, act, _entries(session, act), now)


def redo(session: Session, project: Project, act: Act, now: float) -> int:
    """Do an act again that was undone; how many annotations stay as they are (see `undo`)."""
    act.undone = False
    entries = _entries(session, act)
    _renew(entries, now)
    return _again(session, project, act, entries, now)


def find(session: Session, project: Project, act_id: int) -> Act | None:
    """The act with this number."""
    return session.scalar(select(Act).where(Act.project_id == project.id, Act.id == act_id))


def list_newest(session: Session, project: Project, limit: int = 50) -> list[Act]:
    """The last ones, newest first."""
    query = select(Act).where(Act.project_id == project.id).order_by(Act.id.desc()).limit(limit)
    return list(session.scalars(query))


def progress(session: Session, acts: Iterable[Act]) -> dict[int, Progress]:
    """By act."""
    ids = [act.id for act in acts]
    query = (
        select(ActItem.act_id, OutboxEntry.state, func.count(), func.max(OutboxEntry.error))
        .join(OutboxEntry, OutboxEntry.id == ActItem.entry_id)
        .group_by(ActItem.act_id, OutboxEntry.state)
    )
    counted: dict[int, dict[str, int]] = defaultdict(dict)
    errors: dict[int, str] = {}
    for chunk in chunks(ids):
        for act_id, state, n, error in session.execute(query.where(ActItem.act_id.in_(chunk))):
            counted[act_id][state] = n
            if error and (state == State.FAILED or act_id not in errors):
                errors[act_id] = error
    return {
        i: Progress(
            sent=counted[i].get(State.SENT, 0),
            waiting=counted[i].get(State.WAITING, 0),
            failed=counted[i].get(State.FAILED, 0),
            error=errors.get(i),
        )
        for i in ids
    }


def edits_of(session: Session, entries: Iterable[OutboxEntry]) -> dict[int, list[Edit]]:
    """What the acts that are not undone do to each annotation, by entry, in order."""
    ids = [entry.id for entry in entries]
    answers: dict[int, list[tuple[int, str]]] = {i: [] for i in ids}
    query = (
        select(ActItem.entry_id, Act.id, ActItem.answer)
        .join(Act, Act.id == ActItem.act_id)
        .where(Act.undone.is_(False))
        .order_by(Act.id)
    )
    for chunk in chunks(ids):
        for entry_id, act_id, answer in session.execute(query.where(ActItem.entry_id.in_(chunk))):
            answers[entry_id].append((act_id, answer))
    edits: dict[int, Mapping[str, Edit]] = {}
    for chunk in chunks({act_id for given in answers.values() for act_id, _ in given}):
        of_acts = session.execute(select(Act.id, Act.edits).where(Act.id.in_(chunk)))
        edits |= {act_id: dict(of_act) for act_id, of_act in of_acts}
    return {i: [edits[act_id][answer] for act_id, answer in given] for i, given in answers.items()}


def rewrite(entry: OutboxEntry, edits: Sequence[Edit]) -> bool:
    """The annotation becomes what it was before and the edits make of it; whether that is a change."""
    return outbox.write(entry, apply_edits(entry.base, edits, entry.unique_id), aside_kind(edits))


def _entries(session: Session, act: Act) -> list[OutboxEntry]:
    items = select(ActItem.entry_id).where(ActItem.act_id == act.id)
    query = select(OutboxEntry).where(OutboxEntry.id.in_(items)).order_by(OutboxEntry.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _renew(entries: Iterable[OutboxEntry], now: float) -> None:
    for entry in entries:
        entry.wanted_at = now


def _again(session: Session, project: Project, act: Act, entries: Sequence[OutboxEntry], now: float) -> int:
    close_changed(session, project, entries)
    session.flush()
    projects.touch_labels(session, project, _rework(session, entries), now)
    return sum(entry.closed for entry in entries)


def _rework(session: Session, entries: Sequence[OutboxEntry]) -> int:
    """Work out anew what the annotations should become; how many changed."""
    edits = edits_of(session, entries)
    changed = sum(rewrite(entry, edits[entry.id]) for entry in entries if not entry.closed)
    session.flush()
    return changed
