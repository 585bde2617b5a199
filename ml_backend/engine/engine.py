"""The door to the engine for everything that answers requests: views of projects and predictions for tasks."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ml_backend.config import Settings
from ml_backend.data.encoding import encode_records
from ml_backend.data.records import Record
from ml_backend.engine.checkpoint import Working, load_model
from ml_backend.engine.given_labels import GivenLabel, given_labels
from ml_backend.engine.kept import Recent
from ml_backend.engine.label_sets import make_label_sets
from ml_backend.engine.pool_settings import PoolSettings
from ml_backend.engine.prediction import TaskPrediction
from ml_backend.engine.reading import FetcherFor, Reader, Readers
from ml_backend.engine.schema import schema_of
from ml_backend.engine.settings import settings_of, steered
from ml_backend.engine.snapshot import NO_TASK, Snapshot, load_description
from ml_backend.engine.view import ProjectView
from ml_backend.errors import CheckpointError
from ml_backend.store import outbox, projects, publications
from ml_backend.store.database import Database
from ml_backend.store.tables import Project, Publication

log = logging.getLogger(__name__)

VIEWS_IN_MEMORY = 8
MODELS_IN_MEMORY = 4
"""Projects whose view, and whose model with matrix and index, stay in memory: those used last."""

NO_MODEL = "there is no model yet: the first one is being made"
OTHER_MODEL = "the model is being made anew: it was made of tasks that were read otherwise, or its files are gone"

IncomingTask = tuple[int, Mapping[str, object]]
"""(task id, task data)"""


@dataclass(frozen=True)
class _State:
    """One project as the database has it at one moment."""

    project: Project
    publications: tuple[Publication, ...]
    labels: tuple[GivenLabel, ...]
    set_aside: Mapping[int, str]

    @property
    def key(self) -> tuple[object, ...]:
        """Changes whenever a view of the project would."""
        newest = self.publications[0].number if self.publications else 0
        wanted = repr((self.project.extra_params, steered(self.project)))
        return newest, self.project.labels_version, self.project.label_config, wanted


@dataclass(frozen=True)
class _Made:
    """A view, the state that it was made of, and where its snapshot lies."""

    key: tuple[object, ...]
    description_path: str
    view: ProjectView


class Engine:
    """One per process. Safe for threads: a view is made by one thread while the others wait for it, per project."""

    def __init__(self, db: Database, settings: Settings, fetcher_for: FetcherFor) -> None:
        self.db = db
        self.settings = settings
        self.readers = Readers(settings, db.path.parent, fetcher_for)
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._pool_locks: dict[str, threading.Lock] = {}
        self._views: Recent[str, _Made] = Recent(VIEWS_IN_MEMORY)
        self._models: Recent[str, tuple[str, Working]] = Recent(MODELS_IN_MEMORY)

    def view(self, uid: str) -> ProjectView | None:
        """Newest publication and newest labels; None before the first publication."""
        with self.db.read() as session:
            project = projects.find(session, uid)
            if project is None:
                return None
            published = tuple(publications.list_all(session, project))
            key = _State(project, published, (), {}).key
            made = self._views.get(project.uid)
            if made and made.key == key:
                return made.view
        with self._lock(project.uid):
            return self._fresh_view(project.uid)

    def viewed(self) -> frozenset[str]:
        """Projects that this process keeps a view of."""
        return self._views.keys()

    def forget(self, uid: str) -> None:
        """Keep nothing of this project in memory."""
        self._views.forget(uid)
        self._models.forget(uid)

    def predict(self, uid: str, tasks: Sequence[IncomingTask]) -> list[TaskPrediction]:
        """One prediction a task, in order. Tasks that the publication does not know are folded into the model, without
        training.
        """
        view = self.view(uid)
        if view is None:
            return [TaskPrediction.unreadable(task_id, NO_MODEL) for task_id, _ in tasks]
        known = {p.task_id: p for p in view.predictions([task_id for task_id, _ in tasks])}
        unknown = [task for task in tasks if task[0] not in known]
        if unknown:
            known.update({p.task_id: p for p in self._fold_in(uid, view, unknown)})
        return [known[task_id] for task_id, _ in tasks]

    @contextmanager
    def working(self, uid: str, number: int) -> Iterator[Working | None]:
        """The model and matrix of the publication with this number, for as long as the block runs; None when it is not
        there any more. Whoever else needs the project's model waits meanwhile; views do not.

        Raises CheckpointError when its files are damaged.
        """
        with self.db.read() as session:
            project = projects.ensure(session, uid)
            listed = publications.list_all(session, project)
        publication = next((p for p in listed if p.number == number), None)
        if publication is None:
            yield None
            return
        pool_settings = settings_of(self.settings, project).pool
        with self._pool_lock(project.uid):
            yield self._model(project.uid, publication, pool_settings)

    def _lock(self, uid: str) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(uid, threading.Lock())

    def _pool_lock(self, uid: str) -> threading.Lock:
        """Apart from the views' lock: to load a model, or to search in it, takes longer than a label may."""
        with self._guard:
            return self._pool_locks.setdefault(uid, threading.Lock())

    def _fresh_view(self, uid: str) -> ProjectView | None:
        state = self._read(uid)
        made = self._views.get(uid)
        if made and made.key == state.key:
            return made.view
        loaded = self._newest_intact(state)
        if loaded is None:
            return None
        publication, snapshot = loaded
        schema = schema_of(state.project)
        rows = {int(task): row for row, task in enumerate(snapshot.task_ids) if task != NO_TASK}
        view = ProjectView(
            number=publication.number,
            model_version=publication.model_version,
            labels_version=state.project.labels_version,
            schema=schema,
            settings=settings_of(self.settings, state.project).pool,
            snapshot=snapshot,
            label_sets=make_label_sets(schema, state.labels, rows),
            set_aside=state.set_aside,
        )
        self._views.put(uid, _Made(state.key, publication.description_path, view))
        return view

    def _read(self, uid: str) -> _State:
        with self.db.read() as session:
            project = projects.ensure(session, uid)
            published = tuple(publications.list_all(session, project))
            labels = tuple(given_labels(session, project))
            return _State(project, published, labels, outbox.set_aside(session, project))

    def _newest_intact(self, state: _State) -> tuple[Publication, Snapshot] | None:
        """The newest publication whose files are whole: a damaged one must not silence the project."""
        made = self._views.get(state.project.uid)
        for publication in state.publications:
            if made and made.description_path == publication.description_path:
                return publication, made.view.snapshot
            try:
                return publication, load_description(self.db.path.parent / publication.description_path)
            except CheckpointError as error:
                log.error("project %s, publication %d: %s", state.project.uid, publication.number, error)
        return None

    def _fold_in(self, uid: str, view: ProjectView, tasks: Sequence[IncomingTask]) -> list[TaskPrediction]:
        with self.db.read() as session:
            project = projects.ensure(session, uid)
            published = publications.list_all(session, project)
        wanted = settings_of(self.settings, project)
        reader = self.readers.reader(self.db, project, view.schema, wanted)
        publication = next((p for p in published if p.number == view.number), published[0])
        with self._pool_lock(project.uid):
            working = self._model_of(reader, project.uid, publication, view.settings)
            if working is None:
                return [TaskPrediction.unreadable(task_id, OTHER_MODEL) for task_id, _ in tasks]
            encoded = encode_records(
                reader.encoder,
                reader.source,
                [Record(task_id, data) for task_id, data in tasks],
                cache=reader.cache,
                fetch=reader.fetch,
                expected_shape=working.matrix.x.shape[1:],
            )
            found = [TaskPrediction.unreadable(tasks[i][0], why) for i, why in encoded.unreadable.items()]
            if encoded.kept:
                description = working.pool.describe_new(encoded.x)
                found += view.predictions_of_new([tasks[i][0] for i in encoded.kept], description)
        return found

    def _model_of(self, reader: Reader, uid: str, publication: Publication, settings: PoolSettings) -> Working | None:
        """The publication's model, if it is whole and made of tasks that this reader read."""
        try:
            working = self._model(uid, publication, settings)
        except CheckpointError as error:
            log.error("project %s, publication %d: %s", uid, publication.number, error)
            return None
        return working if working.encoder == reader.identity else None

    def _model(self, uid: str, publication: Publication, settings: PoolSettings) -> Working:
        path, working = self._models.get(uid) or ("", None)
        if working is None or path != publication.model_path:
            working = load_model(self.db.path.parent / publication.model_path, settings)
            self._models.put(uid, (publication.model_path, working))
        working.pool.settings = settings  # they change while a model is in memory
        return working
