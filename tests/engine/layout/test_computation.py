"""The better map: when it is computed, and what is left of it when the computation fails or is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.engine import layout_fitting, layout_rules
from ml_backend.engine.layout_duty import LayoutDuty
from ml_backend.engine.layout_files import layout_folder
from ml_backend.engine.layout_job import LayoutJob
from ml_backend.engine.layout_process import start_layout_process
from ml_backend.engine.map_layout import LayoutReader
from ml_backend.processes import Child
from ml_backend.store import layouts, projects
from ml_backend.store.layouts import Kind
from tests.engine.conftest import UID, World
from tests.engine.layout.four_groups import HereAndNow, nearest_share_the_group, newest, places, settle


def test_a_better_map_follows_laid_onto_the_first_one(world: World, duty: LayoutDuty, fits: HereAndNow) -> None:
    before = places(world)
    settle(duty)
    state = LayoutReader(world.db).state(UID)
    assert (state.kind, state.better_on_its_way) == ("pacmap", False)
    assert [job.kind for job in fits.jobs] == [Kind.PACMAP]
    # The stand-in only turns and enlarges the drifted map, so that laying it back must undo all of it.
    assert np.abs(places(world) - before).max() < 0.35
    assert np.median(np.abs(places(world) - before)) < 0.15


def test_a_small_pool_keeps_the_plane(
    world: World, duty: LayoutDuty, fits: HereAndNow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout_rules, "LEAST_ITEMS", 61)
    settle(duty)
    assert fits.jobs == []
    assert LayoutReader(world.db).state(UID).better_on_its_way is False


def test_without_any_map_the_first_one_is_computed_beside(world: World, duty: LayoutDuty, fits: HereAndNow) -> None:
    """A project that an older Lantern published."""
    before = places(world)
    forget_layouts(world)
    assert LayoutReader(world.db).state(UID).kind == "none"
    assert not places(world).any()
    settle(duty)
    assert [job.kind for job in fits.jobs] == [Kind.PCA, Kind.PACMAP]
    assert np.abs(before).max() > 0.9


def forget_layouts(world: World) -> None:
    with world.db.write() as session:
        for layout in layouts.list_all(session, projects.ensure(session, UID)):
            session.delete(layout)


def test_of_a_very_large_pool_some_are_laid_out_and_the_others_stand_by_them(
    world: World, duty: LayoutDuty, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out: list[int] = []
    pacmap_of = layout_fitting.pacmap_of

    def watched(rows: NDArray[np.float32], start: NDArray[np.float32], *, seed: int) -> NDArray[np.float32]:
        laid_out.append(len(rows))
        return pacmap_of(rows, start, seed=seed)

    monkeypatch.setattr(layout_fitting, "MOST_FITTED", 24)
    monkeypatch.setattr(layout_fitting, "pacmap_of", watched)
    settle(duty)
    assert laid_out == [24]
    assert newest(world).items == len(places(world)) == 60
    assert LayoutReader(world.db).state(UID).kind == "pacmap"
    assert np.abs(places(world)).max() <= 1.0
    assert nearest_share_the_group(world) >= 0.9


def test_a_computation_that_fails_leaves_the_map_and_waits(world: World, duty: LayoutDuty, fits: HereAndNow) -> None:
    fits.broken = True
    settle(duty)
    assert LayoutReader(world.db).state(UID).kind == "pca"
    assert len(fits.jobs) == 1


def test_a_computation_that_is_killed_leaves_the_map_and_the_next_duty_makes_it(
    world: World, duty: LayoutDuty, fits: HereAndNow
) -> None:
    children: list[Child] = []

    def start(job: LayoutJob) -> Child:
        children.append(start_layout_process(job))
        return children[-1]

    killed = LayoutDuty(world.db, world.settings, start)
    killed.run(UID)
    before = places(world)
    (child,) = children
    assert child.exit_status() is None
    os.kill(pid_of(child), signal.SIGKILL)
    wait_until(lambda: child.exit_status() is not None)
    assert killed.due(UID)
    killed.run(UID)
    assert np.array_equal(places(world), before)
    assert LayoutReader(world.db).state(UID).better_on_its_way
    assert not killed.due(UID), "it waits before it tries again"
    settle(duty)
    assert LayoutReader(world.db).state(UID).kind == "pacmap"
    assert len(fits.jobs) == 1


WORKER = f"""
import sys, time
from pathlib import Path
from ml_backend.config import Settings
from ml_backend.engine.layout_duty import LayoutDuty
from ml_backend.engine.layout_process import start_layout_process
from ml_backend.store.database import Database

def start(job):
    child = start_layout_process(job)
    print(child._process.pid, flush=True)
    return child

home = Path(sys.argv[1])
LayoutDuty(Database.open(home), Settings(home=home), start).run({UID!r})
time.sleep(600)
"""


@pytest.mark.slow
def test_a_worker_that_is_killed_takes_its_computation_along_and_the_next_one_makes_it(
    world: World, duty: LayoutDuty
) -> None:
    before = places(world)
    with subprocess.Popen([sys.executable, "-c", WORKER, str(world.home)], stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        computing = int(worker.stdout.readline())
        assert is_running(computing)
        worker.kill()
    wait_until(lambda: not is_running(computing))
    assert np.allclose(places(world), before, atol=0.01)
    assert LayoutReader(world.db).state(UID).kind == "pca"
    settle(duty)
    assert LayoutReader(world.db).state(UID).kind == "pacmap"
    with world.db.read() as session:
        project = projects.ensure(session, UID)
        listed = {Path(row.path).name for row in layouts.list_all(session, project)}
    assert {folder.parent.name for folder in layout_folder(world.db, project).rglob("manifest.json")} == listed


def pid_of(child: Child) -> int:
    assert child._process is not None
    return child._process.pid


def is_running(pid: int) -> bool:
    """Not gone, and no zombie that nobody has asked about yet."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_the_process_itself_computes_the_better_map(world: World) -> None:
    duty = LayoutDuty(world.db, replace(world.settings, seed=3), start_layout_process)
    deadline = time.monotonic() + 300
    while LayoutReader(world.db).state(UID).kind != "pacmap":
        assert time.monotonic() < deadline
        if duty.due(UID):
            duty.run(UID)
        time.sleep(0.2)
    assert nearest_share_the_group(world) >= 0.9
