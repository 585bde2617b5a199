"""The file: made, refused with a clear word, and given out in transactions that are all or nothing."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from ml_backend.errors import StoreBusy, StoreError
from ml_backend.store import projects
from ml_backend.store.database import Database
from ml_backend.store.tables import Project, Task


def count(db: Database) -> int:
    with db.read() as session:
        return len(projects.list_all(session))


def test_a_committed_row_is_there_after_opening_again(tmp_path: Path) -> None:
    first = Database.open(tmp_path)
    with first.write() as session:
        projects.ensure(session, 12)
    first.close()
    assert count(Database.open(tmp_path)) == 1


def test_a_block_that_raises_leaves_nothing(db: Database) -> None:
    def fail() -> None:
        with db.write() as session:
            projects.ensure(session, 12)
            raise KeyError("half-way")

    with pytest.raises(KeyError):
        fail()
    assert count(db) == 0


def test_rows_can_be_read_after_their_block(db: Database, project: Project) -> None:
    assert project.uid == "12.1795381627"
    with db.read() as session:
        found = projects.list_all(session)
    assert found[0].uid == "12.1795381627"


def test_a_reader_keeps_its_view_and_does_not_wait_for_a_writer(db: Database) -> None:
    with db.read() as reader:
        assert projects.list_all(reader) == []
        with db.write() as writer:
            projects.ensure(writer, 12)
            assert projects.list_all(reader) == []
        assert projects.list_all(reader) == []
    assert count(db) == 1


def test_a_reader_cannot_write(db: Database, project: Project) -> None:
    def write() -> None:
        with db.read() as session:
            session.add(Task(project_id=project.id, task_id=1, data={}, content_version=1))
            session.flush()

    with pytest.raises(StoreError, match="read"):
        write()


def test_each_connection_is_durable_and_checks_keys(db: Database) -> None:
    with db.write() as session:
        pragmas = [session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")]
    assert pragmas == ["wal", 2, 1], "2 = FULL: a commit survives a power cut"


def test_a_row_of_no_project_is_refused_without_its_values_in_the_message(db: Database) -> None:
    with pytest.raises(StoreError, match="FOREIGN KEY") as caught, db.write() as session:
        session.add(Task(project_id=999, task_id=1, data={"text": "private words"}, content_version=1))
    assert "private words" not in str(caught.value)


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "home")
    assert stat.S_IMODE(db.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(db.path.parent.stat().st_mode) == 0o700


def test_a_home_under_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="LANTERN_HOME"):
        Database.open(tmp_path / "file" / "home")


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "lantern.db").write_bytes(b"these are somebody's notes" * 100)
    with pytest.raises(StoreError, match=r"lantern\.db"):
        Database.open(tmp_path)
    assert (tmp_path / "lantern.db").read_bytes().startswith(b"these are")


def test_a_database_of_a_newer_lantern_is_refused_and_kept(tmp_path: Path) -> None:
    Database.open(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "lantern.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match="newer Lantern"):
        Database.open(tmp_path)


def test_odd_characters_in_the_path_are_only_characters(tmp_path: Path) -> None:
    home = tmp_path / "a b%20?mode=ro#x;é"
    Database.open(home).close()
    assert (home / "lantern.db").exists()


def test_who_cannot_wait_is_told_that_another_writes(db: Database, project: Project) -> None:
    with db.write() as session:
        projects.ensure(session, 99)

        def impatient() -> None:
            with db.write(wait_seconds=0.01):
                pass

        with pytest.raises(StoreBusy, match="locked"):
            impatient()
    with db.write(wait_seconds=0.01) as session:
        assert projects.find(session, 99) is not None


def test_a_failure_of_another_kind_is_not_called_busy(db: Database) -> None:
    def broken() -> None:
        with db.write() as session:
            session.execute(text("INSERT INTO nowhere VALUES (1)"))

    with pytest.raises(StoreError) as caught:
        broken()
    assert not isinstance(caught.value, StoreBusy)
