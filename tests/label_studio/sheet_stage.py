"""A map of five tasks, and the Label Studio project with its sheets, played."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from ml_backend.config import Settings
from ml_backend.engine.given_labels import given_labels
from ml_backend.engine.layout_files import PlacedItems, layout_folder, save_places
from ml_backend.engine.picture import HEIGHT, WIDTH, to_percent
from ml_backend.engine.snapshot import NO_TASK
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.client import LabelStudioClient
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.service import LanternService
from ml_backend.label_studio.sheet_connect import show_sheets
from ml_backend.label_studio.sheet_duty import SheetDuty
from ml_backend.label_studio.sheet_link import SheetLink, link_of
from ml_backend.store import layouts, projects
from ml_backend.store.database import Database
from ml_backend.store.tables import Project
from tests.label_studio.conftest import CONFIG, UID, project_row

CREATED = "2026-11-22T22:54:14.296374Z"
NUMBER = 8
SHEETS_UID = "8.1795388054"
TASKS = [11, 12, 13, NO_TASK, 15]
LEFT_TO_RIGHT = np.array([[-0.8, 0], [-0.4, 0], [0.0, 0], [0.4, 0], [0.8, 0]], np.float32)


class Played:
    """The Label Studio project with the sheets. `failure` may lose the answer to a call that was carried out."""

    def __init__(self) -> None:
        self.project: dict[str, Any] | None = None
        self.tasks: dict[int, dict[str, Any]] = {}
        self.annotations: dict[int, dict[str, Any]] = {}
        self.hooks: dict[int, dict[str, Any]] = {}
        self.ids = itertools.count(500)
        self.failure: Callable[[httpx.Request], None] = lambda request: None
        self.api = LabelStudioApi(
            LabelStudioClient("http://ls.test", "0" * 40, transport=httpx.MockTransport(self.answer))
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        method, parts = request.method, request.url.path.strip("/").split("/")[1:]
        reply = getattr(self, f"_{method.lower()}_{parts[0]}")(parts[1:], body, request.url.params)
        self.failure(request)
        return httpx.Response(404 if reply is None else 200, json={"detail": "Not found."} if reply is None else reply)

    def _post_projects(self, rest: list[str], body: Any, _: Any) -> Any:
        if not rest:
            self.project = {"id": NUMBER, "created_at": CREATED, **body}
            return self.project
        task = next(self.ids)
        self.tasks[task] = body[0]["data"]
        return {"task_ids": [task]}

    def _get_projects(self, rest: list[str], _body: Any, params: Any) -> Any:
        if self.project is None or rest[0] != str(NUMBER):
            return None
        return [self.full(int(n)) for n in params.get_list("ids[]")] if rest[1:] == ["export"] else self.project

    def _patch_projects(self, _rest: list[str], body: Any, _: Any) -> Any:
        assert self.project is not None
        self.project |= body
        return self.project

    def _get_version(self, _rest: list[str], _body: Any, _: Any) -> Any:
        return {"release": "1.23.2"}

    def _get_tasks(self, rest: list[str], _body: Any, params: Any) -> Any:
        if self.project is None:
            return None
        if rest and rest[0]:
            return self.full(int(rest[0]))
        if params["page"] != "1":
            return None
        return {"tasks": [self.full(n) for n in self.tasks], "total": len(self.tasks)}

    def _patch_tasks(self, rest: list[str], body: Any, _: Any) -> Any:
        self.tasks[int(rest[0])] = body["data"]
        return {}

    def _delete_tasks(self, rest: list[str], _body: Any, _: Any) -> Any:
        del self.tasks[int(rest[0])]
        return {}

    def _get_webhooks(self, _rest: list[str], _body: Any, _: Any) -> Any:
        return list(self.hooks.values())

    def _post_webhooks(self, _rest: list[str], body: Any, _: Any) -> Any:
        self.hooks[1] = {"id": 1, **body}
        return self.hooks[1]

    def _delete_webhooks(self, rest: list[str], _body: Any, _: Any) -> Any:
        return self.hooks.pop(int(rest[0]), None)

    def full(self, task: int) -> dict[str, Any]:
        given = [a for a in self.annotations.values() if a["task"] == task]
        return {"id": task, "data": self.tasks[task], "annotations": given, "drafts": []}


class PlayedConnections(Connections):
    """Every project lives in the played Label Studio."""

    def __init__(self, settings: Settings, played: Played) -> None:
        super().__init__(settings)
        self._played = played

    def api(self, project: Project) -> LabelStudioApi:
        return self._played.api


class Stage:
    """Both projects, connected, and the worker's duty."""

    def __init__(self, db: Database, settings: Settings, service: LanternService) -> None:
        self.db, self.settings, self.service = db, settings, service
        self.played = Played()
        with db.write() as session:
            connection = {"url": "http://ls.test", "connected": True}
            project = projects.ensure(session, UID)
            projects.configure(session, project, label_config=CONFIG, title="Alerts " * 9, connection=connection)
        self.duty = SheetDuty(db, settings, PlayedConnections(settings, self.played))

    def connect(self) -> SheetLink:
        show_sheets(self.db, self.settings, self.played.api, project_row(self.db), "http://lantern.test:9090")
        link = link_of(project_row(self.db))
        assert link is not None
        return link

    def move(self, xy: NDArray[np.float32]) -> None:
        """A layout of the map."""
        project = project_row(self.db)
        places = PlacedItems(np.array(TASKS, np.int64), xy)
        path = save_places(layout_folder(self.db, project), f"layout-{time.time_ns()}", places)
        with self.db.write() as session:
            layouts.add(
                session, project, kind="pca", publication_number=1, description_path="d",
                path=str(path.relative_to(self.db.path.parent)), items=5, fitted_to="d", fitted_items=5, fitted_at=0.0,
                now=0.0,
            )  # fmt: skip

    def work(self) -> int:
        """How often the duty was due."""
        for times in range(10):
            if not self.duty.due(UID):
                return times
            self.duty.run(UID)
        raise AssertionError("the duty never rests")

    def draw(self, task: int, until: float, label: str = "a", second: int = 0, annotation: int = 70) -> dict[str, Any]:
        """A rectangle from the left edge of the sheet to this x; what the sheet shows lies from -1 to 1."""
        width = to_percent(np.array([[until, 0.0]]))[0, 0]
        value = {"x": 0, "y": 0, "width": width, "height": 100, "rotation": 0, "rectanglelabels": [label]}
        region: dict[str, object] = {"type": "rectanglelabels", "from_name": "rectangle", "to_name": "map"}
        region |= {"value": value, "original_width": WIDTH, "original_height": HEIGHT, "image_rotation": 0}
        made = {"id": annotation, "task": task, "completed_by": 4, "was_cancelled": False, "result": [region]}
        self.played.annotations[annotation] = made | {"updated_at": f"2026-11-22T22:55:{second:02}Z"}
        return self.played.annotations[annotation]

    def post(self, action: str, **what: Any) -> None:
        self.service.webhook({"action": action, "project": {"id": NUMBER, "created_at": CREATED}, **what})

    def labels(self) -> dict[int | None, str]:
        with self.db.read() as session:
            given = given_labels(session, project_row(self.db))
        assert {label.annotator for label in given} <= {"4"}
        return {label.task_id: label.result[0]["value"]["choices"][0] for label in given}
