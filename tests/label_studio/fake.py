"""A Label Studio in memory for what a real one does not do on demand: die, lose, drop, lie. See test_live_*."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.client import LabelStudioClient
from tests.label_studio.conftest import CONFIG

CREATED = "2026-11-22T22:54:14.296374Z"


@dataclass
class FakeLabelStudio:
    """One project with tasks, annotations and predictions. `before` may answer or break any call first."""

    project: dict[str, Any] = field(
        default_factory=lambda: {
            "id": 3,
            "created_at": CREATED,
            "label_config": CONFIG,
            "title": "p",
            "model_version": "",
        }
    )
    tasks: dict[int, dict[str, Any]] = field(default_factory=dict)
    annotations: dict[int, dict[str, Any]] = field(default_factory=dict)
    predictions: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    before: Callable[[httpx.Request], httpx.Response | None] | None = None
    drop: Callable[[dict[str, Any]], bool] = lambda item: False

    def api(self) -> LabelStudioApi:
        return LabelStudioApi(LabelStudioClient("http://ls.test", "0" * 40, transport=httpx.MockTransport(self.answer)))

    def add_tasks(self, *numbers: int) -> None:
        self.tasks |= {n: {"text": f"text {n}"} for n in numbers}

    def annotate(self, number: int, task: int, label: str, second: int = 0, **changes: Any) -> dict[str, Any]:
        self.annotations[number] = {
            "id": number,
            "task": task,
            "completed_by": 1,
            "was_cancelled": False,
            "updated_at": f"2026-11-22T22:55:{second:02}Z",
            "result": [{"from_name": "c", "to_name": "text", "type": "choices", "value": {"choices": [label]}}],
            **changes,
        }
        return self.annotations[number]

    def versions(self) -> dict[str, int]:
        return dict(Counter(p["model_version"] for p in self.predictions))

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.calls.append(f"{request.method} {path}")
        early = self.before(request) if self.before else None
        if early is not None:
            return early
        body = json.loads(request.content or b"null")
        own = f"/api/projects/{self.project['id']}"
        if path == "/api/version":
            return httpx.Response(200, json={"release": "1.23.2"})
        if path == f"{own}/":
            if request.method == "PATCH":
                self.project |= body
            return httpx.Response(200, json=self.project)
        if path == "/api/tasks/":
            return self._page(request)
        if path == f"{own}/export":
            return httpx.Response(200, json=[self._full(int(n)) for n in request.url.params.get_list("ids[]")])
        if path == f"{own}/import/predictions":
            return self._import(body)
        if path == f"{own}/model-versions/":
            if request.method == "DELETE":
                self.predictions = [p for p in self.predictions if p["model_version"] != body["model_version"]]
            return httpx.Response(200, json=self.versions())
        if request.method == "DELETE" and path.startswith("/api/predictions/"):
            number = int(path.split("/")[3])
            self.predictions = [p for p in self.predictions if p["id"] != number]
            return httpx.Response(204)
        return httpx.Response(404, json={"detail": "Not found."})

    def _page(self, request: httpx.Request) -> httpx.Response:
        page, size = int(request.url.params["page"]), int(request.url.params["page_size"])
        ids = sorted(self.tasks)
        wanted = json.loads(request.url.params.get("query", "{}")).get("filters", {}).get("items", [])
        for item in wanted:
            ids = [
                n for n in ids if any(p["task"] == n and item["value"] in p["model_version"] for p in self.predictions)
            ]
        shown = ids[(page - 1) * size : page * size]
        if not shown and page > 1:
            return httpx.Response(404, json={"detail": "Invalid page."})
        return httpx.Response(200, json={"tasks": [self._row(n) for n in shown], "total": len(ids)})

    def _row(self, number: int) -> dict[str, Any]:
        given = [a for a in self.annotations.values() if a["task"] == number]
        return {
            "id": number,
            "project": self.project["id"],
            "data": self.tasks[number],
            "total_annotations": sum(not a["was_cancelled"] for a in given),
            "cancelled_annotations": sum(a["was_cancelled"] for a in given),
            "predictions": [p for p in self.predictions if p["task"] == number],
        }

    def _full(self, number: int) -> dict[str, Any]:
        given = [a for a in self.annotations.values() if a["task"] == number]
        return {**self._row(number), "annotations": given}

    def _import(self, items: list[dict[str, Any]]) -> httpx.Response:
        for item in items:
            if item["task"] not in self.tasks:
                text = f'{item} contains invalid "task" field: corresponding task ID couldn\'t be retrieved'
                return httpx.Response(400, json={"validation_errors": {"non_field_errors": [text]}})
        kept = [item for item in items if not self.drop(item)]
        first = max((p["id"] for p in self.predictions), default=0) + 1
        self.predictions += [{**item, "id": first + i} for i, item in enumerate(kept)]
        return httpx.Response(201, json={"created": len(kept)})


def lost_answer(fake: FakeLabelStudio, path: str) -> Callable[[httpx.Request], httpx.Response | None]:
    """The first call to `path` is carried out and its answer lost."""
    pending = [True]

    def before(request: httpx.Request) -> httpx.Response | None:
        if request.url.path == path and pending and pending.pop():
            fake.before = None
            fake.answer(request)
            fake.before = before
            raise httpx.ReadTimeout("lost", request=request)
        return None

    return before
