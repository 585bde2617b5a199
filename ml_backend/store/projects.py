"""Projects: found by their key, configured, and moved on by versions and requests.

A function may get a Project that another session loaded: it works on the row as the present transaction sees it.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ml_backend.errors import InputError
from ml_backend.store.checks import ProjectUid, project_uid
from ml_backend.store.tables import JsonObject, Project

_FOR_LABELS = {"label_config"}
_FOR_DATA = {"label_config", "encoder", "field"}


def ensure(session: Session, uid: str | int, now: float | None = None) -> Project:
    """The project with this key, made if it is new.

    "12" or 12 stands for the newest project with that number. A project first heard of by its number alone takes its
    full key on as soon as that is told, so that labels never split over two rows. Raises InputError for anything that
    is no key, and for a new project in a read-only session.
    """
    key = project_uid(uid)
    project = _find(session, key)
    writable = not session.info.get("read_only", False)
    if project is None and key.created_ts is not None and writable:
        project = _by_uid(session, str(key.label_studio_id))
        if project is not None:
            project.uid = str(key)
    if project is None:
        if not writable:
            raise InputError(f"project {key} is not known here: connect it first")
        project = Project(
            uid=str(key), label_studio_id=key.label_studio_id, created_at=time.time() if now is None else now
        )
        session.add(project)
    session.flush()
    return project


def find(session: Session, uid: str | int) -> Project | None:
    """The project with this key (see `ensure`), None if it is new. Raises InputError for anything that is no key."""
    return _find(session, project_uid(uid))


def by_label_studio_id(session: Session, label_studio_id: int) -> Project | None:
    """The newest project with this number."""
    found = session.scalars(select(Project).where(Project.label_studio_id == label_studio_id)).all()
    return max(found, key=_newness, default=None)


def list_all(session: Session, *, include_deleted: bool = False) -> list[Project]:
    """All projects in order of arrival."""
    query = select(Project).order_by(Project.id)
    return list(session.scalars(query if include_deleted else query.where(Project.deleted.is_(False))))


def configure(
    session: Session,
    project: Project,
    *,
    label_config: str | None = None,
    title: str | None = None,
    hostname: str | None = None,
    extra_params: JsonObject | None = None,
    encoder: str | None = None,
    field: str | None = None,
    settings: JsonObject | None = None,
    connection: JsonObject | None = None,
) -> bool:
    """Takes over what is given (None = leave as it is); True when something changed.

    What predictions depend on makes the project fall behind: a new label config bumps both versions, an encoder or
    field the data version. A configured project is no longer `deleted`.
    """
    row = current(session, project)
    given: dict[str, Any] = {
        "label_config": label_config,
        "title": title,
        "hostname": hostname,
        "extra_params": extra_params,
        "encoder": encoder,
        "field": field,
        "settings": settings,
        "connection": connection,
    }
    changed = {name for name, value in given.items() if value is not None and value != getattr(row, name)}
    for name in changed:
        setattr(row, name, given[name])
    row.labels_version += bool(changed & _FOR_LABELS)
    row.data_version += bool(changed & _FOR_DATA)
    returned = row.deleted
    row.deleted = False
    session.flush()
    return bool(changed) or returned


def mark_deleted(session: Session, project: Project) -> None:
    """Label Studio no longer has it: kept, but no longer worked on."""
    current(session, project).deleted = True
    session.flush()


def revive(session: Session, project: Project) -> bool:
    """Label Studio speaks of it: it is worked on again. Whether it was deleted."""
    row = current(session, project)
    was_deleted, row.deleted = row.deleted, False
    session.flush()
    return was_deleted


def touch_data(session: Session, project: Project, n_changed: int, now: float) -> None:
    """After tasks changed, in the same transaction: bumps data_version; nothing when n_changed is 0."""
    if n_changed:
        row = current(session, project)
        row.data_version += 1
        row.data_changed_at = now
        session.flush()


def touch_labels(session: Session, project: Project, n_changed: int, now: float) -> None:
    """After labels changed, in the same transaction: bumps labels_version and the count; nothing if n_changed is 0."""
    if n_changed:
        row = current(session, project)
        row.labels_version += 1
        row.labels_changed += n_changed
        row.labels_changed_at = now
        session.flush()


def touch_scores(session: Session, project: Project) -> None:
    """Labels are the same, but what they say of the tasks is not (a setting changed): whatever shows or sends
    predictions falls behind, and no training comes nearer.
    """
    current(session, project).labels_version += 1
    session.flush()


def request_training(session: Session, project: Project) -> int:
    """Ask for a training now; the request's number, done when `training_done` reaches it."""
    row = current(session, project)
    row.training_requested += 1
    session.flush()
    return row.training_requested


def training_handled(session: Session, project: Project, *, requested: int, labels_changed: int) -> None:
    """A training is over, well or not. requested, labels_changed: the project's values when it began; what came since
    still counts.
    """
    row = current(session, project)
    row.training_done = max(row.training_done, requested)
    row.labels_changed = max(0, row.labels_changed - labels_changed)
    session.flush()


def request_reconcile(session: Session, project: Project, now: float | None = None) -> None:
    """Ask for a comparison with Label Studio's export; asking again while one waits moves it to the later time."""
    row = current(session, project)
    row.reconcile_requested = time.time() if now is None else now
    session.flush()


def reconciled(session: Session, project: Project, as_of: float) -> None:
    """The store equals an export begun at `as_of`; a request made later than that stays, but for one of the future,
    which was made before the clock was put back.
    """
    row = current(session, project)
    row.reconciled_at = as_of
    if row.reconcile_requested is not None and not as_of < row.reconcile_requested <= time.time():
        row.reconcile_requested = None
    session.flush()


def current(session: Session, project: Project) -> Project:
    """The project's row in this session's transaction."""
    return project if project in session else session.get_one(Project, project.id)


def _find(session: Session, key: ProjectUid) -> Project | None:
    if key.created_ts is None:
        return by_label_studio_id(session, key.label_studio_id)
    return _by_uid(session, str(key))


def _by_uid(session: Session, uid: str) -> Project | None:
    return session.scalar(select(Project).where(Project.uid == uid))


def _newness(project: Project) -> tuple[bool, int, int]:
    return not project.deleted, project_uid(project.uid).created_ts or 0, project.id
