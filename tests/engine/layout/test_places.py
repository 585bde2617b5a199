"""Places on the map: new tasks stand by their like, the others stay, a map that was moved or lost is made up for."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from ml_backend.engine import layout_rules
from ml_backend.engine.layout_duty import LayoutDuty
from ml_backend.engine.layout_files import layout_folder
from ml_backend.engine.map_layout import LayoutReader
from ml_backend.store import layouts, projects, publications
from ml_backend.store.layouts import Kind
from tests.engine.conftest import UID, World
from tests.engine.layout.four_groups import (
    CONFIG,
    GROUPS,
    HereAndNow,
    by_task,
    nearest_share_the_group,
    newest,
    places,
    settings,
    settle,
    train,
    vectors,
)


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


def test_a_deleted_task_keeps_its_row_s_place_and_the_others_theirs(world: World, duty: LayoutDuty) -> None:
    settle(duty)
    before = places(world)
    world.delete_tasks([5])
    world.work()
    settle(duty)
    assert np.array_equal(places(world), before)


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


def test_damaged_files_of_the_newest_map_bring_the_one_before(world: World, duty: LayoutDuty) -> None:
    settle(duty)
    damage(world.home / newest(world).path)
    found = LayoutReader(world.db).read(UID, world.view().snapshot)
    assert found.number == newest(world).number - 1
    assert found.xy.any()


def test_a_map_whose_newest_files_are_damaged_goes_on_from_the_one_before(
    world: World, duty: LayoutDuty, fits: HereAndNow
) -> None:
    settle(duty)
    computed = len(fits.jobs)
    damage(world.home / newest(world).path)
    world.add_tasks(vectors(range(61, 64)))
    world.work()
    settle(duty)
    assert [job.kind for job in fits.jobs[computed:]] == [Kind.PACMAP]  # the one before was the plane
    assert newest(world).items == 63
    assert nearest_share_the_group(world) >= 0.9


def test_a_map_whose_files_are_all_gone_is_computed_anew(world: World, duty: LayoutDuty, fits: HereAndNow) -> None:
    settle(duty)
    computed, known = len(fits.jobs), newest(world)
    shutil.rmtree(world.home / "layouts")
    world.add_tasks(vectors(range(61, 64)))
    world.work()
    settle(duty)
    assert [job.kind for job in fits.jobs[computed:]] == [Kind.PCA, Kind.PACMAP]
    assert newest(world).number > known.number
    assert nearest_share_the_group(world) >= 0.9


def test_a_damaged_publication_costs_no_map(world: World, duty: LayoutDuty, fits: HereAndNow) -> None:
    settle(duty)
    computed, known = len(fits.jobs), newest(world)
    world.add_tasks(vectors(range(61, 64)))
    world.work()
    with world.db.read() as session:
        publication = publications.newest(session, projects.ensure(session, UID))
    assert publication is not None
    damage(world.home / publication.description_path)
    settle(duty)
    assert len(fits.jobs) == computed
    assert newest(world).number == known.number


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
