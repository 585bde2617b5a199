"""What the tasks of a project say, in memory for searching: read once, then only what has changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from ml_backend.data.label_config import LabelSchema
from ml_backend.data.source import clean_text, relevant_inputs
from ml_backend.data.task_text import one_line, text_of
from ml_backend.store import projects, tasks
from ml_backend.store.bulk import chunks
from ml_backend.store.database import Database
from ml_backend.store.tables import Project, Task

MOST_CHARACTERS = 200_000_000
"""Of one project's texts together, in memory; beyond, only the beginning of each task's text is searched."""
LONGEST_TEXT = 4_000
MOST_CHANGED = 0.2
"""Share of the tasks: when more have changed, all are read again."""
BREAK = "\n"
"""Between two tasks' texts; inside one there is none."""


@dataclass(frozen=True)
class Texts:
    """All texts in lower case, one after the other. task_ids: (n,) sorted; ends: (n,) where each text ends."""

    task_ids: NDArray[np.int64]
    joined: str
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Mapping[int, str]) -> Texts:
        """texts: by task id, in the order of ids."""
        return cls._made([np.fromiter(texts, np.int64, len(texts))], [_lengths(texts.values())], list(texts.values()))

    def changed(self, texts: Mapping[int, str | None]) -> Texts:
        """With these tasks' texts instead of what they said before; None = the task is gone."""
        lengths = np.diff(self.ends, prepend=-len(BREAK)) - len(BREAK)
        ids, sizes, pieces = list[NDArray[np.int64]](), list[NDArray[np.int64]](), list[str]()

        def keep(first: int, end: int) -> None:
            """The texts of a run of tasks stay, in one piece."""
            if first < end:
                ids.append(self.task_ids[first:end])
                sizes.append(lengths[first:end])
                pieces.append(self.joined[self.ends[first] - lengths[first] : self.ends[end - 1]])

        at = 0
        for task, text in sorted(texts.items()):
            place = int(np.searchsorted(self.task_ids, task))
            keep(at, place)
            if text is not None:
                ids.append(np.array([task], np.int64))
                sizes.append(_lengths([text]))
                pieces.append(text)
            at = place + int(place < len(self.task_ids) and self.task_ids[place] == task)
        keep(at, len(self.task_ids))
        return self._made(ids, sizes, pieces)

    @classmethod
    def _made(cls, ids: list[NDArray[np.int64]], lengths: list[NDArray[np.int64]], pieces: list[str]) -> Texts:
        """lengths: of each text. pieces: of one or more texts."""
        nothing = np.empty(0, np.int64)
        ends = np.cumsum(np.concatenate([nothing, *lengths]) + len(BREAK)) - len(BREAK)
        return cls(np.concatenate([nothing, *ids]), BREAK.join(pieces), ends)


@dataclass(frozen=True)
class ReadTexts:
    """Texts as of a project's data_version. longest: characters that were kept of each."""

    texts: Texts
    data_version: int
    longest: int


def read_texts(db: Database, project: Project, schema: LabelSchema, before: ReadTexts | None = None) -> ReadTexts:
    """Of all live tasks. before: what was read under the same label config; then only changed tasks are read."""
    with db.read() as session:
        row = projects.current(session, project)
        count = session.scalar(select(func.count()).where(*_live(row))) or 0
        longest = min(LONGEST_TEXT, MOST_CHARACTERS // max(count, 1))
        changed = [] if before is None else tasks.changed_since(session, row, before.data_version)
        if before is None or len(changed) > MOST_CHANGED * count or not _fits(before.longest, longest):
            parts = {task_id: _cut(text, longest) for task_id, text in _rows(session, row, schema)}
            return ReadTexts(Texts.of(parts), row.data_version, longest)
        said: dict[int, str | None] = dict.fromkeys(changed)
        for chunk in chunks(changed):
            found = _rows(session, row, schema, Task.task_id.in_(chunk))
            said |= {task_id: _cut(text, before.longest) for task_id, text in found}
        return ReadTexts(before.texts.changed(said), row.data_version, before.longest)


def _fits(longest: int, wanted: int) -> bool:
    """Whether texts cut at `longest` still take about the memory that they may."""
    return longest == wanted or abs(longest - wanted) <= wanted // 5


def _cut(text: str, longest: int) -> str:
    return text[:longest].lower().replace(BREAK, " ")


def _lengths(texts: Collection[str]) -> NDArray[np.int64]:
    return np.fromiter(map(len, texts), np.int64, len(texts))


def _rows(
    session: Session, project: Project, schema: LabelSchema, *where: ColumnElement[bool]
) -> Iterator[tuple[int, str]]:
    """(task id, text), by id. Where the label config names plain fields only these leave the database: a task may hold
    a vector of thousands of numbers.
    """
    shown = [i for i in relevant_inputs(schema) if i.kind in ("text", "html") and not i.by_url]
    if not shown or not all(i.field.isidentifier() for i in shown):
        every = select(Task.task_id, Task.data).where(*_live(project), *where).order_by(Task.task_id)
        for task_id, data in session.execute(every.execution_options(yield_per=2000)):
            yield task_id, text_of(schema, data)
        return
    fields = [func.json_extract(Task.data, f'$."{i.field}"') for i in shown]
    query = select(Task.task_id, *fields).where(*_live(project), *where).order_by(Task.task_id)
    for task_id, *values in session.execute(query.execution_options(yield_per=2000)):
        texts = [
            clean_text(str(value), is_html=i.kind == "html") for i, value in zip(shown, values, strict=True) if value
        ]
        yield task_id, one_line(texts)


def _live(project: Project) -> tuple[ColumnElement[bool], ...]:
    return Task.project_id == project.id, Task.deleted.is_(False)
