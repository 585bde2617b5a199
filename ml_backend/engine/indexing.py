"""Tasks -> rows of the pool's matrix: encodes what is new or changed, sets aside what is gone."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ml_backend.data.encoding import encode_records
from ml_backend.data.records import Record
from ml_backend.engine.reading import Reader
from ml_backend.engine.snapshot import NO_TASK, PoolMatrix
from ml_backend.store import projects, tasks
from ml_backend.store.database import Database
from ml_backend.store.tables import Task

log = logging.getLogger(__name__)

CHUNK = 2_000
"""Tasks in memory at a time while encoding."""


def index_changes(db: Database, uid: str, matrix: PoolMatrix | None, reader: Reader) -> PoolMatrix:
    """The matrix brought up to the project's present data_version; rows of deleted or changed tasks get NO_TASK.

    Killed in between, nothing is lost but time: encodings are cached as they are made.
    """
    since = matrix.data_version if matrix else 0
    with db.read() as session:
        project = projects.ensure(session, uid)
        version = project.data_version
        changed = tasks.changed_since(session, project, since)
    rows = _Rows(matrix, len(changed))
    for chunk in _chunks(changed):
        with db.read() as session:
            loaded = tasks.by_ids(session, projects.ensure(session, uid), chunk)
        rows.add_chunk(loaded, reader)
        with db.write() as session:
            tasks.mark_unreadable(
                session, projects.ensure(session, uid), {t.task_id: rows.unreadable.get(t.task_id) for t in loaded}
            )
    if rows.unreadable:
        log.warning(
            "project %s: %d of %d changed tasks cannot be read, e.g. %s",
            uid,
            len(rows.unreadable),
            len(changed),
            rows.example(),
        )
    return rows.finish(version)


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


class _Rows:
    """Collects new rows beside an existing matrix; allocates them once, so that a large pool is never held twice."""

    def __init__(self, matrix: PoolMatrix | None, capacity: int) -> None:
        self.unreadable: dict[int, str] = {}
        self._matrix = matrix
        self._task_ids = matrix.task_ids.copy() if matrix else np.empty(0, dtype=np.int64)
        self._shape = matrix.x.shape[1:] if matrix else None
        self._capacity = capacity
        self._new_x: NDArray[np.generic] | None = None
        self._new_ids: list[int] = []

    def add_chunk(self, loaded: Sequence[Task], reader: Reader) -> None:
        self._retire([task.task_id for task in loaded])
        live = [task for task in loaded if not task.deleted]
        encoded = encode_records(
            reader.encoder,
            reader.source,
            [Record(task.task_id, task.data) for task in live],
            cache=reader.cache,
            fetch=reader.fetch,
            expected_shape=self._shape,
        )
        self.unreadable.update({live[position].task_id: why for position, why in encoded.unreadable.items()})
        if not encoded.kept:
            return
        if self._new_x is None:
            self._shape = encoded.x.shape[1:]
            self._new_x = np.empty((self._capacity, *self._shape), dtype=encoded.x.dtype)
        start = len(self._new_ids)
        self._new_x[start : start + len(encoded.kept)] = encoded.x
        self._new_ids += [live[position].task_id for position in encoded.kept]

    def example(self) -> str:
        """One unreadable task and why, for the log."""
        task_id, why = next(iter(self.unreadable.items()))
        return f"task {task_id}: {why}"

    def finish(self, data_version: int) -> PoolMatrix:
        if self._new_x is None:
            x = self._matrix.x if self._matrix else np.empty((0, 0), dtype=np.float32)
            return PoolMatrix(self._task_ids, x, data_version)
        new_x = self._new_x[: len(self._new_ids)]
        task_ids = np.concatenate([self._task_ids, np.array(self._new_ids, dtype=np.int64)])
        x = np.concatenate([self._matrix.x, new_x]) if self._matrix and len(self._matrix) else new_x
        return PoolMatrix(task_ids, x, data_version)

    def _retire(self, ids: Sequence[int]) -> None:
        self._task_ids[np.isin(self._task_ids, ids)] = NO_TASK
