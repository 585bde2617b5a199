"""Drawings: whatever order events come in, the newest content counts and a deleted one gives nothing."""

from __future__ import annotations

from itertools import permutations

import pytest
from sqlalchemy.orm import Session

from ml_backend.store import drawings, projects
from ml_backend.store.database import Database
from ml_backend.store.drawings import Drawn
from ml_backend.store.tables import Project

OLD = Drawn(7, 1, "4", "kind", {"a": [3, 1, 2]}, 10.0)
NEW = Drawn(7, 1, "4", "kind", {"b": [1]}, 20.0)


def project(session: Session) -> Project:
    return projects.ensure(session, "3.1795388054")


def live(db: Database) -> list[dict[str, list[int]]]:
    with db.read() as session:
        return [row.labels for row in drawings.live(session, project(session))]


def test_how_many_labels_changed(db: Database) -> None:
    with db.write() as session:
        assert drawings.put(session, project(session), OLD) == 3
        assert drawings.put(session, project(session), OLD) == 0
        assert drawings.put(session, project(session), NEW) == 4
        assert drawings.put(session, project(session), OLD) == 0, "an older one comes late"
        assert drawings.remove(session, project(session), [7, 8]) == 1
        assert drawings.remove(session, project(session), [7, 8]) == 0


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_any_order_leads_to_the_same(db: Database, order: tuple[int, ...]) -> None:
    for step in order:
        with db.write() as session:
            if step == 2:
                drawings.remove(session, project(session), [7])
            else:
                drawings.put(session, project(session), (OLD, NEW)[step])
    assert live(db) == []


def test_the_oldest_content_first_and_each_project_its_own(db: Database) -> None:
    with db.write() as session:
        drawings.put(session, project(session), NEW)
        drawings.put(session, project(session), Drawn(9, 1, "5", "kind", {"a": [1]}, 15.0))
        drawings.put(session, projects.ensure(session, "4.1795388054"), OLD)
        assert drawings.of_sheet(session, project(session), 1) == [7, 9]
    assert live(db) == [{"a": [1]}, {"b": [1]}]
