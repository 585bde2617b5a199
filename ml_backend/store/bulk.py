"""Statements over many rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar, cast

from sqlalchemy import CursorResult, Executable, UpdateBase
from sqlalchemy.orm import Session

T = TypeVar("T")

KEYS_PER_QUERY = 500
"""In one `IN (...)`: below every SQLite's limit of 999 variables."""
ROWS_PER_STATEMENT = 5_000
"""In one executemany: bounds the memory that converted rows take."""


def chunks(items: Iterable[T], size: int = KEYS_PER_QUERY) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def execute_many(session: Session, statement: Executable, rows: Iterable[dict[str, Any]]) -> int:
    """Run a statement once for each row; how many rows the database changed."""
    changed = 0
    connection = session.connection()
    for chunk in chunks(rows, ROWS_PER_STATEMENT):
        changed += _changed(connection.execute(statement, chunk, execution_options={"preserve_rowcount": True}))
    return changed


def execute_once(session: Session, statement: UpdateBase) -> int:
    """Run a statement; how many rows the database changed. Rows that the session already holds stay as they are."""
    return _changed(session.execute(statement, execution_options={"synchronize_session": False}))


def _changed(result: object) -> int:
    return max(0, cast("CursorResult[Any]", result).rowcount)
