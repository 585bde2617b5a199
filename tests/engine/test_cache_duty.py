"""Remembered encodings: of encoders in use only, and in bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml_backend.data.cache import EmbeddingCache
from ml_backend.engine import cache_duty
from ml_backend.engine.cache_duty import CacheDuty
from ml_backend.store import projects

from .conftest import CONFIG, UID, World

OLD = "old-encoder"


@pytest.fixture
def published(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """One project with a publication, after a restart; an encoder that it had before has left encodings."""
    monkeypatch.setattr(cache_duty, "EVERY_SECONDS", 0.0)
    world.configure()
    world.add_tasks([(i, {"text": f"battery network payment {i}"}) for i in range(1, 31)])
    world.work()
    encodings(world).put_many(OLD, {b"k": np.zeros(8, dtype=np.float32)})
    world.db.close()
    world.start()
    return world


def test_encodings_of_an_encoder_that_no_project_uses_go(published: World) -> None:
    before = set(encodings(published).encoders())
    tidy(published)
    assert set(encodings(published).encoders()) == before - {OLD}
    assert len(before) > 1


def test_nothing_goes_while_a_project_makes_its_first_encodings(published: World) -> None:
    with published.db.write() as session:
        project = projects.ensure(session, "8.1795381627")
        projects.configure(session, project, label_config=CONFIG)
        projects.touch_data(session, project, 1, 0.0)
    tidy(published)
    assert OLD in encodings(published).encoders()


def test_encodings_of_a_deleted_project_go(published: World) -> None:
    with published.db.write() as session:
        projects.mark_deleted(session, projects.ensure(session, UID))
    tidy(published)
    assert encodings(published).encoders() == []


def test_what_is_too_much_goes(published: World) -> None:
    published.settings = replace(published.settings, cache_bytes=2**20)
    published.db.close()
    published.start()
    [name] = set(encodings(published).encoders()) - {OLD}
    encodings(published).put_many(name, {bytes([i]): np.zeros(100_000, dtype=np.float32) for i in range(20)})
    tidy(published)
    left = encodings(published).get_many(name, [bytes([i]) for i in range(20)])
    assert len(left) < 20


def test_it_is_done_once_an_hour(world: World) -> None:
    assert not CacheDuty(world.db, world.settings, world.engine.readers).due(UID), "not at once after the start"


def encodings(world: World) -> EmbeddingCache:
    return world.engine.readers.cache


def tidy(world: World) -> None:
    duty = CacheDuty(world.db, world.settings, world.engine.readers)
    assert duty.due(UID)
    duty.run(UID)
