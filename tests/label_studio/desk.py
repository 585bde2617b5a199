"""People at the map of one project, in front of a played Label Studio."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from ml_backend.config import Settings
from ml_backend.engine.given_labels import GivenLabel, given_labels
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.events import read_event, record_event
from ml_backend.label_studio.map_acts import Acted, MapActs
from ml_backend.label_studio.outbox import Outbox
from ml_backend.label_studio.people import People, SignedIn
from ml_backend.store import outbox, projects, tasks
from ml_backend.store.database import Database
from ml_backend.store.outbox import Counts
from ml_backend.store.tables import Project
from tests.label_studio.conftest import RICH_CONFIG, UID, NothingPublished
from tests.label_studio.fake_people import ANN, FakeWithPeople

Before = Callable[[httpx.Request], httpx.Response | None]


@dataclass
class Desk:
    """One process of Lantern. A second one on the same database stands for another process."""

    db: Database
    settings: Settings
    fake: FakeWithPeople = field(default_factory=FakeWithPeople)
    n_tasks: int = 20
    asleep: bool = False

    def __post_init__(self) -> None:
        self.fake.project["label_config"] = RICH_CONFIG
        self.fake.add_tasks(*range(1, self.n_tasks + 1))
        with self.db.write() as session:
            project = projects.ensure(session, UID)
            connection = {"url": "http://ls.test", "connected": True}
            projects.configure(session, project, label_config=RICH_CONFIG, connection=connection)
            rows = [(number, {"text": str(number)}) for number in self.fake.tasks]
            projects.touch_data(session, project, tasks.upsert_many(session, project, rows), 1.0)
        self.people = People(Connections(self.settings), api_at=self.fake.api_at)
        self.sender = Outbox(self.db, on_refused=self.people.forget)
        self.acts = MapActs(self.db, NothingPublished(), self)

    def wake(self, project: Project, who: SignedIn) -> None:
        """As the sender, when it is not asleep."""
        if not self.asleep:
            self.sender.wake(project, who)

    def who(self, token: str = ANN) -> SignedIn:
        return self.people.check(self.row(), token)

    def label(self, label: str, numbers: Sequence[int], control: str = "c", token: str = ANN, **options: bool) -> Acted:
        return self.acts.label(UID, self.who(token), control, label, list(numbers), **options)

    def undo(self, acted: Acted, token: str = ANN) -> Acted:
        return self.acts.undo(UID, self.who(token), acted.act.id)

    def redo(self, acted: Acted, token: str = ANN) -> Acted:
        return self.acts.redo(UID, self.who(token), acted.act.id)

    def row(self) -> Project:
        with self.db.read() as session:
            return projects.ensure(session, UID)

    def given(self) -> list[GivenLabel]:
        with self.db.read() as session:
            return given_labels(session, self.row())

    def labels(self) -> dict[int | None, list[str]]:
        """Choices of the control c that count now, by task; a task that is counted twice fails."""
        given = self.given()
        assert len({label.task_id for label in given}) == len(given), "a label is counted twice"
        return {
            label.task_id: [c for r in label.result if r["from_name"] == "c" for c in r["value"]["choices"]]
            for label in given
        }

    def counts(self) -> Counts:
        with self.db.read() as session:
            return outbox.counts(session, self.row())

    def sent(self, seconds: float = 20.0) -> Counts:
        """Once nothing waits any more."""
        return self.until(lambda: self.counts().waiting == 0, seconds)

    def until(self, is_so: Callable[[], bool], seconds: float = 20.0) -> Counts:
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, f"it did not happen: {self.counts()}, {self.errors()}"
            time.sleep(0.01)
        return self.counts()

    def errors(self) -> list[str | None]:
        return [acted.progress.error for acted in self.acts.list_newest(UID, 10)]

    def webhook(self, action: str, **items: Any) -> None:
        """What Label Studio says of a change, as if it were its webhook."""
        body = {"action": action, "project": {"id": 3, "created_at": self.fake.project["created_at"]}, **items}
        with self.db.write() as session:
            record_event(session, read_event(body, time.time()), time.time())

    def tell_before_answering(self) -> None:
        """Label Studio calls its webhooks before it answers whoever made the change."""
        fake, within = self.fake, list[bool]()

        def before(request: httpx.Request) -> httpx.Response | None:
            if within or request.method == "GET" or "/annotations/" not in request.url.path:
                return None
            within.append(True)
            answer = fake.answer(request)
            within.clear()
            fake.calls.pop()
            if answer.status_code == 204:
                self.webhook("ANNOTATIONS_DELETED", annotations=[{"id": int(request.url.path.split("/")[3])}])
            elif answer.is_success:
                action = "ANNOTATION_CREATED" if request.method == "POST" else "ANNOTATION_UPDATED"
                self.webhook(action, annotation=json.loads(answer.content))
            return answer

        fake.before = before

    def close(self) -> None:
        self.sender.stop()
