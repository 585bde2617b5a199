"""Search in what tasks say: a part of the text, or a regular expression.

Threats: a pattern that takes for ever (each search has a deadline, and other threads go on meanwhile), a pattern that
grows while it is read (its length is capped), more text than memory (each task's is cut).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import regex
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from ml_backend.data.label_config import LabelSchema
from ml_backend.data.source import clean_text, relevant_inputs
from ml_backend.data.task_text import one_line, text_of
from ml_backend.engine.kept import Kept
from ml_backend.engine.schema import schema_of
from ml_backend.engine.snapshot import NO_TASK
from ml_backend.errors import InputError
from ml_backend.store import projects
from ml_backend.store.database import Database
from ml_backend.store.tables import Project, Task

Mode = Literal["text", "regex"]

MOST_CHARACTERS = 200_000_000
"""Of one project's texts together, in memory; beyond, only the beginning of each task's text is searched."""
LONGEST_TEXT = 4_000
LONGEST_QUERY = 200
SEARCH_SECONDS, SECONDS_PER_TEXT = 2.0, 1e-5
"""How long a regular expression may take: so long, and so much longer for each text that it is tried on."""
KEPT_PROJECTS = 2
_RECURSION = re.compile(r"\(\?(?:R|&|P>|[+-]?\d)")
"""A pattern that calls itself eats half a gigabyte before it fails."""
_BREAK = "\n"
"""Between two tasks' texts; inside one there is none."""


@dataclass(frozen=True)
class Texts:
    """All texts in lower case, one after the other. task_ids: (n,) sorted; ends: (n,) where each text ends."""

    task_ids: NDArray[np.int64]
    joined: str
    ends: NDArray[np.int64]

    def containing(self, part: str) -> NDArray[np.int64]:
        """Ids of the tasks whose text holds the part, in lower case."""
        found: list[int] = []
        at = self.joined.find(part)
        while at >= 0:
            found.append(at)
            end = self.joined.find(_BREAK, at)
            at = self.joined.find(part, end) if end >= 0 else -1
        places = np.searchsorted(self.ends, np.array(found, np.int64), side="right")
        return np.asarray(self.task_ids[places], np.int64)

    def matching(self, pattern: str) -> NDArray[np.int64]:
        """Ids of the tasks in whose text the pattern is found. Raises InputError for one that is wrong or too slow."""
        if _RECURSION.search(pattern):
            raise InputError("the pattern calls itself, which is not supported here")
        try:
            compiled = regex.compile(pattern, regex.IGNORECASE | regex.MULTILINE)
        except (regex.error, RecursionError, OverflowError, ValueError) as error:
            raise InputError(f"the pattern is no regular expression: {error}") from error
        seconds = SEARCH_SECONDS + SECONDS_PER_TEXT * len(self.ends)
        deadline = time.monotonic() + seconds
        found: list[int] = []
        start = 0
        try:
            for place, end in enumerate(self.ends.tolist()):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                if compiled.search(self.joined, start, end, timeout=left, concurrent=True):
                    found.append(place)
                start = end + len(_BREAK)
        except (TimeoutError, MemoryError, RecursionError) as error:
            raise InputError(f"the search took longer than {seconds:.0f} seconds: make the pattern simpler") from error
        return np.asarray(self.task_ids[found], np.int64)


class Search:
    """Searches of one process; the texts of the last projects stay in memory until their tasks change."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._texts: Kept[tuple[object, ...], Texts] = Kept(KEPT_PROJECTS)

    def rows(self, uid: str, task_ids: NDArray[np.int64], query: str, mode: Mode) -> NDArray[np.int64]:
        """Sorted rows whose task's text fits; none for an empty query. task_ids: (N,) of a snapshot.

        Raises InputError for a query that is too long, wrong or too slow.
        """
        if len(query) > LONGEST_QUERY:
            raise InputError(f"what is searched for is longer than {LONGEST_QUERY} characters")
        if not query.strip():
            return np.empty(0, np.int64)
        with self._db.read() as session:
            project = projects.ensure(session, uid)
        schema = schema_of(project)
        key = (project.id, project.data_version, schema.inputs_digest)
        texts = self._texts.get(key, lambda: read_texts(self._db, project, schema))
        ids = texts.matching(query) if mode == "regex" else texts.containing(one_line([query]).lower())
        return np.flatnonzero(np.isin(task_ids, ids) & (task_ids != NO_TASK))


def read_texts(db: Database, project: Project, schema: LabelSchema) -> Texts:
    """Of all live tasks."""
    with db.read() as session:
        count = session.scalar(select(func.count()).where(*_live(project))) or 0
        longest = min(LONGEST_TEXT, MOST_CHARACTERS // max(count, 1))
        ids: list[int] = []
        parts: list[str] = []
        for task_id, text in _rows(session, project, schema):
            ids.append(task_id)
            parts.append(text[:longest].lower().replace(_BREAK, " "))
    lengths = np.fromiter((len(part) for part in parts), np.int64, len(parts))
    ends = np.cumsum(lengths + len(_BREAK)) - len(_BREAK)
    return Texts(np.array(ids, np.int64), _BREAK.join(parts), ends)


def _rows(session: Session, project: Project, schema: LabelSchema) -> Iterator[tuple[int, str]]:
    """(task id, text), by id. Where the label config names plain fields only these leave the database: a task may hold
    a vector of thousands of numbers.
    """
    shown = [i for i in relevant_inputs(schema) if i.kind in ("text", "html") and not i.by_url]
    if not shown or not all(i.field.isidentifier() for i in shown):
        every = select(Task.task_id, Task.data).where(*_live(project)).order_by(Task.task_id)
        for task_id, data in session.execute(every.execution_options(yield_per=2000)):
            yield task_id, text_of(schema, data)
        return
    fields = [func.json_extract(Task.data, f'$."{i.field}"') for i in shown]
    query = select(Task.task_id, *fields).where(*_live(project)).order_by(Task.task_id)
    for task_id, *values in session.execute(query.execution_options(yield_per=2000)):
        texts = [
            clean_text(str(value), is_html=i.kind == "html") for i, value in zip(shown, values, strict=True) if value
        ]
        yield task_id, one_line(texts)


def _live(project: Project) -> tuple[ColumnElement[bool], ...]:
    return Task.project_id == project.id, Task.deleted.is_(False)
