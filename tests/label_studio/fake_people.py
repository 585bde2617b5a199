"""The played Label Studio with people who write annotations: what one of them may and may not do, on demand."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.client import LabelStudioClient
from tests.label_studio.fake import FakeLabelStudio

Json = dict[str, Any]

ANN, BOB = "a" * 40, "b" * 40


@dataclass
class FakeWithPeople(FakeLabelStudio):
    """Each person has a legacy token. Annotations are kept as Label Studio shows them in an export."""

    people: dict[str, Json] = field(
        default_factory=lambda: {
            ANN: {"id": 1, "first_name": "Ann", "last_name": "Lee", "email": "ann@ls.test"},
            BOB: {"id": 2, "first_name": "", "last_name": "", "email": "bob@ls.test"},
        }
    )
    strangers: set[str] = field(default_factory=set)
    seconds: int = 0
    next_id: int = 1001
    lock: threading.RLock = field(default_factory=threading.RLock)

    def api_at(self, url: str, token: str) -> LabelStudioApi:
        transport = httpx.MockTransport(lambda request: self.answer(request))
        return LabelStudioApi(LabelStudioClient(url, token, transport=transport))

    def posts(self) -> Counter[str]:
        return Counter(call for call in self.calls if "/annotations" in call)

    def of(self, person: int) -> dict[int, Json]:
        """Annotations of a person, by task."""
        return {a["task"]: a for a in self.annotations.values() if a["completed_by"] == person}

    def labels(self) -> dict[int, list[str]]:
        """Choices of the control c by task, skipped annotations left out."""
        return {
            a["task"]: [c for r in a["result"] if r["from_name"] == "c" for c in r["value"]["choices"]]
            for a in self.annotations.values()
            if not a["was_cancelled"]
        }

    def answer(self, request: httpx.Request) -> httpx.Response:
        with self.lock:
            return super().answer(request) if self._is_old(request) else self._answer(request)

    def _is_old(self, request: httpx.Request) -> bool:
        path = request.url.path
        return "/annotations/" not in path and not path.endswith("whoami") and path != self._project_path

    @property
    def _project_path(self) -> str:
        return f"/api/projects/{self.project['id']}/"

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.calls.append(f"{request.method} {path}")
        early = self.before(request) if self.before else None
        if early is not None:
            return early
        token = request.headers["authorization"].removeprefix("Token ")
        who = self.people.get(token)
        if who is None:
            return httpx.Response(401, json={"detail": "Invalid token."})
        if path.endswith("whoami"):
            return httpx.Response(200, json=who)
        if token in self.strangers:
            return httpx.Response(404, json={"detail": "Not found."})
        body = json.loads(request.content) if request.content else {}
        if path == self._project_path:
            self.project |= body
            return httpx.Response(200, json=self.project)
        number = int(path.split("/")[3])
        return self._create(who, number, body) if path.startswith("/api/tasks/") else self._edit(request, number, body)

    def _create(self, who: Json, task: int, body: Json) -> httpx.Response:
        if task not in self.tasks:
            return httpx.Response(404, json={"detail": "Not found."})
        if any(a.get("unique_id") == body["unique_id"] for a in self.annotations.values()):
            return httpx.Response(409, json={"detail": "Annotation with this unique id already exists"})
        number = self.next_id
        self.next_id += 1
        self.annotations[number] = {
            "id": number,
            "task": task,
            "completed_by": who["id"],
            "was_cancelled": body["was_cancelled"],
            "result": body["result"],
            "unique_id": body["unique_id"],
            "updated_at": self.now(),
        }
        shown = {key: value for key, value in self.annotations[number].items() if key != "unique_id"}
        return httpx.Response(201, json=shown)

    def _edit(self, request: httpx.Request, number: int, body: Json) -> httpx.Response:
        if number not in self.annotations:
            return httpx.Response(404, json={"detail": "Not found."})
        if request.method == "GET":
            return httpx.Response(200, json=self.annotations[number])
        if request.method == "DELETE":
            del self.annotations[number]
            return httpx.Response(204)
        self.annotations[number] |= body | {"updated_at": self.now()}
        return httpx.Response(200, json=self.annotations[number])

    def now(self) -> str:
        self.seconds += 1
        return f"2026-11-22T23:{self.seconds // 60:02}:{self.seconds % 60:02}Z"
