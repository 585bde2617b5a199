"""When a training begins by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ml_backend.engine import debounce as module
from ml_backend.engine.debounce import Debounce
from ml_backend.store import projects, runs

from .conftest import UID, World


class Clock:
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now

    monotonic = time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(module, "time", found)
    return found


@pytest.fixture
def due(world: World) -> Callable[[], bool]:
    """With the usual settings: ten labels, five seconds, a minute."""
    debounce = Debounce(world.db, replace(world.settings, debounce_seconds=5.0))

    def is_due() -> bool:
        with world.db.write() as session:
            project = projects.ensure(session, UID)
        return debounce.training_due(project)

    return is_due


def label(world: World, clock: Clock, count: int = 1) -> None:
    with world.db.write() as session:
        projects.touch_labels(session, projects.ensure(session, UID), count, clock.now)


def train(world: World, clock: Clock) -> None:
    with world.db.write() as session:
        project = projects.ensure(session, UID)
        run = runs.create(session, project, {}, clock.now)
        runs.start(session, run, clock.now)
        runs.finish(session, run, None, clock.now)
        projects.training_handled(session, project, requested=0, labels_changed=project.labels_changed)


def seconds_until_due(world: World, clock: Clock, due: Callable[[], bool], every: float) -> float:
    """With a label every so many seconds."""
    began = clock.now
    while not due():
        assert clock.now < began + 3600, "nothing trains while people label"
        clock.now += every
        label(world, clock)
    return clock.now - began


def test_ten_labels_and_a_pause(world: World, clock: Clock, due: Callable[[], bool]) -> None:
    label(world, clock, 9)
    clock.now += 1000
    assert not due()
    label(world, clock)
    assert not due()
    clock.now += 5
    assert due()


def test_people_who_label_without_a_pause_put_it_off_for_a_minute(
    world: World, clock: Clock, due: Callable[[], bool]
) -> None:
    label(world, clock, 10)
    assert seconds_until_due(world, clock, due, 4.0) == 60


def test_the_next_one_waits_again(world: World, clock: Clock, due: Callable[[], bool]) -> None:
    label(world, clock, 10)
    seconds_until_due(world, clock, due, 4.0)
    train(world, clock)
    label(world, clock, 10)  # while it trained
    assert seconds_until_due(world, clock, due, 4.0) == 60


def test_a_clock_that_is_put_back_puts_it_off_no_longer(world: World, clock: Clock, due: Callable[[], bool]) -> None:
    label(world, clock, 10)
    clock.now -= 3 * 3600
    assert due()
