"""Views are made before they are asked for, and again only when something changed."""

from __future__ import annotations

import pytest

from ml_backend.engine.engine import Engine
from ml_backend.engine.warm_views import WarmViews
from ml_backend.errors import StoreError
from ml_backend.store import projects

from .conftest import UID, World


def connected(world: World) -> None:
    with world.db.write() as session:
        projects.configure(session, projects.ensure(session, UID), connection={"connected": True})


def filled(world: World) -> World:
    world.configure()
    world.add_tasks([(i, {"text": f"battery network payment {i}"}) for i in range(1, 31)])
    world.work()
    return world


def test_a_connected_project_is_ready_before_anybody_asks(world: World) -> None:
    connected(filled(world))
    warm = WarmViews(world.engine)
    assert warm.check() == [UID]
    assert world.engine.viewed() == {UID}
    assert warm.check() == []
    world.label(3, "payment")
    assert warm.check() == [UID]
    assert "scored" in vars(world.view())
    assert warm.check() == []


def test_a_project_that_nobody_connected_is_left_until_it_is_asked_for(world: World) -> None:
    warm = WarmViews(filled(world).engine)
    assert warm.check() == []
    world.view()
    assert warm.check() == [UID]


def test_nothing_is_kept_of_a_project_that_was_deleted(world: World) -> None:
    connected(filled(world))
    warm = WarmViews(world.engine)
    warm.check()
    with world.db.write() as session:
        projects.mark_deleted(session, projects.ensure(session, UID))
    assert warm.check() == []
    assert world.engine.viewed() == frozenset()


def test_one_that_fails_is_not_tried_again_and_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    connected(filled(world))
    calls = []

    def broken(_engine: Engine, uid: str) -> None:
        calls.append(uid)
        raise StoreError("broken")

    monkeypatch.setattr(Engine, "view", broken)
    warm = WarmViews(world.engine)
    warm.check()
    warm.check()
    assert calls == [UID]
