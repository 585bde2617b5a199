"""The page beside a task finds the task by a field's value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_backend.label_studio.map_config import MapAddress, with_map
from ml_backend.store import projects, tasks
from ml_backend.store.tasks import TaskRow

from .conftest import CONFIG, KEY, UID, MapWorld


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MapWorld]:
    """No model, three tasks, and a label config that holds the map."""
    made = MapWorld(Path(tmp_path_factory.mktemp("current")))
    made.connect(UID, KEY)
    rows: list[TaskRow] = [(7, {"alert": "A-1", "n": 12}), (8, {"alert": "A-2", "n": 13}), (9, {"alert": "A-2"})]
    with made.db.write() as session:
        tasks.upsert_many(session, projects.ensure(session, UID), rows)
    yield made
    made.db.close()


def show(world: MapWorld, field: str | None) -> None:
    config = with_map(CONFIG, MapAddress("http://lantern.test", UID, KEY, field))
    with world.db.write() as session:
        projects.configure(session, projects.ensure(session, UID), label_config=config)


def ask(world: MapWorld, query: str) -> tuple[int, object]:
    reply = world.client.get(f"/map/{UID}/api/tasks{query}", headers=world.headers())
    return reply.status_code, reply.json


def test_by_text_and_by_number(world: MapWorld) -> None:
    show(world, "alert")
    assert ask(world, "?value=A-1") == (200, {"row": None, "task": 7})
    show(world, "n")
    assert ask(world, "?value=13") == (200, {"row": None, "task": 8})


def test_none_or_several_are_not_found(world: MapWorld) -> None:
    show(world, "alert")
    for value in ("A-2", "A-9", "'"):
        assert ask(world, f"?value={value}")[0] == 404
    assert ask(world, "")[0] == 400
    show(world, None)
    assert ask(world, "?value=A-1")[0] == 404
