"""A project in a store of its own, worked on by the real engine, without any server."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ml_backend.config import Settings
from ml_backend.data.media import Fetcher, MediaFetcher
from ml_backend.engine.engine import Engine
from ml_backend.engine.project import ProjectEngine
from ml_backend.engine.view import ProjectView
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import projects, tasks
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.database import Database

UID = "7.1795381627"
CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="kind" toName="text">
    <Choice value="battery"/><Choice value="network"/><Choice value="payment"/>
  </Choices>
</View>
"""


@dataclass
class World:
    """One home folder with one project; `work` does what the worker does."""

    home: Path
    settings: Settings
    fetch: Fetcher = field(default_factory=MediaFetcher)
    db: Database = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """As after a restart of the process: nothing but the folder is kept."""
        self.db = Database.open(self.home)
        self.engine = Engine(self.db, self.settings, lambda _project: self.fetch)
        self.worker = ProjectEngine(self.db, self.settings, self.engine.readers)

    def configure(self, label_config: str = CONFIG, **extra_params: object) -> None:
        with self.db.write() as session:
            project = projects.ensure(session, UID)
            projects.configure(session, project, label_config=label_config, extra_params=extra_params)

    def add_tasks(self, rows: Sequence[tuple[int, Mapping[str, object]]]) -> None:
        with self.db.write() as session:
            project = projects.ensure(session, UID)
            projects.touch_data(session, project, tasks.upsert_many(session, project, rows), time.time())

    def delete_tasks(self, ids: Sequence[int]) -> None:
        with self.db.write() as session:
            project = projects.ensure(session, UID)
            projects.touch_data(session, project, tasks.delete_many(session, project, ids), time.time())

    def label(self, task_id: int, label: str, *, annotation_id: int | None = None, annotator: str = "1") -> None:
        result = [{"from_name": "kind", "to_name": "text", "type": "choices", "value": {"choices": [label]}}]
        row = AnnotationRow(annotation_id or task_id, task_id, annotator, result, False, time.time())
        with self.db.write() as session:
            project = projects.ensure(session, UID)
            projects.touch_labels(session, project, int(annotation_rows.apply(session, project, row)), time.time())

    def work(self) -> int:
        """Until nothing is due; the number of steps."""
        steps = 0
        while self.worker.due(UID):
            self.worker.run(UID)
            steps += 1
            assert steps < 20, "the worker never finishes"
        return steps

    def view(self) -> ProjectView:
        view = self.engine.view(UID)
        assert view is not None, "nothing was published"
        return view


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "home", Settings(home=tmp_path / "home", debounce_seconds=0.0))
    yield world
    world.db.close()
