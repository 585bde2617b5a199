"""A project of 60 tasks that was published, and the duty that keeps its map."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ml_backend.engine import layout_fitting
from ml_backend.engine.layout_duty import LayoutDuty
from tests.engine.conftest import World
from tests.engine.layout.four_groups import HereAndNow, fill, settings


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project of 60 tasks that was published and trained: copied, since making it takes a second."""
    home = tmp_path_factory.mktemp("published") / "home"
    world = World(home, settings(home))
    fill(world)
    world.db.close()
    return home


@pytest.fixture
def world(tmp_path: Path, published: Path) -> Iterator[World]:
    shutil.copytree(published, tmp_path / "home")
    world = World(tmp_path / "home", settings(tmp_path / "home"))
    yield world
    world.db.close()


@pytest.fixture
def fits() -> HereAndNow:
    return HereAndNow()


@pytest.fixture
def duty(world: World, fits: HereAndNow, monkeypatch: pytest.MonkeyPatch) -> LayoutDuty:
    """PaCMAP itself is left out (it compiles for long): its map is the plane, turned and twice as large."""
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    monkeypatch.setattr(layout_fitting, "pacmap_of", lambda rows, start, *, seed: 2.0 * start @ turn)
    return LayoutDuty(world.db, world.settings, fits)
