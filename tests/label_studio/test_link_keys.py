"""Link keys: one a project, revocable, and not to be read out of the database."""

from __future__ import annotations

import re

from ml_backend.label_studio import link_keys
from ml_backend.store import projects
from ml_backend.store.database import Database
from tests.label_studio.conftest import UID, project_row


def make(db: Database, uid: str = UID) -> str:
    with db.write() as session:
        return link_keys.new_key(session, projects.ensure(session, uid))


def test_a_key_opens_its_own_project_only(db: Database) -> None:
    key, other = make(db), make(db, "4.1795388054")
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", key)
    assert link_keys.matches(project_row(db), key)
    assert not link_keys.matches(project_row(db), other)
    assert not link_keys.matches(project_row(db), "")
    assert key not in repr(project_row(db).connection)


def test_a_new_key_and_a_revocation_end_the_old_one(db: Database) -> None:
    first = make(db)
    mark = link_keys.mark(project_row(db))
    second = make(db)
    assert not link_keys.matches(project_row(db), first)
    assert link_keys.matches(project_row(db), second)
    assert link_keys.mark(project_row(db)) != mark
    with db.write() as session:
        projects.configure(session, project_row(db), connection={**project_row(db).connection, "url": "http://ls"})
        assert link_keys.revoke(session, project_row(db))
    assert not link_keys.matches(project_row(db), second)
    assert project_row(db).connection == {"url": "http://ls"}
    with db.write() as session:
        assert not link_keys.revoke(session, project_row(db))
