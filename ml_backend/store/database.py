"""The database file: opened, migrated, and given out in transactions.

A write transaction takes SQLite's write lock at once (BEGIN IMMEDIATE) and waits for it; begun as a reader it would
fail when it turns into a writer. Commits are on disk when they return (synchronous=FULL): a label that was acknowledged
is not lost by a power cut.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from ml_backend.errors import StoreBusy, StoreError
from ml_backend.store.files import locked
from ml_backend.store.jsontext import to_text
from ml_backend.store.migrate import is_current, migrate

FILE_NAME = "lantern.db"
BUSY_SECONDS = 30.0
"""How long a transaction waits for another one's write before it gives up, unless told otherwise."""
_WAIT = "lantern_wait_seconds"


class Database:
    """One process's door to the database. Safe for threads: each block below has a session of its own."""

    def __init__(self, writer: Engine, reader: Engine, path: Path) -> None:
        self._writer = writer
        self._reader = reader
        self._path = path

    @classmethod
    def open(cls, home: Path) -> Database:
        """Open `home`/lantern.db, made and migrated where needed. Raises StoreError with the way out when that cannot
        be done.
        """
        path = home / FILE_NAME
        try:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(home / "lantern.lock"):
                _create_file(path)
                writer = _engine(path, begin="BEGIN IMMEDIATE", query_only=False)
                reader = _engine(path, begin="BEGIN", query_only=True)
                _use_wal(writer)
                if not is_current(reader):
                    migrate(writer)
        except OSError as error:
            raise StoreError(
                f"the data folder {home} cannot be used ({error.strerror or error}): "
                "set LANTERN_HOME to a folder that this user can write"
            ) from error
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise StoreError(f"the database {path} cannot be opened: {_cause(error)}") from error
        return cls(writer, reader, path)

    @classmethod
    def open_kept(cls, home: Path) -> Database | None:
        """As `open`, but None where nothing was ever kept: nothing is made then."""
        try:
            (home / FILE_NAME).stat()
        except FileNotFoundError:
            return None
        except OSError:
            pass  # opening it says what is the matter
        return cls.open(home)

    @property
    def path(self) -> Path:
        """Where the file lies; its folder is the home that everything of Lantern is under."""
        return self._path

    @contextmanager
    def write(self, *, wait_seconds: float = BUSY_SECONDS) -> Iterator[Session]:
        """A transaction that may write: committed at the end of the block, rolled back when it raises.

        Keep it short: there is one writer at a time. Rows may be read after the block. Raises StoreBusy when others
        write for longer than wait_seconds, StoreError when the database fails.
        """
        try:
            with Session(self._writer, expire_on_commit=False) as session, session.begin():
                session.connection(execution_options={_WAIT: wait_seconds})
                yield session
        except SQLAlchemyError as error:
            kind = StoreBusy if _is_busy(error) else StoreError
            raise kind(f"the database {self._path} could not be written: {_cause(error)}") from error

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One unchanging view of the database; never waits for a writer. A write in it raises StoreError."""
        try:
            with Session(self._reader, info={"read_only": True}) as session:
                session.connection()
                yield session
        except SQLAlchemyError as error:
            raise StoreError(f"the database {self._path} could not be read: {_cause(error)}") from error

    def close(self) -> None:
        """Closes the idle connections of this process."""
        self._writer.dispose()
        self._reader.dispose()


def _create_file(path: Path) -> None:
    """For the owner only: the rows may hold tokens."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _engine(path: Path, *, begin: str, query_only: bool) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        json_serializer=to_text,
        hide_parameters=True,
        max_overflow=-1,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN is deferred; ours is emitted below
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA query_only = {int(query_only)}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        wait_seconds = connection.get_execution_options().get(_WAIT, BUSY_SECONDS)
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(wait_seconds * 1000)}")
        connection.exec_driver_sql(begin)

    return engine


def _use_wal(engine: Engine) -> None:
    connection = engine.raw_connection()
    try:
        (mode,) = connection.cursor().execute("PRAGMA journal_mode = WAL").fetchone()
    finally:
        connection.close()
    if mode != "wal":
        raise StoreError(
            f"SQLite cannot use a write-ahead log here (journal mode {mode!r}): use a local disk for LANTERN_HOME"
        )


def _is_busy(error: SQLAlchemyError) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else None
    return isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


def _cause(error: Exception) -> str:
    """The driver's words, without the statement and its values."""
    return str(getattr(error, "orig", None) or type(error).__name__)
