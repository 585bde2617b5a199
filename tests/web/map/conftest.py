"""A real project of 60 tasks behind the whole app, labelled a little, worked on once for all tests of a module."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np
import pytest
from flask.testing import FlaskClient

from ml_backend.config import Settings
from ml_backend.engine.engine import Engine
from ml_backend.engine.project import ProjectEngine
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.events import read_event, record_event
from ml_backend.label_studio.link_keys import CONNECTION_KEY, digest
from ml_backend.label_studio.media_access import fetcher_factory
from ml_backend.label_studio.service import LanternService
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import projects, tasks
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.database import Database
from ml_backend.web.app import create_app
from ml_backend.web.map import MapContext

UID, OTHER = "5.1783600000", "6.1783600001"
KEY, OTHER_KEY = "key-of-project-five", "key-of-project-six"
WORDS = {"battery": "battery charge power empty phone", "network": "signal tower wifi router net"}
CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="kind" toName="text"><Choice value="battery"/><Choice value="network"/></Choices>
  <Choices name="topics" toName="text" choice="multiple"><Choice value="angry"/><Choice value="short"/></Choices>
</View>
"""
N_TASKS = 60


class Guards(TypedDict, total=False):
    """Settings that tests change: who gets in, and where Label Studio is."""

    basic_auth_user: str
    basic_auth_pass: str
    label_studio_url: str
    label_studio_browser_url: str


class MapWorld:
    """Two projects in one home; the first is trained and labelled."""

    def __init__(self, home: Path, **settings: Unpack[Guards]) -> None:
        self.settings = Settings(home=home, debounce_seconds=0.0, **settings)
        self.db = Database.open(home)
        connections = Connections(self.settings)
        self.engine = Engine(self.db, self.settings, fetcher_factory(self.settings, connections))
        self.worker = ProjectEngine(self.db, self.settings, self.engine.readers)
        self.maps = MapContext(self.settings, self.db, self.engine, connections)
        self.app = create_app(self.settings, LanternService(self.settings, self.db, self.engine), maps=self.maps)
        self.client: FlaskClient = self.app.test_client()

    def connect(self, uid: str, key: str) -> None:
        with self.db.write() as session:
            project = projects.ensure(session, uid)
            connection = {"url": "http://label.example:8080", "connected": True, CONNECTION_KEY: digest(key)}
            projects.configure(session, project, label_config=CONFIG, title=f"Project {uid}", connection=connection)

    def add_tasks(self, uid: str = UID, n: int = N_TASKS) -> None:
        rng = np.random.default_rng(0)
        kinds = [list(WORDS)[i % 2] for i in range(n)]
        rows = [(i + 1, {"text": f"{i}: " + " ".join(rng.choice(WORDS[k].split(), 4))}) for i, k in enumerate(kinds)]
        with self.db.write() as session:
            project = projects.ensure(session, uid)
            projects.touch_data(session, project, tasks.upsert_many(session, project, rows), time.time())

    def label(self, task_id: int, kind: str, *, annotation_id: int | None = None, annotator: str = "1") -> None:
        result = [{"from_name": "kind", "to_name": "text", "type": "choices", "value": {"choices": [kind]}}]
        row = AnnotationRow(annotation_id or task_id, task_id, annotator, result, False, time.time())
        with self.db.write() as session:
            project = projects.ensure(session, UID)
            projects.touch_labels(session, project, int(annotation_rows.apply(session, project, row)), time.time())

    def skip(self, task_id: int) -> None:
        """Somebody skipped it in Label Studio, which tells of it by its webhook."""
        skipped = {"id": 9000 + task_id, "task": task_id, "completed_by": 1, "was_cancelled": True, "result": []}
        self.tell("ANNOTATION_CREATED", annotation={**skipped, "updated_at": "2026-11-22T22:55:00Z"})

    def tell(self, action: str, **items: object) -> None:
        """A webhook of the first project."""
        created = datetime.fromtimestamp(int(UID.split(".")[1]), UTC).isoformat()
        body = {"action": action, "project": {"id": 5, "created_at": created}, **items}
        with self.db.write() as session:
            record_event(session, read_event(body, time.time()), time.time())

    def work(self, uid: str = UID) -> None:
        for _ in range(20):
            if not self.worker.due(uid):
                return
            self.worker.run(uid)
        raise AssertionError("the worker never finishes")

    def token(self, project: str = UID, key: str = KEY) -> str:
        reply = self.client.post(f"/map/{project}/api/session", json={"key": key})
        assert reply.status_code == 200, reply.text
        return str(reply.get_json()["token"])

    def headers(self, project: str = UID, key: str = KEY) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(project, key)}"}


def make_world(home: Path, **settings: Unpack[Guards]) -> MapWorld:
    """Project five with tasks, six labels and a model; project six with neither."""
    world = MapWorld(home, **settings)
    world.connect(UID, KEY)
    world.connect(OTHER, OTHER_KEY)
    world.add_tasks()
    for task_id in range(1, 7):
        world.label(task_id, list(WORDS)[(task_id - 1) % 2])
    world.work()
    return world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MapWorld]:
    """Guarded by a log-in; shared by a module's tests, which leave it as it is."""
    made = make_world(tmp_path_factory.mktemp("map"), basic_auth_user="ann", basic_auth_pass="password-1")
    yield made
    made.db.close()
