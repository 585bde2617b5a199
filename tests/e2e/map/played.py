"""The map's page on Lantern's real store and engine, with a Label Studio that is played in memory: ready at once,
however many tasks there are, and what others do there happens when a test says so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from ml_backend.demo.ports import free_port
from ml_backend.label_studio.map_acts import MapActs
from ml_backend.label_studio.outbox import Outbox
from ml_backend.label_studio.people import People
from ml_backend.store import projects
from tests.e2e.map.desk import WAIT_MILLISECONDS, Desk
from tests.label_studio.fake_people import FakeWithPeople
from tests.web.map.conftest import CONFIG, KEY, UID, MapWorld


class PlayedMap:
    """A project of texts of two kinds, alternately, without labels. A model of it is there."""

    def __init__(self, home: Path, points: int) -> None:
        self.world = world = MapWorld(home)
        world.connect(UID, KEY)
        world.add_tasks(n=points)
        with world.db.write() as session:
            projects.configure(session, projects.ensure(session, UID), extra_params={"epochs": 1})
        world.work()
        created = datetime.fromtimestamp(float(UID.partition(".")[2]), UTC).isoformat()
        self.fake = FakeWithPeople(project={"id": 5, "created_at": created, "label_config": CONFIG, "title": "p"})
        self.fake.add_tasks(*range(1, points + 1))
        people = People(world.maps.connections, api_at=self.fake.api_at)
        self.sender = Outbox(world.db, on_refused=people.forget)
        object.__setattr__(world.maps, "people", people)
        object.__setattr__(world.maps, "acts", MapActs(world.db, world.engine, self.sender))
        self.port = free_port()
        self._server = make_server("127.0.0.1", self.port, world.app, threaded=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @contextmanager
    def page(self, browser: Browser, width: int = 1280, height: int = 800) -> Iterator[Desk]:
        """The map in a window, with its points."""
        page: Page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
        page.set_default_timeout(WAIT_MILLISECONDS)
        page.goto(f"http://127.0.0.1:{self.port}/map/{UID}#key={KEY}")
        desk = Desk(page)
        desk.wait_until_ready()
        yield desk
        page.context.close()

    def delete(self, *tasks: int) -> None:
        """Somebody deletes tasks in Label Studio."""
        self.world.tell("TASKS_DELETED", tasks=[{"id": task} for task in tasks])
        self.world.work()

    def choose_config(self, label_config: str) -> None:
        """Somebody saves another label config in Label Studio."""
        self.fake.project["label_config"] = label_config
        with self.world.db.write() as session:
            projects.configure(session, projects.ensure(session, UID), label_config=label_config)
        self.world.work()

    def answer(self, task: int, kind: str) -> None:
        """Somebody labels a task in Label Studio."""
        result = [{"from_name": "kind", "to_name": "text", "type": "choices", "value": {"choices": [kind]}}]
        made = {"id": 5000 + task, "task": task, "completed_by": 2, "was_cancelled": False, "result": result}
        now = datetime.fromtimestamp(time.time(), UTC).isoformat()
        self.world.tell("ANNOTATION_CREATED", annotation={**made, "updated_at": now})

    def close(self) -> None:
        self.sender.stop()
        self._server.shutdown()
        self.world.db.close()
