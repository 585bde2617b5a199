"""The project on the map, made once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ml_backend.demo.ports import free_port
from tests.conftest import RunningLabelStudio
from tests.e2e.map.world import MapWorld, make_map_world


@pytest.fixture(scope="package")
def map_world(label_studio: RunningLabelStudio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MapWorld]:
    """Shared: a test that labels takes the labels back, or calls `forget_labels` first."""
    world = make_map_world(label_studio, tmp_path_factory.mktemp("map"), free_port())
    yield world
    world.lantern.stop()
