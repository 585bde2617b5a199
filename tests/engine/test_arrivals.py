"""Strange tasks that come together are never seen, however many they are, until somebody labels one of their kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.engine.arrivals import Arrivals, with_arrivals
from ml_backend.engine.checkpoint import Working
from ml_backend.engine.pool import Pool, PoolSettings
from ml_backend.engine.snapshot import PoolMatrix
from ml_backend.errors import CheckpointError
from ml_backend.store import projects

from .conftest import UID, World
from .test_project import TRUTH, fill

LEVEL = 0.02
STRANGE = {
    900 + i: f"{who} {what} at the seaside festival of brass bands"
    for i, (who, what) in enumerate(
        (who, what) for who in ("Grandmother", "The mayor", "Our choir") for what in ("sings", "dances", "juggles")
    )
}


@pytest.fixture(scope="module")
def parts() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(300, 16) of six kinds, and (40, 16) of four kinds that are none of them."""
    random = np.random.default_rng(3)
    known, other = random.normal(size=(6, 16)), random.normal(size=(4, 16)) * 3
    x = known[random.integers(0, 6, 300)] + 0.25 * random.normal(size=(300, 16))
    new = other[np.arange(40) % 4] + 0.25 * random.normal(size=(40, 16))
    return x.astype(np.float32), new.astype(np.float32)


def test_what_comes_in_parts_is_as_new_as_what_comes_at_once(
    parts: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> None:
    x, new = parts
    pool = Pool.create(x, PoolSettings(), seed=0)
    at_once = pool.describe_new(new).novelty
    assert (at_once <= LEVEL).mean() > 0.9
    arrivals = Arrivals.none_yet(pool)
    for part in (new[:8], new[8:25], new[25:]):
        arrivals = arrivals.with_new(pool, part)
        pool.extend(part)
    np.testing.assert_array_equal(arrivals.novelty, at_once)
    assert (pool.describe().novelty[300:] <= LEVEL).mean() < 0.5, "among each other they would be ordinary"


def test_a_label_makes_known_what_leads_to_it_past_no_row_from_before() -> None:
    pool = Pool.create(np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32), PoolSettings(), seed=0)
    near = np.full((60, 15), -1, np.int32)
    near[55, :3] = 56, 55, 3  # to the labelled 59 over 56
    near[56, :3] = 57, 59, 3  # to 59 at once
    near[57, :3] = 3, 59, 1  # a row from before is nearer, labelled as it is
    near[58, :2] = 57, 54  # to nobody with a label
    near[59, :1] = 57
    description = replace(pool.describe(), neighbours=near)
    labelled = np.zeros(60, bool)
    labelled[[59, 3]] = True
    came = np.full(5, 1 / 57, np.float32)
    own = description.novelty
    expected = [*own[:57], came[2], came[3], own[59]]
    np.testing.assert_array_equal(with_arrivals(description, came, labelled).novelty, expected)
    nobody = np.zeros(60, bool)
    np.testing.assert_array_equal(with_arrivals(description, came, nobody).novelty, [*own[:55], *came])


def test_arrivals_that_do_not_fit_their_pool_are_refused() -> None:
    arrivals = Arrivals(np.zeros((5, 2), np.int32), np.zeros((5, 2), np.float32), np.ones(3, np.float32))
    again = Arrivals.restore(arrivals.tensors(), 8)
    assert again is not None
    np.testing.assert_array_equal(again.novelty, arrivals.novelty)
    assert Arrivals.restore({}, 8) is None
    with pytest.raises(CheckpointError, match="no pool of 9"):
        Arrivals.restore(arrivals.tensors(), 9)
    with pytest.raises(CheckpointError, match="cannot be read"):
        Arrivals.restore({"arrivals.neighbours": arrivals.neighbours}, 8)


def never_seen(world: World) -> set[int]:
    """Of the strange tasks."""
    return {p.task_id for p in world.view().predictions() if p.never_seen and p.task_id in STRANGE}


@pytest.mark.slow
def test_a_burst_of_strange_tasks_gets_no_label_until_a_person_knows_its_kind(world: World) -> None:
    fill(world)
    world.configure(never_seen_level=str(LEVEL))
    world.work()
    for task in list(TRUTH)[::7]:
        world.label(task, TRUTH[task][0])
    world.work()
    for part in (list(STRANGE)[:4], list(STRANGE)[4:]):
        world.add_tasks([(task, {"text": STRANGE[task]}) for task in part])
        world.work()
        world.start()
        train(world)
    assert never_seen(world) == set(STRANGE), "they came in two parts, with a restart and a training between"
    assert not any(p.answers for p in world.view().predictions(list(STRANGE)))

    world.label(904, "payment")
    still = never_seen(world)
    assert 904 not in still
    assert len(still) <= len(STRANGE) // 2, "what is like a labelled one is known"
    named = {p.task_id for p in world.view().predictions(list(STRANGE)) if p.answers.get("kind")}
    assert named & (set(STRANGE) - still - {904}), "and gets its label"

    train(world)
    assert never_seen(world) == still, "a training alone makes nobody know more of them"


@pytest.mark.slow
def test_where_much_is_unlike_the_first_tasks_all_are_the_project_s_own(world: World) -> None:
    fill(world)
    world.configure(never_seen_level=str(LEVEL))
    world.work()
    more = {1000 * n + task: f"{text} for {n} nights" for n in (2, 5) for task, text in STRANGE.items()}
    world.add_tasks([(task, {"text": text}) for task, text in (STRANGE | more).items()])
    world.work()
    assert len(never_seen(world)) <= 2


def test_a_training_on_pictures_changes_what_is_near_and_so_what_was_strange() -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (30, 1, 8, 8), dtype=np.uint8)
    matrix = PoolMatrix(np.arange(20), pictures[:20], 1)
    working = Working(matrix, Pool.create(matrix.x, PoolSettings(), seed=0), "pixels")
    working.take(PoolMatrix(np.arange(22), pictures[:22], 2))
    assert len(working.snapshot().arrivals) == 2
    working.trained()
    assert len(working.snapshot().arrivals) == 0


def train(world: World) -> None:
    with world.db.write() as session:
        projects.request_training(session, projects.ensure(session, UID))
    assert world.work()
