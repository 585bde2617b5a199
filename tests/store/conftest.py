"""A database in a folder of its own, and a project in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_backend.store import projects
from ml_backend.store.database import Database
from ml_backend.store.tables import Project


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database.open(tmp_path / "home")
    yield database
    database.close()


@pytest.fixture
def project(db: Database) -> Project:
    with db.write() as session:
        return projects.ensure(session, "12.1795381627", now=1.0)
