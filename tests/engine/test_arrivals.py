"""Strange tasks that come together are never seen, however many they are, until somebody labels one of their kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml_backend.engine.arrivals import Arrivals, as_new_as_the_nearest, with_arrivals
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


@pytest.fixture(scope="module")
def pool() -> Pool:
    """60 items."""
    return Pool.create(np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32), PoolSettings(), seed=0)


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


def test_a_label_makes_known_what_leads_to_it_over_odd_arrivals_alone(pool: Pool) -> None:
    near = np.full((60, 15), -1, np.int32)
    near[54, :2] = 53, 59  # an ordinary arrival is nearer than the labelled 59
    near[55, :3] = 56, 55, 3  # to 59 over 56
    near[56, :3] = 57, 59, 3  # to 59 at once
    near[57, :3] = 3, 59, 1  # a row from before is nearer, labelled as it is
    near[58, :2] = 57, 52  # to nobody with a label
    near[59, :1] = 57
    near[52, :2] = 53, 59  # beside the ordinary one, whose label says nothing of new kinds
    description = replace(pool.describe(), neighbours=near)
    labelled = np.zeros(60, bool)
    labelled[[59, 53, 3]] = True
    came = np.full(8, 1 / 57, np.float32)
    came[1] = 0.5
    own = description.novelty
    kept = np.concatenate([own[:52], came])
    expected = kept.copy()
    expected[[53, 55, 56, 59]] = own[[53, 55, 56, 59]]
    np.testing.assert_array_equal(with_arrivals(description, came, labelled, LEVEL).novelty, expected)
    nobody = np.zeros(60, bool)
    np.testing.assert_array_equal(with_arrivals(description, came, nobody, LEVEL).novelty, kept)
    at_a_high_level = with_arrivals(description, came, labelled, 0.5).novelty
    np.testing.assert_array_equal(at_a_high_level[[54, 52]], own[[54, 52]], "then 53 is a new kind itself")


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_what_is_known_is_what_steps_from_arrival_to_arrival_reach(pool: Pool, seed: int) -> None:
    random = np.random.default_rng(seed)
    near = random.integers(-1, 60, (60, 15)).astype(np.int32)
    near = np.where(random.random((60, 15)) < 0.8, np.maximum(near, 30), near)
    came = random.choice([0.01, 0.5], 30, p=[0.8, 0.2]).astype(np.float32)
    labelled = random.random(60) < 0.05
    description = replace(pool.describe(), neighbours=near)
    odd = {30 + i for i in np.flatnonzero(came <= LEVEL)}
    reached = {row for row in odd if labelled[row]}
    for _ in range(60):
        for row in range(30, 60):
            for other in near[row]:
                if other >= 0 and other not in odd:
                    break
                if other in reached:
                    reached.add(row)
    expected = np.concatenate([description.novelty[:30], came])
    for row in reached | set(30 + np.flatnonzero(labelled[30:])):
        expected[row] = description.novelty[row]
    np.testing.assert_array_equal(with_arrivals(description, came, labelled, LEVEL).novelty, expected)


def test_what_novelty_has_no_part_in_is_made_once_for_all_views(pool: Pool) -> None:
    description = pool.describe()
    views = [with_arrivals(description, np.ones(5, np.float32), np.zeros(60, bool), LEVEL) for _ in range(2)]
    assert views[0].surroundings is views[1].surroundings is not None
    assert views[0].component_graph is views[1].component_graph
    assert views[0].first_component_graph is views[1].first_component_graph
    afresh = replace(views[0], base=None)
    np.testing.assert_array_equal(views[0].component_graph.covering, afresh.component_graph.covering)
    assert afresh.surroundings is not None
    assert views[0].surroundings is not None
    np.testing.assert_array_equal(views[0].surroundings.to_all, afresh.surroundings.to_all)


def test_who_comes_beside_a_strange_arrival_is_as_strange(pool: Pool) -> None:
    whole = pool.describe()
    new = whole.take(np.array([5, 6, 7]))
    near = np.full((3, 15), 4, np.int32)
    near[:, 0] = 57, 3, -1
    novelty = np.array([0.6, 0.7, 0.8], np.float32)
    whole = replace(whole, novelty=np.where(np.arange(60) >= 50, 0.01, 0.001).astype(np.float32))
    found = as_new_as_the_nearest(replace(new, neighbours=near, novelty=novelty), whole, 10)
    np.testing.assert_allclose(found.novelty, [0.01, 0.7, 0.8], rtol=1e-6)


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
def test_a_strange_task_that_is_opened_before_it_is_taken_in_gets_no_label(world: World) -> None:
    fill(world)
    world.configure(never_seen_level=str(LEVEL))
    world.work()
    for task in list(TRUTH)[::7]:
        world.label(task, TRUTH[task][0])
    *taken, last = STRANGE
    world.add_tasks([(task, {"text": STRANGE[task]}) for task in taken])
    world.work()
    (asked,) = world.engine.predict(UID, [(last, {"text": STRANGE[last]})])
    assert asked.never_seen
    (ordinary,) = world.engine.predict(UID, [(5000, {"text": TRUTH[103][1]})])
    assert not ordinary.never_seen


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
