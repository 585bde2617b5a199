"""Webhooks of Label Studio -> what they say, and the rows that follow.

Nothing in a webhook is certain: it may come twice, out of order, late, or never; it has no signature and no delivery
id; a webhook with send_payload=false says its action alone. So every event is read into plain facts (annotations,
tasks, ids that are gone), each fact is written so that repeating or reordering changes nothing, and what cannot be
understood asks for a reconcile. Skipped (cancelled) annotations are stored and are no labels. What Lantern itself
does in Label Studio (PATCH of the project, import of predictions) comes back as PROJECT_UPDATED or not at all and
moves no version, so there is no loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy.orm import Session

from ml_backend.errors import InputError
from ml_backend.label_studio.contract import Json, parse_id, parse_time, project_uid
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import outbox, overtaken, projects, tasks
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.tables import Project

T = TypeVar("T")

START_TRAINING = "START_TRAINING"

_ANNOTATED = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_CREATED", "ANNOTATIONS_UPDATED")
# Label Studio sends the plural; label-studio-ml listens to the singular, so other senders may use it.
_ANNOTATIONS_GONE = ("ANNOTATIONS_DELETED", "ANNOTATION_DELETED")
_TASKS_MADE = ("TASKS_CREATED", "TASK_CREATED")
_TASKS_GONE = ("TASKS_DELETED", "TASK_DELETED")
_PROJECT = ("PROJECT_CREATED", "PROJECT_UPDATED")
_PROJECT_GONE = ("PROJECT_DELETED",)


@dataclass(frozen=True)
class Event:
    """What one webhook says. incomplete: something that its action promises is missing or cannot be read."""

    action: str
    uid: str | None
    project: Json
    annotations: tuple[AnnotationRow, ...] = ()
    gone_annotations: tuple[int, ...] = ()
    tasks: tuple[tuple[int, Json], ...] = ()
    gone_tasks: tuple[int, ...] = ()
    incomplete: bool = False


@dataclass(frozen=True)
class Recorded:
    """What an event did to the store. job: number of the training asked for, of START_TRAINING."""

    action: str
    known: bool
    labels_changed: int = 0
    tasks_changed: int = 0
    reconcile: bool = False
    job: int | None = None


def read_event(body: object, now: float) -> Event:
    """The facts in a webhook's body. now: epoch seconds, stands in for an annotation without a time.

    Raises InputError when the body is no object; anything else is read as far as it goes.
    """
    if not isinstance(body, dict):
        raise InputError("the body must be a JSON object with an `action`")
    action = body.get("action")
    action = action.strip().upper() if isinstance(action, str) else ""
    project = body.get("project")
    found_tasks, bad_tasks = _read_all(_items(body, "task", "tasks"), _task)
    event = Event(action, _uid(body), project if isinstance(project, dict) else {}, tasks=found_tasks)
    if action in _ANNOTATED:
        rows, bad = _read_all(_items(body, "annotation", "annotations"), lambda item: annotation_row(item, now))
        return replace(event, annotations=rows, incomplete=bad or bad_tasks or not rows)
    if action in _ANNOTATIONS_GONE:
        ids, bad = _read_all(_items(body, "annotation", "annotations"), _id)
        return replace(event, gone_annotations=ids, tasks=(), incomplete=bad or not ids)
    if action in _TASKS_MADE:
        answered = any(_is_answered(task) for task in _items(body, "task", "tasks"))
        return replace(event, incomplete=bad_tasks or answered or not found_tasks)
    if action in _TASKS_GONE:
        ids, bad = _read_all(_items(body, "task", "tasks"), _id)
        return replace(event, gone_tasks=ids, tasks=(), incomplete=bad or not ids)
    return replace(event, tasks=(), incomplete=action in _PROJECT and not event.project)


def essentials(body: object) -> object:
    """What `read_event` reads of a body, for keeping it: the rest may hold Label Studio's tokens."""
    if not isinstance(body, dict):
        return body
    kept = {key: body[key] for key in ("action", "annotation", "annotations", "task", "tasks") if key in body}
    project = body.get("project")
    if isinstance(project, dict):
        project = {key: project[key] for key in ("id", "created_at", "label_config", "title") if key in project}
    return kept | {"project": project}


def record_event(session: Session, event: Event, now: float) -> Recorded:
    """Write the facts in the present transaction. Unknown actions write nothing."""
    known = event.action in (*_ANNOTATED, *_ANNOTATIONS_GONE, *_TASKS_MADE, *_TASKS_GONE, *_PROJECT, *_PROJECT_GONE)
    known = known or event.action == START_TRAINING
    if event.uid is None:
        if known:
            _reconcile_everything(session, now)
        return Recorded(event.action, known, reconcile=known)
    if not known:
        return Recorded(event.action, known=False)
    project = projects.ensure(session, event.uid, now)
    gone = event.action in _PROJECT_GONE
    came_back = not gone and projects.revive(session, project)  # events are about projects that are there
    if not gone:
        _configure(session, project, event)
    came_again = _came_again(session, project, event)
    tasks_changed = tasks.upsert_many(session, project, event.tasks)
    labels_gone = annotation_rows.count_on(session, project, event.gone_tasks)
    tasks_changed += tasks.delete_many(session, project, event.gone_tasks) if event.gone_tasks else 0
    projects.touch_data(session, project, tasks_changed, now)
    labels_changed, unknown = _record_labels(session, project, event, now)
    labels_changed += labels_gone
    projects.touch_labels(session, project, labels_changed, now)
    reconcile = event.incomplete or unknown or gone or came_back or came_again
    if reconcile:
        projects.request_reconcile(session, project, now)
    job = projects.request_training(session, project) if event.action == START_TRAINING else None
    return Recorded(event.action, True, labels_changed, tasks_changed, reconcile, job)


def _came_again(session: Session, project: Project, event: Event) -> bool:
    """Whether it tells of something that was deleted before it was made: Label Studio gives numbers again after it was
    restored from a backup. Only a reconcile can tell what holds. What was told late is older than the deletion.
    """
    told = {row.annotation_id: row.updated_at for row in event.annotations}
    on_tasks = [task_id for task_id, _ in event.tasks] + [r.task_id for r in event.annotations if r.task_id is not None]
    is_new = event.action in _TASKS_MADE or max(told.values(), default=0.0) > project.data_changed_at
    if is_new and tasks.deleted_among(session, project, on_tasks):
        return True
    known = annotation_rows.by_ids(session, project, told)
    return any(row.deleted_at is not None and told[row.annotation_id] > row.deleted_at for row in known if row.deleted)


def _record_labels(session: Session, project: Project, event: Event, now: float) -> tuple[int, bool]:
    """(labels that changed, whether a deleted annotation was not known). What the map's outbox is sending just now
    counts already: Label Studio tells of it before it answers the sender. What still waits takes over what was changed.
    """
    rows, gone = event.annotations, event.gone_annotations
    sending = outbox.hidden_among(
        session, project, [row.task_id for row in rows], [*(row.annotation_id for row in rows), *gone]
    )
    known = [row for row in rows if sending.covers(row.annotation_id, row.task_id, row.annotator)]
    news = [row for row in rows if row not in known]
    told = [*(row.annotation_id for row in news), *gone]
    skipped = annotation_rows.skips(session, project, told)
    annotation_rows.apply_many(session, project, known)
    changed = annotation_rows.apply_many(session, project, news)
    changed += annotation_rows.count_labels(session, project, [i for i in gone if i not in sending.ids])
    unknown = bool(gone) and bool(annotation_rows.tombstone(session, project, gone, now))
    if sending:
        of_deleted = [row.task_id for row in annotation_rows.by_ids(session, project, gone)]
        changed += overtaken.catch_up(session, project, [*(row.task_id for row in rows), *of_deleted])
    if not changed and annotation_rows.skips(session, project, told) != skipped:
        projects.touch_scores(session, project)  # the map and the queue show who skipped what
    return changed, unknown


def _configure(session: Session, project: Project, event: Event) -> None:
    """Take the label config over from PROJECT_* only: the other events carry it too, but may be late."""
    config, title = event.project.get("label_config"), event.project.get("title")
    if event.action in _PROJECT or not project.label_config:
        projects.configure(
            session,
            project,
            label_config=config if isinstance(config, str) and config.strip() else None,
            title=title if isinstance(title, str) else None,
        )


def _reconcile_everything(session: Session, now: float) -> None:
    """An event that names no project may be about any of them."""
    for project in projects.list_all(session):
        projects.request_reconcile(session, project, now)


def _uid(body: Json) -> str | None:
    """From the project; else from what the annotation or task says it belongs to."""
    owners = [body.get("project")]
    for item in (*_items(body, "annotation", "annotations"), *_items(body, "task", "tasks")):
        owners.append(item.get("project"))
    return next((uid for owner in owners if (uid := project_uid(owner)) is not None), None)


def _items(body: Json, singular: str, plural: str) -> Iterator[Mapping[str, object]]:
    """Objects under either key, each of them one object or a list: Label Studio sends lists under the singular, too."""
    for key in (singular, plural):
        value = body.get(key)
        for item in value if isinstance(value, list) else [value] if value is not None else []:
            yield item if isinstance(item, dict) else {}


def _read_all(
    items: Iterator[Mapping[str, object]], read: Callable[[Mapping[str, object]], T | None]
) -> tuple[tuple[T, ...], bool]:
    """(what could be read, whether anything could not)."""
    read_items = [read(item) for item in items]
    return tuple(item for item in read_items if item is not None), any(item is None for item in read_items)


def _id(item: Mapping[str, object]) -> int | None:
    return parse_id(item.get("id"))


def _task(item: Mapping[str, object]) -> tuple[int, Json] | None:
    task_id, data = parse_id(item.get("id")), item.get("data")
    return (task_id, data) if task_id is not None and isinstance(data, dict) else None


def _is_answered(task: Mapping[str, object]) -> bool:
    """Whether it was imported with annotations: Label Studio counts them here and tells of them in no event."""
    return any(task.get(name) not in (None, 0) for name in ("total_annotations", "cancelled_annotations"))


def annotation_row(item: object, now: float) -> AnnotationRow | None:
    """An annotation as a webhook or an export shows it; None when it has no usable id.

    now: epoch seconds, used when the annotation tells no time of its own.
    """
    if not isinstance(item, dict) or (number := parse_id(item.get("id"))) is None:
        return None
    result = item.get("result")
    updated = parse_time(item.get("updated_at"))
    return AnnotationRow(
        annotation_id=number,
        task_id=_reference(item.get("task")),
        annotator=_annotator(item.get("completed_by")),
        result=result if isinstance(result, list) else [],
        was_cancelled=item.get("was_cancelled") is True,
        updated_at=now if updated is None else updated,
    )


def _reference(value: object) -> int | None:
    """A row's id, given as such or as the object itself."""
    return parse_id(value.get("id") if isinstance(value, dict) else value)


def _annotator(value: object) -> str | None:
    number = _reference(value)
    return None if number is None else str(number)
