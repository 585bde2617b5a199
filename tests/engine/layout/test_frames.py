"""The map while a training runs: frames for those who watch, and none left behind."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from ml_backend.engine.layout_duty import LayoutDuty
from ml_backend.engine.layout_frames import Frames
from ml_backend.engine.map_layout import LayoutReader
from ml_backend.store import layouts, projects
from tests.engine.conftest import UID, World
from tests.engine.layout.four_groups import places, settle, train


@pytest.mark.slow
def test_frames_are_written_only_while_somebody_watches(world: World, duty: LayoutDuty) -> None:
    settle(duty)
    train(world)
    reader = LayoutReader(world.db)
    assert reader.state(UID).frame == 0
    with world.db.write() as session:
        layouts.watch(session, projects.ensure(session, UID), time.time() + 60)
    settle(duty)
    seen = []
    watch_epochs(world, lambda: seen.append(reader.frame(UID)))
    assert len(seen) >= 1
    assert all(frame is not None for frame in seen)
    frame = seen[-1]
    assert frame is not None
    assert frame.xy.shape == (60, 2)
    assert len(frame.responsibilities) == 60
    assert reader.state(UID).frame >= frame.number


def watch_epochs(world: World, look: Callable[[], None]) -> None:
    """Trains; `look` is called after each epoch's frame."""
    write = Frames.write

    def write_and_look(self: Frames) -> None:
        write(self)
        look()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Frames, "write", write_and_look)
        train(world)


@pytest.mark.slow
def test_when_the_training_is_over_the_map_stands_where_the_last_frame_left_it(world: World, duty: LayoutDuty) -> None:
    settle(duty)
    with world.db.write() as session:
        layouts.watch(session, projects.ensure(session, UID), time.time() + 60)
    reader, seen = LayoutReader(world.db), []
    watch_epochs(world, lambda: seen.append(reader.frame(UID)))
    settle(duty)
    last = seen[-1]
    assert last is not None
    assert np.allclose(places(world), last.xy, atol=1e-3)
    assert reader.frame(UID) is None
    assert reader.state(UID).frame == last.number + 1


def test_a_frame_that_a_dead_worker_left_is_taken_away(world: World, duty: LayoutDuty) -> None:
    settle(duty)
    with world.db.write() as session:
        layouts.show_frame(session, projects.ensure(session, UID), "layouts/1/frame-of-the-dead")
    assert LayoutReader(world.db).frame(UID) is None
    settle(duty)
    with world.db.read() as session:
        assert layouts.frame(session, projects.ensure(session, UID)) == (2, None)
