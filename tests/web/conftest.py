"""An app on a small service that records what reaches it: these tests are about the door, not about labels."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from ml_backend.config import Settings
from ml_backend.web.app import create_app
from ml_backend.web.attempts import Attempts

USER, PASSWORD, SECRET = "ann", "pässword-1", "webhook-secret-1"


@dataclass
class RecordingService:
    """Answers like LanternService and keeps the bodies; `failure` is raised by every method when set."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    failure: Exception | None = None
    reply: dict[str, Any] | None = None
    is_ready: bool = True

    def _answer(self, body: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
        self.bodies.append(body)
        if self.failure is not None:
            raise self.failure
        return reply if self.reply is None else self.reply

    def setup(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._answer(body, {"model_version": "lantern-1"})

    def predict(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._answer(body, {"results": [[] for _ in body["tasks"]], "model_version": "lantern-1"})

    def webhook(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._answer(body, {"status": "ok"})

    def versions(self) -> dict[str, Any]:
        return self._answer({}, {"versions": ["lantern-1"]})

    def status(self, project: str | None = None) -> dict[str, Any]:
        return self._answer({"project": project}, {"projects": [], "counters": {"webhook_X": 3}})

    def ready(self) -> tuple[bool, dict[str, Any]]:
        return self.is_ready, self._answer({}, {"database": "ok"})


class Clock:
    """Time that moves only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def service() -> RecordingService:
    return RecordingService()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_client(service: RecordingService, tmp_path: Path) -> FlaskClient:
    """No credentials configured."""
    return make_client(Settings(home=tmp_path), service)


@pytest.fixture
def client(service: RecordingService, clock: Clock, tmp_path: Path) -> FlaskClient:
    """Basic credentials and a webhook secret configured."""
    settings = Settings(home=tmp_path, basic_auth_user=USER, basic_auth_pass=PASSWORD, webhook_secret=SECRET)
    return make_client(settings, service, clock)


def make_client(settings: Settings, service: RecordingService, clock: Clock | None = None) -> FlaskClient:
    attempts = Attempts(clock) if clock is not None else None
    return create_app(settings, service, attempts=attempts).test_client()


def basic(user: str = USER, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("ml_backend")
    handlers, level, our_level = list(root.handlers), root.level, ours.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(our_level)
