"""The calls that Lantern makes to Label Studio 1.23, each checked against a running one. What comes back is not
trusted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from ml_backend.errors import LabelStudioError, LabelStudioRefused
from ml_backend.label_studio.client import LabelStudioClient
from ml_backend.label_studio.contract import parse_id, project_uid
from ml_backend.label_studio.once import made_once

IMPORT_SECONDS = 600.0
"""Longest wait for one bulk import: Label Studio recounts every task of the project before it answers."""
DELETE_SECONDS = 900.0
"""Longest wait for the deletion of a version, about 200 predictions a second."""
PAGE_SECONDS = 180.0
ANNOTATION_SECONDS = 30.0
"""Longest wait for one annotation: Label Studio calls the project's webhooks before it answers."""
EXPORT_IDS = 100
"""Task ids in one export call: they stand in its address, whose length servers limit."""

Json = dict[str, Any]


@dataclass(frozen=True)
class TaskPage:
    """One page of tasks. total: how many tasks the project has in all."""

    tasks: list[Json]
    total: int
    date: float | None


class LabelStudioApi:
    """Typed calls over one client. Errors are those of `LabelStudioClient.send`, and LabelStudioError for a wrong
    shape."""

    def __init__(self, client: LabelStudioClient) -> None:
        self.client = client

    @property
    def url(self) -> str:
        """Base address."""
        return self.client.url

    def version(self) -> str:
        """Label Studio's release, such as 1.23.2. Raises LabelStudioError where something else answers."""
        try:
            return str(_object(self.client.get("/api/version"), "/api/version").get("release", "?"))
        except LabelStudioRefused as error:
            if error.http_status != HTTPStatus.NOT_FOUND:
                raise
            raise LabelStudioError(f"what answers at {self.url} is no Label Studio: it has no /api/version") from error

    def lacks_project(self, number: int) -> bool:
        """Whether Label Studio says that there is no such project: itself, not a proxy in front of it."""
        try:
            self.project(number)
        except LabelStudioRefused as error:
            if not _says_missing(error):
                raise
            self.version()
            return True
        return False

    def whoami(self) -> Json:
        """The token's owner."""
        return _object(self.client.get("/api/current-user/whoami"), "whoami")

    def project(self, number: int) -> Json:
        """The project, with `uid` added."""
        found = _object(self.client.get(f"/api/projects/{number}/"), "the project")
        uid = project_uid(found)
        if uid is None or parse_id(found.get("id")) != number:
            raise LabelStudioError(f"the answer to /api/projects/{number}/ is no project: is this Label Studio?")
        return {**found, "uid": uid}

    def projects(self) -> list[Json]:
        """All projects that the token's owner sees, newest first."""
        body = self.client.get("/api/projects/", params={"page_size": 1000}).body
        return _objects(body.get("results") if isinstance(body, dict) else body, "the projects")

    def create_project(self, fields: Mapping[str, object]) -> Json:
        """A new project, with `uid` added. fields: title and label_config, and others."""

        def is_it(one: Json) -> bool:
            same = all(one.get(name) == fields[name] for name in ("title", "label_config"))
            return same and not one.get("task_number")

        path = "/api/projects/"
        made = made_once(
            lambda: _object(self.client.send("POST", path, json=dict(fields)), "the project"),
            lambda: next(filter(is_it, self.projects()), None),
        )
        return self.project(parse_id(made.get("id")) or 0)

    def update_project(self, number: int, changes: Mapping[str, object]) -> Json:
        """PATCH of the project."""
        return _object(self.client.send("PATCH", f"/api/projects/{number}/", json=dict(changes)), "the project")

    def task_page(
        self, number: int, page: int, size: int, *, query: Json | None = None, full: bool = False
    ) -> TaskPage:
        """Page 1, 2, ... of the tasks, by id. full: with annotations and predictions. Past the end: no tasks."""
        params: dict[str, str | int | list[int]] = {
            "project": number,
            "page": page,
            "page_size": size,
            "resolve_uri": "false",
            "fields": "all" if full else "task_only",
        }
        if query is not None:
            params["query"] = json.dumps(query)
        try:
            answer = self.client.get("/api/tasks/", params=params, seconds=PAGE_SECONDS)
        except LabelStudioRefused as error:
            if error.http_status == HTTPStatus.NOT_FOUND and page > 1:
                return TaskPage([], 0, None)
            raise
        body = _object(answer, "the tasks")
        total = body.get("total")
        if not isinstance(total, int):
            raise LabelStudioError(f"page {page} of the tasks of project {number} tells no total")
        return TaskPage(_objects(body.get("tasks"), "the tasks"), total, answer.date)

    def full_tasks(self, number: int, task_ids: Sequence[int]) -> Iterator[Json]:
        """The tasks with these ids with all their annotations in full, skipped ones too.

        Raises LabelStudioError when one is missing: a task without annotations comes all the same.
        """
        for start in range(0, len(task_ids), EXPORT_IDS):
            asked = list(task_ids[start : start + EXPORT_IDS])
            params: dict[str, str | int | list[int]] = {
                "exportType": "JSON",
                "download_all_tasks": "true",
                "download_resources": "false",
                "ids[]": asked,
            }
            answer = self.client.get(f"/api/projects/{number}/export", params=params, seconds=PAGE_SECONDS)
            found = _objects(answer.body, "the export")
            missing = set(asked) - {task.get("id") for task in found}
            if missing:
                raise LabelStudioError(f"the export of project {number} lacks {len(missing)} tasks that were asked for")
            yield from found

    def create_task(self, number: int, data: Mapping[str, object]) -> int:
        """A new task of the project; its id."""
        params: dict[str, str | int | list[int]] = {"return_task_ids": "true"}
        path = f"/api/projects/{number}/import"
        body = _object(self.client.send("POST", path, params=params, json=[{"data": dict(data)}]), "the import")
        ids = body.get("task_ids")
        made = parse_id(ids[0]) if isinstance(ids, list) and ids else None
        if made is None:
            raise LabelStudioError(f"the answer to {path} does not name the task that was made")
        return made

    def task(self, task: int) -> Json:
        """The task with its annotations and drafts."""
        return _object(self.client.get(f"/api/tasks/{task}/"), "the task")

    def update_task(self, task: int, data: Mapping[str, object]) -> None:
        """PATCH of a task: `data` is replaced as a whole."""
        self.client.send("PATCH", f"/api/tasks/{task}/", json={"data": dict(data)})

    def delete_task(self, task: int) -> None:
        """Remove a task and all that belongs to it."""
        self._delete(f"/api/tasks/{task}/")

    def create_annotation(self, task: int, fields: Mapping[str, object]) -> Json:
        """A new annotation of the token's owner. 409 (LabelStudioRefused): its `unique_id` is there already; 404: the
        task is not.
        """
        path = f"/api/tasks/{task}/annotations/"
        return _object(self.client.send("POST", path, json=dict(fields), seconds=ANNOTATION_SECONDS), "the annotation")

    def update_annotation(self, annotation: int, fields: Mapping[str, object]) -> Json:
        """PATCH of an annotation."""
        path = f"/api/annotations/{annotation}/"
        return _object(self.client.send("PATCH", path, json=dict(fields), seconds=ANNOTATION_SECONDS), "the annotation")

    def delete_annotation(self, annotation: int) -> None:
        """One annotation; it may be gone already."""
        self._delete(f"/api/annotations/{annotation}/")

    def annotation(self, annotation: int) -> Json | None:
        """One annotation; None when Label Studio says that it is not there."""
        try:
            return _object(self.client.get(f"/api/annotations/{annotation}/"), "the annotation")
        except LabelStudioRefused as error:
            if not _says_missing(error):
                raise
            return None

    def annotations_of(self, number: int, task: int) -> list[Json]:
        """All annotations of a task of project `number`; none when there is no such task. Only the export shows skipped
        ones, and the `unique_id` that they were sent with.
        """
        params: dict[str, str | int | list[int]] = {
            "exportType": "JSON",
            "download_all_tasks": "true",
            "download_resources": "false",
            "ids[]": [task],
        }
        answer = self.client.get(f"/api/projects/{number}/export", params=params, seconds=PAGE_SECONDS)
        given = [found.get("annotations") for found in _objects(answer.body, "the export") if found.get("id") == task]
        return [one for of_task in given for one in _objects(of_task, "the annotations of a task")]

    def import_predictions(self, number: int, items: Sequence[Mapping[str, object]]) -> int:
        """Bulk import; how many predictions Label Studio made. All or nothing of one call is stored."""
        path = f"/api/projects/{number}/import/predictions"
        body = _object(self.client.send("POST", path, json=list(items), seconds=IMPORT_SECONDS), "the import")
        created = body.get("created")
        if not isinstance(created, int):
            raise LabelStudioError(f"the answer to {path} does not say how many predictions were made")
        return created

    def model_versions(self, number: int) -> dict[str, int]:
        """Predictions by model version."""
        path = f"/api/projects/{number}/model-versions/"
        body = _object(self.client.get(path, seconds=PAGE_SECONDS), "the model versions")
        return {str(version): count for version, count in body.items() if isinstance(count, int)}

    def delete_model_version(self, number: int, version: str) -> None:
        """All predictions of one version, in one transaction."""
        path = f"/api/projects/{number}/model-versions/"
        self.client.send("DELETE", path, json={"model_version": version}, seconds=DELETE_SECONDS)

    def delete_prediction(self, prediction: int) -> None:
        """One prediction; it may be gone already."""
        self._delete(f"/api/predictions/{prediction}/")

    def backends(self, number: int) -> list[Json]:
        """ML backends of the project. Label Studio calls /health and /setup of each before it answers."""
        return _objects(self.client.get("/api/ml", params={"project": number}).body, "the ML backends")

    def create_backend(self, fields: Mapping[str, object]) -> Json:
        """Attach an ML backend."""
        return _object(self.client.send("POST", "/api/ml", json=dict(fields)), "the ML backend")

    def update_backend(self, backend: int, fields: Mapping[str, object]) -> Json:
        """PATCH; the fields must hold `url` and `project`, or Label Studio's check fails."""
        return _object(self.client.send("PATCH", f"/api/ml/{backend}", json=dict(fields)), "the ML backend")

    def delete_backend(self, backend: int) -> None:
        """Detach; its webhook stays."""
        self._delete(f"/api/ml/{backend}")

    def webhooks(self, number: int) -> list[Json]:
        """Webhooks of the project."""
        return _objects(self.client.get("/api/webhooks/", params={"project": number}).body, "the webhooks")

    def create_webhook(self, fields: Mapping[str, object]) -> Json:
        """A new webhook. fields: project and url, and others."""
        project, url = int(str(fields["project"])), fields["url"]
        return made_once(
            lambda: _object(self.client.send("POST", "/api/webhooks/", json=dict(fields)), "the webhook"),
            lambda: next((hook for hook in self.webhooks(project) if hook.get("url") == url), None),
        )

    def update_webhook(self, webhook: int, fields: Mapping[str, object]) -> Json:
        """PATCH of a webhook."""
        return _object(self.client.send("PATCH", f"/api/webhooks/{webhook}/", json=dict(fields)), "the webhook")

    def delete_webhook(self, webhook: int) -> None:
        """Remove a webhook."""
        self._delete(f"/api/webhooks/{webhook}/")

    def views(self, number: int) -> list[Json]:
        """Tabs of the project's Data Manager."""
        return _objects(self.client.get("/api/dm/views/", params={"project": number}).body, "the tabs")

    def create_view(self, number: int, data: Mapping[str, object]) -> Json:
        """A new tab. data: its title, and others."""
        body = {"project": number, "data": dict(data)}
        return made_once(
            lambda: _object(self.client.send("POST", "/api/dm/views/", json=body), "the tab"),
            lambda: next((view for view in self.views(number) if _title(view) == data["title"]), None),
        )

    def update_view(self, view: int, number: int, data: Mapping[str, object]) -> Json:
        """PATCH of a tab: `data` is replaced as a whole."""
        body = {"project": number, "data": dict(data)}
        return _object(self.client.send("PATCH", f"/api/dm/views/{view}/", json=body), "the tab")

    def delete_view(self, view: int) -> None:
        """Remove a tab."""
        self._delete(f"/api/dm/views/{view}/")

    def _delete(self, path: str) -> None:
        """What is gone already is as good as deleted."""
        try:
            self.client.send("DELETE", path)
        except LabelStudioRefused as error:
            if error.http_status != HTTPStatus.NOT_FOUND:
                raise


def _says_missing(error: LabelStudioRefused) -> bool:
    """Label Studio says so of projects, tasks and annotations with a `detail`; of other things it does not always."""
    return error.http_status == HTTPStatus.NOT_FOUND and error.has_detail


def _title(view: Json) -> object:
    data = view.get("data")
    return data.get("title") if isinstance(data, dict) else None


def _object(answer: Any, what: str) -> Json:
    body = answer.body
    if not isinstance(body, dict):
        raise LabelStudioError(f"Label Studio's answer for {what} is no JSON object")
    return body


def _objects(value: object, what: str) -> list[Json]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise LabelStudioError(f"Label Studio's answer for {what} is no list of objects")
    return value
