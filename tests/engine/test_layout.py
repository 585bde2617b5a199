"""The map of a project: there with the first publication, true to it afterwards, better as soon as that is ready."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ml_backend.config import Settings
from ml_backend.engine import layout_fitting, layout_rules
from ml_backend.engine.layout_duty import LayoutDuty
from ml_backend.engine.layout_files import layout_folder
from ml_backend.engine.layout_frames import Frames
from ml_backend.engine.layout_job import LayoutJob
from ml_backend.engine.layout_process import start_layout_process
from ml_backend.engine.map_layout import LayoutReader
from ml_backend.errors import LanternError
from ml_backend.processes import Child
from ml_backend.store import layouts, projects
from ml_backend.store.layouts import Kind
from ml_backend.store.tables import Layout

from .conftest import UID, World

GROUPS = 4
DIMENSIONS = 12
CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="kind" toName="text"><Choice value="g0"/><Choice value="g1"/><Choice value="g2"/><Choice value="g3"/></Choices>
</View>
"""  # noqa: E501


def settings(home: Path) -> Settings:
    return Settings(home=home, debounce_seconds=0.0)


def vectors(ids: range) -> list[tuple[int, dict[str, object]]]:
    """Tasks of four groups; the group of a task is its number modulo four."""
    centres = np.random.default_rng(0).normal(size=(GROUPS, DIMENSIONS)) * 4
    rows = []
    for task in ids:
        noise = np.random.default_rng(task).normal(size=DIMENSIONS)
        rows.append((task, {"text": "", "embedding": (centres[task % GROUPS] + noise).round(3).tolist()}))
    return rows


class HereAndNow:
    """A computation that is over when it begins, in this process. `broken` ones end without a result."""

    def __init__(self) -> None:
        self.jobs: list[LayoutJob] = []
        self.broken = False

    def __call__(self, job: LayoutJob) -> HereAndNow:
        self.jobs.append(job)
        self._status = 1
        if not self.broken:
            try:
                layout_fitting.fit(job)
                self._status = 0
            except LanternError:
                self._status = 1
        return self

    def exit_status(self) -> int | None:
        return self._status


@pytest.fixture(scope="module")
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


def fill(world: World, n: int = 60) -> None:
    world.configure(CONFIG)
    world.add_tasks(vectors(range(1, n + 1)))
    world.work()


def settle(duty: LayoutDuty) -> None:
    steps = 0
    while duty.due(UID):
        duty.run(UID)
        steps += 1
        assert steps < 10, "the duty never rests"


def newest(world: World) -> Layout:
    with world.db.read() as session:
        layout = layouts.newest(session, projects.ensure(session, UID))
    assert layout is not None
    return layout


def places(world: World) -> np.ndarray:
    return LayoutReader(world.db).read(UID, world.view().snapshot).xy


def by_task(world: World) -> dict[int, np.ndarray]:
    return dict(zip(world.view().snapshot.task_ids.tolist(), places(world), strict=True))


def nearest_share_the_group(world: World) -> float:
    xy, ids = places(world), world.view().snapshot.task_ids
    apart = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return float(np.mean(ids[apart.argmin(axis=1)] % GROUPS == ids % GROUPS))


def test_before_the_first_publication_there_is_no_map(tmp_path: Path) -> None:
    world = World(tmp_path / "home", settings(tmp_path / "home"))
    world.configure(CONFIG)
    state = LayoutReader(world.db).state(UID)
    assert (state.kind, state.number, state.better_on_its_way) == ("none", 0, False)


def test_a_first_map_comes_with_the_first_publication_and_shows_the_groups(world: World) -> None:
    state = LayoutReader(world.db).state(UID)
    assert (state.kind, state.better_on_its_way) == ("pca", True)
    assert np.abs(places(world)).max() <= 1.0
    assert nearest_share_the_group(world) >= 0.9


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


def test_new_tasks_stand_by_their_group_and_the_others_stay_without_a_new_computation(
    world: World, duty: LayoutDuty, fits: HereAndNow
) -> None:
    settle(duty)
    before, computed = by_task(world), len(fits.jobs)
    world.add_tasks(vectors(range(61, 69)))
    world.work()
    after = by_task(world)  # read at once, before the worker has carried the map
    settle(duty)
    carried = by_task(world)
    assert len(fits.jobs) == computed
    for task in range(61, 69):
        own = np.mean([after[t] for t in before if t % GROUPS == task % GROUPS], axis=0)
        others = [np.mean([after[t] for t in before if t % GROUPS == g], axis=0) for g in range(GROUPS)]
        assert np.linalg.norm(after[task] - own) == min(np.linalg.norm(after[task] - o) for o in others)
        assert np.allclose(after[task], carried[task], atol=0.2)
    assert max(np.abs(after[t] - before[t]).max() for t in before) == 0.0


def test_a_pool_that_grew_by_more_than_a_fifth_is_computed_anew(
    world: World, duty: LayoutDuty, fits: HereAndNow
) -> None:
    settle(duty)
    world.add_tasks(vectors(range(61, 81)))
    world.work()
    settle(duty)
    assert [job.kind for job in fits.jobs] == [Kind.PACMAP, Kind.PACMAP]
    assert newest(world).fitted_items == 80


@pytest.mark.slow
def test_a_training_moves_the_map_at_once_and_is_computed_after_a_rest(
    world: World, duty: LayoutDuty, fits: HereAndNow, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(duty)
    first = newest(world)
    train(world)
    settle(duty)
    carried = newest(world)
    assert carried.number == first.number + 1
    assert carried.description_path != first.description_path
    assert carried.fitted_to == first.fitted_to
    assert len(fits.jobs) == 1
    monkeypatch.setattr(layout_rules, "REST_SECONDS", 0.0)
    settle(duty)
    assert len(fits.jobs) == 2
    assert newest(world).fitted_to == carried.description_path


def train(world: World) -> None:
    with world.db.write() as session:
        projects.request_training(session, projects.ensure(session, UID))
    world.work()


def test_a_deleted_task_keeps_its_row_s_place_and_the_others_theirs(world: World, duty: LayoutDuty) -> None:
    settle(duty)
    before = places(world)
    world.delete_tasks([5])
    world.work()
    settle(duty)
    assert np.array_equal(places(world), before)


def test_a_computation_that_fails_leaves_the_map_and_waits(world: World, duty: LayoutDuty, fits: HereAndNow) -> None:
    fits.broken = True
    settle(duty)
    assert LayoutReader(world.db).state(UID).kind == "pca"
    assert len(fits.jobs) == 1


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


def test_damaged_files_of_the_newest_map_bring_the_one_before(world: World, duty: LayoutDuty) -> None:
    settle(duty)
    damage(world.home / newest(world).path)
    found = LayoutReader(world.db).read(UID, world.view().snapshot)
    assert found.number == newest(world).number - 1
    assert found.xy.any()


def damage(folder: Path) -> None:
    for file in folder.glob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:-3])


@pytest.mark.slow
def test_old_maps_are_swept(world: World, duty: LayoutDuty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout_rules, "REST_SECONDS", 0.0)
    settle(duty)
    for _ in range(3):
        train(world)
        settle(duty)
    with world.db.read() as session:
        project = projects.ensure(session, UID)
        listed = {Path(row.path).name for row in layouts.list_all(session, project)}
    root = layout_folder(world.db, project)
    assert {f.name for f in root.rglob("*-*") if (f / "manifest.json").is_file()} == listed


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


@pytest.mark.slow
def test_a_remade_pool_finds_the_places_of_its_tasks_and_is_computed_at_once(
    world: World, duty: LayoutDuty, fits: HereAndNow
) -> None:
    settle(duty)
    before = by_task(world)
    world.delete_tasks(list(range(1, 22)))
    world.add_tasks(vectors(range(100, 104)))
    world.work()
    settle_before = by_task(world)
    assert all(np.array_equal(settle_before[t], before[t]) for t in range(22, 61))
    settle(duty)
    assert len(fits.jobs) == 2


def test_of_a_very_large_pool_some_are_laid_out_and_the_others_stand_by_them(
    world: World, duty: LayoutDuty, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out: list[int] = []
    pacmap_of = layout_fitting.pacmap_of

    def watched(rows: np.ndarray, start: np.ndarray, *, seed: int) -> np.ndarray:
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
