"""The door for requests: how much of how many projects stays in memory, and that settings reach what stays."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ml_backend.engine import engine as engine_module
from ml_backend.engine.checkpoint import Working, load_model
from ml_backend.engine.engine import Engine
from ml_backend.engine.pool_settings import PoolSettings
from ml_backend.store import projects, tasks

from .conftest import CONFIG, UID, World

TEXTS = [(i, {"text": f"battery network payment {i}"}) for i in range(1, 31)]
OTHERS = ("8.1795381627", "9.1795381627")
NEW = [(5000, {"text": "battery network 99"})]


@pytest.fixture
def small(world: World) -> World:
    """One project of thirty tasks, published."""
    world.configure()
    world.add_tasks(TEXTS)
    world.work()
    return world


def test_views_and_models_of_the_projects_used_last_alone_are_kept(
    small: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "VIEWS_IN_MEMORY", 2)
    monkeypatch.setattr(engine_module, "MODELS_IN_MEMORY", 1)
    loaded: list[str] = []

    def watched(path: Path, settings: PoolSettings) -> Working:
        loaded.append(path.parent.name)
        return load_model(path, settings)

    monkeypatch.setattr(engine_module, "load_model", watched)
    engine = Engine(small.db, small.settings, lambda _project: small.fetch)
    for uid in OTHERS:
        another_like(small, uid)
    for uid in (UID, *OTHERS, OTHERS[1], UID):
        [answer] = engine.predict(uid, NEW)
        assert answer.readable
    assert engine.viewed() == {OTHERS[1], UID}
    assert loaded == ["1", "2", "3", "1"], "the one used last is not loaded again, the others are"


def test_new_settings_hold_for_new_tasks_although_the_model_stays_in_memory(small: World) -> None:
    for task in range(1, 4):
        small.label(task, "battery")
    before = small.engine.predict(UID, NEW)
    small.configure(temperature=50.0)
    after = small.engine.predict(UID, NEW)
    restarted = Engine(small.db, small.settings, lambda _project: small.fetch)
    assert after == restarted.predict(UID, NEW)
    assert after != before


def another_like(world: World, uid: str) -> None:
    with world.db.write() as session:
        project = projects.ensure(session, uid)
        projects.configure(session, project, label_config=CONFIG)
        projects.touch_data(session, project, tasks.upsert_many(session, project, TEXTS), time.time())
    world.worker.run(uid)
