"""The wire of Label Studio 1.23: request bodies -> typed requests, predictions -> replies.

What Label Studio does with a reply decides its form. One entry a task, in order: a shorter list loses the whole batch.
An entry `[]` stores nothing (a task that could not be read). A dict is stored, and must hold a score in [0, 1] and a
model_version that is no null, or the whole page is refused. Regions are built from the label config of the same
request: a region that does not fit is stored and never shown. Nothing but result, score and model_version survives.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ml_backend.data.label_config import Control, LabelSchema
from ml_backend.engine.prediction import TaskPrediction
from ml_backend.errors import InputError

UNTRAINED_VERSION = "lantern-untrained"
"""`model_version` before the first publication: Label Studio refuses a null."""

Json = Mapping[str, object]
Entry = dict[str, object] | list[object]
"""One task's part of a /predict reply: a stored prediction, or `[]`."""


@dataclass(frozen=True)
class SetupRequest:
    """POST /setup. Label Studio's access_token is left where it is: nothing here keeps or shows it."""

    project: str
    label_config: str | None
    hostname: str | None
    extra_params: Json


@dataclass(frozen=True)
class IncomingTask:
    """One task of a /predict request. task_id None: the request gave no usable id. data None: no usable data."""

    task_id: int | None
    data: Json | None


@dataclass(frozen=True)
class PredictRequest:
    """POST /predict. label_config None: not sent, the project's own counts."""

    project: str
    label_config: str | None
    tasks: tuple[IncomingTask, ...]


def parse_setup(body: object) -> SetupRequest:
    """Raises InputError when the body is no object or names no project."""
    fields = _object(body)
    return SetupRequest(
        project=_project(fields.get("project")),
        label_config=_text(fields.get("schema")),
        hostname=_text(fields.get("hostname")),
        extra_params=parse_extra_params(fields.get("extra_params")),
    )


def parse_predict(body: object) -> PredictRequest:
    """Raises InputError when the body is no object, names no project, or `tasks` is no list; a broken task is none."""
    fields = _object(body)
    tasks = fields.get("tasks")
    if not isinstance(tasks, list):
        raise InputError("`tasks` must be a list of tasks")
    return PredictRequest(
        project=_project(fields.get("project")),
        label_config=_text(fields.get("label_config")),
        tasks=tuple(_task(task) for task in tasks),
    )


def parse_extra_params(value: object) -> Json:
    """The backend's "extra params": an object, or its JSON text; anything else is none."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def project_uid(project: object) -> str | None:
    """`id.created_ts` of a project as webhooks and the API show it; only `id` without a time; None without an id.

    The same rule as Label Studio's own uid in /setup and /predict: whole seconds of created_at.
    """
    if isinstance(project, Mapping):
        number, created = parse_id(project.get("id")), parse_time(project.get("created_at"))
    else:
        number, created = parse_id(project), None
    if number is None:
        return None
    return str(number) if created is None else f"{number}.{int(created)}"


def parse_id(value: object) -> int | None:
    """A row id: a whole number in 1..2^63-1, also as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63:
        return value
    return None


def parse_time(value: object) -> float | None:
    """Seconds since 1970 of an ISO time; a time without zone is UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _object(body: object) -> Json:
    if not isinstance(body, dict):
        raise InputError("the body must be a JSON object")
    return body


def _project(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise InputError("`project` must be Label Studio's project uid, such as 12.1795381627")
    return value.strip()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _task(task: object) -> IncomingTask:
    fields = task if isinstance(task, dict) else {}
    data = fields.get("data")
    return IncomingTask(parse_id(fields.get("id")), data if isinstance(data, dict) else None)


@dataclass
class Replies:
    """Builds entries for one label config and one version, and counts what it had to leave out.

    dropped: reason -> how often; a reason is also the counter's name.
    """

    schema: LabelSchema
    model_version: str
    dropped: Counter[str] = field(default_factory=Counter)

    def entry(self, prediction: TaskPrediction) -> Entry:
        """A dict that Label Studio stores, or `[]`, of which it stores nothing."""
        if not prediction.readable:
            self.dropped["unreadable"] += 1
            return []
        if not math.isfinite(prediction.score):
            self.dropped["score_not_finite"] += 1
            return []
        return {
            "result": [] if prediction.never_seen else self._regions(prediction),
            "score": unit(prediction.score),
            "model_version": self.model_version,
        }

    def import_item(self, prediction: TaskPrediction) -> dict[str, object] | None:
        """The same for the bulk import of predictions; None when there is nothing to store."""
        entry = self.entry(prediction)
        return {"task": prediction.task_id, **entry} if isinstance(entry, dict) else None

    def _regions(self, prediction: TaskPrediction) -> list[object]:
        built = (self._region(prediction, control) for control in self.schema.controls)
        return [region for region in built if region is not None]

    def _region(self, prediction: TaskPrediction, control: Control) -> dict[str, object] | None:
        chosen = self._choose(control, prediction.answers.get(control.name, ()))
        if not chosen:
            return None
        region: dict[str, object] = {
            "id": _region_id(prediction.task_id, control.name),
            "from_name": control.name,
            "to_name": control.to_name,
            "type": control.result_type,
            "value": {control.result_type: _value(control, [name for name, _ in chosen])},
        }
        # one region can hold several choices: it is as sure as its least sure one
        confidence = min(confidence for _, confidence in chosen)
        if math.isfinite(confidence):
            region["score"] = unit(confidence)
        return region

    def _choose(self, control: Control, answers: tuple[tuple[str, float], ...]) -> list[tuple[str, float]]:
        known = [(name, float(confidence)) for name, confidence in answers if name in control.classes]
        if len(known) < len(answers):
            self.dropped["label_not_in_config"] += len(answers) - len(known)
        return known[:1] if control.kind == "single" else known


def unit(value: float) -> float:
    """A plain float in [0, 1]: an import outside of it is dropped by Label Studio without a word."""
    return round(min(1.0, max(0.0, float(value))), 6)


def _value(control: Control, classes: list[str]) -> list[object]:
    """Choices are a list even when only one may be chosen; taxonomy labels are a list of paths."""
    if control.kind == "taxonomy":
        return [list(control.paths[name]) for name in classes]
    return list(classes)


def _region_id(task_id: int, control: str) -> str:
    return hashlib.sha256(f"{task_id}/{control}".encode()).hexdigest()[:10]
