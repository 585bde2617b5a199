"""Search in what tasks say: a part of the text, or a regular expression.

Threats: a pattern that takes for ever (each search has a deadline, and other threads go on meanwhile), a pattern that
grows while it is read (its length is capped) or takes gigabytes to go back in (so are its repetitions), more text than
memory (each task's is cut).
"""

from __future__ import annotations

import math
import re
import threading
import time
from typing import Literal

import numpy as np
import regex
from numpy.typing import NDArray

from ml_backend.data.label_config import LabelSchema
from ml_backend.data.task_text import one_line
from ml_backend.engine.kept import Kept
from ml_backend.engine.map_texts import BREAK, ReadTexts, Texts, read_texts
from ml_backend.engine.schema import schema_of
from ml_backend.engine.snapshot import NO_TASK
from ml_backend.errors import InputError
from ml_backend.store import projects
from ml_backend.store.database import Database
from ml_backend.store.tables import Project

Mode = Literal["text", "regex"]

LONGEST_QUERY = 200
SEARCH_SECONDS, SECONDS_PER_TEXT = 2.0, 1e-5
"""How long a regular expression may take: so long, and so much longer for each text that it is tried on."""
KEPT_PROJECTS = 2
MOST_REPETITIONS = 10_000
_RECURSION = re.compile(r"\(\?(?:R|&|P[>&]|[+-]?\d)")
"""A pattern that calls itself eats half a gigabyte before it fails."""
_COUNTS = re.compile(r"\{(\d*)(?:,(\d*))?\}")


def containing(texts: Texts, part: str) -> NDArray[np.int64]:
    """Ids of the tasks whose text holds the part, in lower case."""
    found: list[int] = []
    at = texts.joined.find(part)
    while at >= 0:
        found.append(at)
        end = texts.joined.find(BREAK, at)
        at = texts.joined.find(part, end) if end >= 0 else -1
    places = np.searchsorted(texts.ends, np.array(found, np.int64), side="right")
    return np.asarray(texts.task_ids[places], np.int64)


def matching(texts: Texts, pattern: str) -> NDArray[np.int64]:
    """Ids of the tasks in whose text the pattern is found. Raises InputError for one that is wrong or too slow."""
    if _RECURSION.search(pattern):
        raise InputError("the pattern calls itself, which is not supported here")
    if _repetitions(pattern) > MOST_REPETITIONS:
        raise InputError(f"the pattern's repetitions multiply to more than {MOST_REPETITIONS:,}: use + or * instead")
    try:
        compiled = regex.compile(pattern, regex.IGNORECASE | regex.MULTILINE)
    except (regex.error, RecursionError, OverflowError, ValueError, MemoryError) as error:
        raise InputError(f"the pattern is no regular expression: {error}") from error
    seconds = SEARCH_SECONDS + SECONDS_PER_TEXT * len(texts.ends)
    deadline = time.monotonic() + seconds
    found: list[int] = []
    start = 0
    try:
        for place, end in enumerate(texts.ends.tolist()):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            if compiled.search(texts.joined, start, end, timeout=left, concurrent=True):
                found.append(place)
            start = end + len(BREAK)
    except (TimeoutError, MemoryError, RecursionError) as error:
        raise InputError(f"the search took longer than {seconds:.0f} seconds: make the pattern simpler") from error
    return np.asarray(texts.task_ids[found], np.int64)


def _repetitions(pattern: str) -> int:
    """The product of all counts in braces: what is kept to go back to grows with it where they are nested."""
    counts = (max(int(part or 1) for part in found.groups("1")) for found in _COUNTS.finditer(pattern))
    return math.prod(max(count, 1) for count in counts)


class Search:
    """Searches of one process; the texts of the last projects stay in memory. Safe for threads."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._texts: Kept[tuple[object, ...], _Latest] = Kept(KEPT_PROJECTS)

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
        texts = self._texts.get((project.id, schema.inputs_digest), _Latest).of(self._db, project, schema)
        ids = matching(texts, query) if mode == "regex" else containing(texts, one_line([query]).lower())
        return np.flatnonzero(np.isin(task_ids, ids) & (task_ids != NO_TASK))


class _Latest:
    """One project's texts under one label config, brought up to date by whoever searches next."""

    def __init__(self) -> None:
        self._read: ReadTexts | None = None
        self._lock = threading.Lock()

    def of(self, db: Database, project: Project, schema: LabelSchema) -> Texts:
        with self._lock:
            if self._read is None or self._read.data_version != project.data_version:
                self._read = read_texts(db, project, schema, self._read)
            return self._read.texts
