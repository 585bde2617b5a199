"""The tables. Times are epoch seconds. A JSON column is replaced, never changed in place: the session would not notice.

Versions only grow and are compared, not counted. What each of them means is said in README.md.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import JSON, Double, ForeignKey, Index, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

JsonObject = dict[str, Any]
JsonList = list[Any]

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Root of the tables; `Base.metadata` is what the migrations must arrive at."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {JsonObject: JSON, JsonList: JSON, float: Double}


def _project_key() -> Mapped[int]:
    return mapped_column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)


class Project(Base):
    """One Label Studio project and how far it has come. `*_requested` and `*_version` say what is wanted, the rest what
    was done.
    """

    __tablename__ = "project"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(unique=True)
    label_studio_id: Mapped[int] = mapped_column(index=True)
    title: Mapped[str] = mapped_column(default="")
    label_config: Mapped[str] = mapped_column(default="")
    extra_params: Mapped[JsonObject] = mapped_column(default=dict)
    hostname: Mapped[str] = mapped_column(default="")
    encoder: Mapped[str | None]
    """The encoder asked for; None = chosen by the label config."""
    field: Mapped[str | None]
    """The task field asked for; None = chosen by the label config."""
    settings: Mapped[JsonObject] = mapped_column(default=dict)
    connection: Mapped[JsonObject] = mapped_column(default=dict)
    """What `lantern connect` knows and changed; may hold secrets: never log it."""
    data_version: Mapped[int] = mapped_column(default=0)
    data_changed_at: Mapped[float] = mapped_column(default=0.0)
    labels_version: Mapped[int] = mapped_column(default=0)
    labels_changed: Mapped[int] = mapped_column(default=0)
    """Labels changed since the last training began."""
    labels_changed_at: Mapped[float] = mapped_column(default=0.0)
    training_requested: Mapped[int] = mapped_column(default=0)
    """Number of trainings asked for by hand; behind while larger than `training_done`."""
    training_done: Mapped[int] = mapped_column(default=0)
    reconcile_requested: Mapped[float | None]
    """When a reconcile was asked for; None when none is waiting."""
    reconciled_at: Mapped[float | None]
    """As of when the store last equalled Label Studio's export; None = never."""
    created_at: Mapped[float]
    deleted: Mapped[bool] = mapped_column(default=False)


class Task(Base):
    """A task's data. A deleted row stays as a tombstone."""

    __tablename__ = "task"
    __table_args__ = (Index(None, "project_id", "content_version"),)

    project_id: Mapped[int] = _project_key()
    task_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[JsonObject]
    content_version: Mapped[int]
    """The project's data_version with which `data` or `deleted` last changed."""
    deleted: Mapped[bool] = mapped_column(default=False)
    unreadable: Mapped[str | None]
    """Why it cannot be encoded; None = it can, or was not tried yet."""


class Annotation(Base):
    """A raw Label Studio annotation. A deleted row stays as a tombstone, one of an unknown id without content."""

    __tablename__ = "annotation"
    __table_args__ = (Index(None, "project_id", "task_id"),)

    project_id: Mapped[int] = _project_key()
    annotation_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    task_id: Mapped[int | None]
    annotator: Mapped[str | None]
    result: Mapped[JsonList]
    was_cancelled: Mapped[bool] = mapped_column(default=False)
    updated_at: Mapped[float]
    """Label Studio's clock; -inf for a tombstone without content."""
    content_version: Mapped[int]
    """The project's labels_version with which it last changed as a label."""
    deleted: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[float | None]
    """Our clock: when we learned of the deletion."""


class Publication(Base):
    """What the engine published: files are complete before the row exists. Numbers are 1, 2, ... in a project."""

    __tablename__ = "publication"

    project_id: Mapped[int] = _project_key()
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    model_version: Mapped[str]
    data_version: Mapped[int]
    labels_version: Mapped[int]
    model_path: Mapped[str]
    description_path: Mapped[str]
    trained: Mapped[bool]
    created_at: Mapped[float]


class TrainingRun(Base):
    """One training, wanted, running or over. `status` is one of `runs.Status`."""

    __tablename__ = "training_run"
    __table_args__ = (Index(None, "project_id", "status"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    status: Mapped[str]
    request: Mapped[JsonObject]
    phase: Mapped[str | None]
    epochs: Mapped[JsonList] = mapped_column(default=list)
    """One object an epoch, as the engine reported it."""
    attempts: Mapped[int] = mapped_column(default=0)
    """How often a worker began it; a run that kills its worker is failed by this."""
    error: Mapped[str | None]
    created_at: Mapped[float]
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    publication_number: Mapped[int | None]
    stop_requested_at: Mapped[float | None]
    """When a person asked it to stop."""
    effect: Mapped[JsonObject | None] = mapped_column(JSON(none_as_null=True))
    """What it changed, as the engine measured it; None until it is over."""
    model_path: Mapped[str | None]
    """Where its model lies, below the home folder; None when it can no longer be brought back."""


class Act(Base):
    """One thing that a person did on the map, undone and done again as a whole."""

    __tablename__ = "act"
    __table_args__ = (Index(None, "project_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    kind: Mapped[str]
    """label, accept, skip, unsure or never_seen."""
    control: Mapped[str | None]
    label: Mapped[str | None]
    person_id: Mapped[int]
    person_name: Mapped[str]
    edits: Mapped[JsonObject]
    """What is done to an annotation (data/edits.py), by the key that the items name."""
    created_at: Mapped[float]
    undone: Mapped[bool] = mapped_column(default=False)


class OutboxEntry(Base):
    """One annotation as a person wants it in Label Studio. Contents are JSON objects of data/edits.py, null = no
    annotation.
    """

    __tablename__ = "outbox_entry"
    __table_args__ = (
        Index(None, "project_id", "state", "person_id"),
        Index(None, "project_id", "task_id"),
        Index(None, "project_id", "annotation_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    task_id: Mapped[int]
    person_id: Mapped[int]
    """Who wants it, and with whose token it is sent."""
    annotator: Mapped[str]
    """Whose annotation it is; another's where a person overwrites."""
    unique_id: Mapped[str] = mapped_column(unique=True)
    """Sent with a new annotation: Label Studio takes each of them once."""
    annotation_id: Mapped[int | None]
    base: Mapped[JsonObject | None]
    """Before the first act."""
    there: Mapped[JsonObject | None]
    """What Label Studio has, by all we know."""
    wanted: Mapped[JsonObject | None]
    aside: Mapped[str | None]
    """Why `wanted` gives no answer: skip, unsure or never_seen; None = it does."""
    state: Mapped[str]
    """One of `outbox.State`."""
    closed: Mapped[bool] = mapped_column(default=False)
    """The annotation was changed by others since: undoing an act leaves it alone."""
    wanted_at: Mapped[float] = mapped_column(default=0.0)
    """When the newest act about it was done, on our clock."""
    attempts: Mapped[int] = mapped_column(default=0)
    """Calls whose outcome is not known."""
    tried: Mapped[JsonList] = mapped_column(default=list)
    """What those calls wanted: Label Studio may have any of it."""
    error: Mapped[str | None]
    retry_at: Mapped[float] = mapped_column(default=0.0)
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[float | None]


class ActItem(Base):
    """What an act does to one annotation. answer: key of the act's `edits`."""

    __tablename__ = "act_item"
    __table_args__ = (Index(None, "entry_id"),)

    act_id: Mapped[int] = mapped_column(ForeignKey("act.id", ondelete="CASCADE"), primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("outbox_entry.id", ondelete="CASCADE"), primary_key=True)
    answer: Mapped[str]


class OutboxSender(Base):
    """A thread that holds a person's token and sends what that person has waiting."""

    __tablename__ = "outbox_sender"

    project_id: Mapped[int] = _project_key()
    owner: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int]
    until: Mapped[float]
    """Later than that it is no more, unless it has said so again."""


class Layout(Base):
    """Places of a pool's items on the map; files are complete before the row exists. Numbers are 1, 2, ... in a
    project. `kind` is one of `layouts.Kind`.
    """

    __tablename__ = "layout"

    project_id: Mapped[int] = _project_key()
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    publication_number: Mapped[int]
    description_path: Mapped[str]
    """What the publication said of the items when they were placed."""
    path: Mapped[str]
    items: Mapped[int]
    fitted_to: Mapped[str]
    """The description that the map was last computed from; the places since then were carried along."""
    fitted_items: Mapped[int]
    """How many of the present rows that computation knew; 0 after the pool was made anew."""
    fitted_at: Mapped[float]
    created_at: Mapped[float]


class MapWatch(Base):
    """Whether somebody looks at a project's map, and the newest frame of a training for those who do."""

    __tablename__ = "map_watch"

    project_id: Mapped[int] = _project_key()
    watched_until: Mapped[float] = mapped_column(default=0.0)
    frame: Mapped[int] = mapped_column(default=0)
    """Only grows; moves on when a frame comes and when the last one goes."""
    frame_path: Mapped[str | None]
    """None = no training shows anything now."""


class MapSheet(Base):
    """One picture of the map that people draw on in Label Studio, with the places of the moment when it was made.
    Numbers are 1, 2, ... in a project; files are complete before the row exists.
    """

    __tablename__ = "map_sheet"

    project_id: Mapped[int] = _project_key()
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    layout_number: Mapped[int]
    path: Mapped[str]
    """Places of the items on it."""
    task_id: Mapped[int]
    """Its task, in the Label Studio project that holds the sheets."""
    created_at: Mapped[float]


class Drawing(Base):
    """An annotation of a sheet: what one person drew, and the tasks that it gives labels to. A deleted row stays."""

    __tablename__ = "drawing"

    project_id: Mapped[int] = _project_key()
    annotation_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sheet_number: Mapped[int]
    annotator: Mapped[str | None]
    control: Mapped[str]
    labels: Mapped[JsonObject]
    """Label -> ids of the tasks inside its regions."""
    updated_at: Mapped[float]
    """Label Studio's clock."""
    deleted: Mapped[bool] = mapped_column(default=False)


class Push(Base):
    """One bulk import of predictions into Label Studio. `state` is one of `pushes.State`; numbers are 1, 2, ... in a
    project.
    """

    __tablename__ = "push"

    project_id: Mapped[int] = _project_key()
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    model_version: Mapped[str]
    publication_number: Mapped[int | None]
    labels_version: Mapped[int | None]
    state: Mapped[str]
    sent: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    """Predictions that Label Studio says it made; compared with `sent`."""
    started_at: Mapped[float]
    finished_at: Mapped[float | None]
    error: Mapped[str | None]
    old_versions: Mapped[JsonList] = mapped_column(default=list)
    """Model versions whose predictions are still to be deleted in Label Studio."""


class Lease(Base):
    """Who works on a project, and until when unless renewed."""

    __tablename__ = "lease"

    project_id: Mapped[int] = _project_key()
    owner: Mapped[str]
    expires_at: Mapped[float]


class Counter(Base):
    """A number that only grows, for /metrics. project_id 0 = of the whole server."""

    __tablename__ = "counter"

    project_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]
