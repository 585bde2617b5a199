"""Lantern as the class that label-studio-ml knows: `predict(tasks, context)` and `fit(event, data)`.

Works under label-studio-ml 2.x (git) and 1.0.9 (PyPI). Both build a model for every request; all state is the
service's, which is made once a process. The toolkit's server drops ANNOTATIONS_DELETED and TASKS_*, so reconcile has
to repair what Lantern's own server would have known; `lantern serve` is the default for that reason. Training needs
`python -m ml_backend.worker` beside.
"""

from __future__ import annotations

import inspect
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from label_studio_ml.model import LabelStudioMLBase

from ml_backend.config import Settings
from ml_backend.engine.engine import Engine
from ml_backend.errors import InputError
from ml_backend.label_studio.contract import UNTRAINED_VERSION
from ml_backend.label_studio.events import START_TRAINING
from ml_backend.label_studio.media_access import fetcher_factory
from ml_backend.label_studio.service import LanternService
from ml_backend.store.database import Database

log = logging.getLogger(__name__)

_KNOWS_PROJECT = "project_id" in inspect.signature(LabelStudioMLBase.__init__).parameters
"""True under 2.x; 1.0.9 tells a model nothing of its project, so the tasks must."""


class LanternModel(LabelStudioMLBase):  # type: ignore[misc]  # the toolkit has no types
    """One request's view of Lantern."""

    _service: ClassVar[LanternService | None] = None
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, project_id: str | None = None, label_config: str | None = None, **kwargs: Any) -> None:
        self.lantern_project = str(project_id) if project_id else None
        self.lantern_config = label_config
        if _KNOWS_PROJECT:
            super().__init__(project_id=project_id, label_config=label_config)
        else:
            super().__init__(label_config=label_config, **kwargs)

    @classmethod
    def service(cls) -> LanternService:
        """This process's service, made from the environment at first use."""
        with cls._lock:
            if LanternModel._service is None:
                settings = Settings.from_environment(os.environ)
                db = Database.open(settings.home)
                LanternModel._service = LanternService(settings, db, Engine(db, settings, fetcher_factory(settings)))
            return LanternModel._service

    def setup(self) -> None:
        """2.x calls this for every model it builds; /setup answers with what is set here."""
        version = UNTRAINED_VERSION
        if self.lantern_project:
            body = {"project": self.lantern_project, "schema": self.lantern_config}
            version = str(self.service().setup(body)["model_version"])
        self.set("model_version", version)

    def predict(
        self, tasks: Sequence[Mapping[str, Any]], context: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> list[Any]:
        """One entry for each task, in order, in Label Studio's format; `[]` for a task that cannot be read."""
        project = self.lantern_project or _project_of(tasks)
        if project is None:
            return [[] for _ in tasks]
        body = {"project": project, "label_config": self.lantern_config, "tasks": list(tasks)}
        results = self.service().predict(body)["results"]
        assert isinstance(results, list)
        return results

    def fit(self, event: str, data: Mapping[str, Any], **kwargs: Any) -> dict[str, object]:
        """Take a webhook in and return at once; the worker trains. An event of no known kind is acknowledged."""
        if not isinstance(event, str) or not isinstance(data, Mapping):
            raise InputError("fit takes the webhook's action and its body; the /train route of old is not supported")
        body: dict[str, Any] = {**data, "action": event}
        if event == START_TRAINING and self.lantern_project:
            body.setdefault("project", {"id": self.lantern_project})
        return self.service().webhook(body)

    def process_event(
        self, event: str, data: Mapping[str, Any], job_id: str, additional_params: Mapping[str, Any]
    ) -> dict[str, object]:
        """1.0.9's way in: every event counts, not only those that the toolkit calls training events."""
        return self.fit(event, data)


def _project_of(tasks: Sequence[Mapping[str, Any]]) -> str | None:
    """Number of the project that the tasks belong to."""
    numbers = (task.get("project") for task in tasks if isinstance(task, Mapping))
    return next((str(number) for number in numbers if number), None)
