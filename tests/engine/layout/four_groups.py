"""Tasks of four groups, the worker's duty for their map, and where the map has them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_backend.config import Settings
from ml_backend.engine import layout_fitting
from ml_backend.engine.layout_duty import LayoutDuty
from ml_backend.engine.layout_job import LayoutJob
from ml_backend.engine.map_layout import LayoutReader
from ml_backend.errors import LanternError
from ml_backend.store import layouts, projects
from ml_backend.store.tables import Layout
from tests.engine.conftest import UID, World

GROUPS = 4
DIMENSIONS = 12
CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="kind" toName="text">
    <Choice value="g0"/><Choice value="g1"/><Choice value="g2"/><Choice value="g3"/>
  </Choices>
</View>
"""


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


def fill(world: World, n: int = 60) -> None:
    world.configure(CONFIG)
    world.add_tasks(vectors(range(1, n + 1)))
    world.work()


def train(world: World) -> None:
    with world.db.write() as session:
        projects.request_training(session, projects.ensure(session, UID))
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


def places(world: World) -> NDArray[np.float32]:
    return LayoutReader(world.db).read(UID, world.view().snapshot).xy


def by_task(world: World) -> dict[int, NDArray[np.float32]]:
    return dict(zip(world.view().snapshot.task_ids.tolist(), places(world), strict=True))


def nearest_share_the_group(world: World) -> float:
    xy, ids = places(world), world.view().snapshot.task_ids
    apart = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return float(np.mean(ids[apart.argmin(axis=1)] % GROUPS == ids % GROUPS))
