"""What the tests marked e2e do in the shared Label Studio, and a Lantern that it can call."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from werkzeug.serving import make_server

from ml_backend.config import Settings
from ml_backend.demo.ports import free_port
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.client import LabelStudioClient
from ml_backend.label_studio.service import LanternService
from ml_backend.store.database import Database
from ml_backend.web.app import create_app
from tests.label_studio.conftest import CONFIG, FakeEngine


@dataclass(frozen=True)
class LiveLabelStudio:
    """Where it is, and both kinds of token."""

    url: str
    legacy_token: str = field(repr=False)
    personal_token: str = field(repr=False)

    def api(self) -> LabelStudioApi:
        return LabelStudioApi(LabelStudioClient(self.url, self.legacy_token))

    def make_project(self, title: str, config: str = CONFIG, **fields: Any) -> int:
        body = {"title": title, "label_config": config, **fields}
        return int(self.api().client.send("POST", "/api/projects/", json=body).body["id"])

    def import_tasks(self, project: int, tasks: list[dict[str, Any]]) -> list[int]:
        path, params = f"/api/projects/{project}/import", {"return_task_ids": "true"}
        return list(self.api().client.send("POST", path, params=params, json=tasks).body["task_ids"])

    def annotate(self, task: int, label: str, **fields: Any) -> int:
        result = [{"from_name": "c", "to_name": "text", "type": "choices", "value": {"choices": [label]}}]
        body = {"result": result, **fields}
        return int(self.api().client.send("POST", f"/api/tasks/{task}/annotations/", json=body).body["id"])


@dataclass
class LiveLantern:
    """Lantern's own Flask app on a free port, with a scripted engine behind it."""

    settings: Settings
    db: Database
    engine: FakeEngine
    service: LanternService


@contextmanager
def running_lantern(home: Path, label_studio: LiveLabelStudio, **changes: Any) -> Iterator[LiveLantern]:
    """Guarded by Basic credentials and a webhook secret."""
    port = free_port()
    options = {
        "home": home,
        "port": port,
        "label_studio_url": label_studio.url,
        "label_studio_api_key": label_studio.legacy_token,
        "basic_auth_user": "lantern",
        "basic_auth_pass": "a-password-1",
        "webhook_secret": "a-secret-123",
        **changes,
    }
    settings = Settings(**options)
    db = Database.open(home)
    engine = FakeEngine(db)
    service = LanternService(settings, db, engine)
    server = make_server("127.0.0.1", port, create_app(settings, service), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield LiveLantern(settings, db, engine, service)
    finally:
        server.shutdown()
        thread.join()
        db.close()
