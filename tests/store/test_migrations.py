"""Every revision leads to the tables that the code has, with the rows it began with."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text

from ml_backend.store import annotations as annotation_rows
from ml_backend.store import outbox, projects
from ml_backend.store.database import Database
from ml_backend.store.migrate import config, head, migrate
from ml_backend.store.tables import Base

SCRIPTS = ScriptDirectory.from_config(config())
PROJECT = text(
    "INSERT INTO project (id, uid, label_studio_id, title, label_config, extra_params, hostname, settings,"
    " connection, data_version, data_changed_at, labels_version, labels_changed, labels_changed_at,"
    " training_requested, training_done, created_at, deleted) VALUES"
    " (1, '12.5', 12, 'old', '', '{}', '', '{}', '{}', 3, 0, 2, 0, 0, 0, 0, 1, 0)"
)
REVISIONS = [script.revision for script in SCRIPTS.walk_revisions()][::-1]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return create_engine(f"sqlite:///{tmp_path / 'old.db'}")


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))


def test_revisions_are_numbered_in_one_line() -> None:
    assert [f"{n:04d}" for n in range(1, len(REVISIONS) + 1)] == REVISIONS
    assert SCRIPTS.get_heads() == [head()]


@pytest.mark.parametrize("revision", REVISIONS)
def test_from_each_revision_upward_the_schema_is_the_code_s(engine: Engine, revision: str) -> None:
    migrate(engine, revision)
    migrate(engine)
    assert differences(engine) == []


def test_the_migrated_schema_is_the_one_that_the_tables_would_make(engine: Engine) -> None:
    """compare_metadata does not look at primary keys and cascades: these decide about upserts."""
    migrate(engine)
    made = create_engine("sqlite://")
    Base.metadata.create_all(made)
    assert set(inspect(engine).get_table_names()) == {*inspect(made).get_table_names(), "alembic_version"}
    for table in inspect(made).get_table_names():
        for aspect in ("get_pk_constraint", "get_foreign_keys", "get_unique_constraints", "get_indexes"):
            assert getattr(inspect(engine), aspect)(table) == getattr(inspect(made), aspect)(table), (table, aspect)
        columns = [
            {column["name"]: (str(column["type"]), column["nullable"]) for column in inspect(e).get_columns(table)}
            for e in (engine, made)
        ]
        assert columns[0] == columns[1]


def test_a_missing_column_would_be_noticed(engine: Engine) -> None:
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE task DROP COLUMN unreadable"))
    assert differences(engine) != []


def test_rows_of_the_first_revision_are_there_at_the_newest(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'lantern.db'}")
    migrate(engine, REVISIONS[0])
    with engine.begin() as connection:
        connection.execute(PROJECT)
        connection.execute(
            text(
                "INSERT INTO annotation (project_id, annotation_id, task_id, result, was_cancelled, updated_at,"
                """ content_version, deleted) VALUES (1, 7, 1, '[[]]', 0, 5.0, 2, 0)"""
            )
        )
    engine.dispose()
    db = Database.open(tmp_path)
    with db.read() as session:
        project = projects.ensure(session, "12.5")
        assert project.title == "old"
        assert [row.result for row in annotation_rows.live(session, project)] == [[[]]]


def test_what_waits_in_an_older_outbox_still_waits(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'lantern.db'}")
    migrate(engine, "0006")
    with engine.begin() as connection:
        connection.execute(PROJECT)
        connection.execute(
            text(
                "INSERT INTO outbox_entry (project_id, task_id, person_id, annotator, unique_id, wanted, state, closed,"
                " attempts, retry_at) VALUES (1, 5, 9, '9', 'u', :wanted, 'waiting', 0, 1, 0.0)"
            ),
            {"wanted": '{"result":[],"was_cancelled":true}'},
        )
    engine.dispose()
    db = Database.open(tmp_path)
    with db.write() as session:
        (entry,) = outbox.claim(session, projects.ensure(session, "12.5"), 9, "me", 10, 60.0, 1.0)
        assert (entry.task_id, entry.tried, entry.wanted_at) == (5, [entry.wanted], 0.0)


def test_a_migrated_database_is_opened_without_the_write_lock(tmp_path: Path) -> None:
    first = Database.open(tmp_path)
    with first.write():
        second = Database.open(tmp_path)
    with second.read() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == head()
