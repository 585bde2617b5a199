"""The demo's person: makes projects, imports tasks and labels them through Label Studio's API, as a browser would."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from ml_backend.data.label_config import LabelSchema
from ml_backend.errors import LabelStudioRefused, LabelStudioUnreachable
from ml_backend.label_studio.api import LabelStudioApi

IMPORT_BATCH = 500
PAGE = 300
READ_SECONDS = 120.0
BUSY_SECONDS = 90.0
"""For how long a submission is tried again."""
AGAIN_SECONDS = 1.0

Json = dict[str, Any]


class Annotator:
    """One user of one Label Studio. Errors are those of `LabelStudioClient.send`."""

    def __init__(self, api: LabelStudioApi) -> None:
        self.api = api

    def make_project(self, title: str, label_config: str) -> int:
        """A new project; its id."""
        return int(self.api.create_project({"title": title, "label_config": label_config})["id"])

    def import_tasks(self, project: int, data: Sequence[Mapping[str, object]]) -> Iterator[list[int]]:
        """Ids of the new tasks, batch by batch, in the order of `data`."""
        path = f"/api/projects/{project}/import?return_task_ids=true"
        for start in range(0, len(data), IMPORT_BATCH):
            tasks = [{"data": dict(one)} for one in data[start : start + IMPORT_BATCH]]
            answer = self.api.client.send("POST", path, json=tasks, seconds=READ_SECONDS)
            yield [int(number) for number in answer.body["task_ids"]]

    def next_task(self, project: int) -> Json | None:
        """What Label Studio's "Label All Tasks" shows next; None when everything is labelled."""
        body = self.api.client.get(f"/api/projects/{project}/next").body
        return body if isinstance(body, dict) and "id" in body else None

    def queue(self, project: int, tab: str, size: int) -> list[int]:
        """Ids of the first tasks of a Data Manager tab, in its order; none when there is no such tab."""
        view = next((v["id"] for v in self.api.views(project) if v.get("data", {}).get("title") == tab), None)
        if view is None:
            return []
        params = {"project": project, "view": view, "page": 1, "page_size": size, "fields": "task_only"}
        body = self.api.client.get("/api/tasks/", params=params, seconds=READ_SECONDS).body
        return [int(task["id"]) for task in body["tasks"]]

    def annotate(self, task: int, result: Sequence[Json], *, skip: bool = False) -> int:
        """Submit an annotation (skip: as skipped); its id."""
        path = f"/api/tasks/{task}/annotations/"
        body = {"result": list(result), "was_cancelled": skip, "lead_time": 1.0, "unique_id": str(uuid.uuid4())}
        try:
            return int(self._submit("POST", path, body)["id"])
        except LabelStudioRefused as error:
            if error.http_status != HTTPStatus.CONFLICT:
                raise
            there = self.api.client.get(path).body  # the answer to the first try was lost, not the annotation
            return next(int(one["id"]) for one in there if one["unique_id"] == body["unique_id"])

    def change(self, annotation: int, result: Sequence[Json]) -> None:
        """Update an annotation."""
        self._submit("PATCH", f"/api/annotations/{annotation}/", {"result": list(result)})

    def delete(self, annotation: int) -> None:
        """Delete an annotation."""
        try:
            self._submit("DELETE", f"/api/annotations/{annotation}/", None)
        except LabelStudioRefused as error:
            if error.http_status != HTTPStatus.NOT_FOUND:
                raise

    def _submit(self, method: str, path: str, body: Json | None) -> Any:
        """Again and again, as a person would, while Label Studio's SQLite is busy with something else."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return self.api.client.send(method, path, json=body).body
            except LabelStudioUnreachable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(AGAIN_SECONDS)

    def tasks(self, project: int) -> Iterator[list[Json]]:
        """All tasks with annotations and predictions, page by page."""
        page = 0
        while True:
            page += 1
            found = self.api.task_page(project, page, PAGE, full=True).tasks
            if found:
                yield found
            if len(found) < PAGE:
                return


def regions(schema: LabelSchema, answers: Mapping[str, Sequence[str]]) -> list[Json]:
    """An annotation's result from the choices of each control; a control without an answer has no region."""
    return [
        {
            "from_name": control.name,
            "to_name": control.to_name,
            "type": control.result_type,
            "value": {control.result_type: [list(control.paths[c]) if control.paths else c for c in chosen]},
        }
        for control in schema.controls
        if (chosen := answers.get(control.name, ()))
    ]
