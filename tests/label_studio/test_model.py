"""LanternModel under the toolkit's own server: 1.0.9 as `make` installs it, and 2.x where a checkout is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ml_backend.store import annotations as annotation_rows
from ml_backend.store import projects, tasks
from ml_backend.store.database import Database
from tests.label_studio.conftest import CONFIG, UID

SOURCE = "LABEL_STUDIO_ML_SOURCE"
ROOT = Path(__file__).parents[2]
RESULT = [{"from_name": "c", "to_name": "text", "type": "choices", "value": {"choices": ["a"]}}]

SESSION = """
import json, sys
from label_studio_ml.api import init_app
from ml_backend.label_studio.model import LanternModel
import label_studio_ml.model as toolkit

body = json.load(sys.stdin)
two = hasattr(toolkit, "predict_fn")
app = init_app(LanternModel, **({} if two else {"model_dir": body["model_dir"]}))
client = app.test_client()
replies = {"two": two}
for name, route, content in body["calls"]:
    answer = client.post(route, json=content)
    replies[name] = [answer.status_code, answer.get_json(silent=True)]
model = LanternModel(project_id="3", label_config=body["config"])
replies["fit"] = model.fit("ANNOTATIONS_DELETED", {"annotations": [{"id": 23}], "project": body["project"]})
gone = {"tasks": [{"id": 2}], "project": body["project"]}
replies["process_event"] = model.process_event("TASKS_DELETED", gone, "job", {})
print("REPLIES" + json.dumps(replies))
"""

PROJECT = {"id": 3, "created_at": "2026-11-22T22:54:14.296374Z", "label_config": CONFIG}
TASKS = [{"id": 1, "project": 3, "data": {"text": "t"}}, {"id": 2, "project": 3, "data": {}}]
ANNOTATION = {"id": 23, "task": 1, "result": RESULT, "was_cancelled": False, "updated_at": "2026-11-22T22:55:00Z"}


def session(home: Path, source: Path | None) -> dict[str, Any]:
    """One life of the toolkit's server in its own process, as `label-studio-ml start` makes it."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("LANTERN_", "LABEL_STUDIO_"))}
    path = [str(ROOT), str(source)] if source else [str(ROOT)]
    environ |= {"MODEL_DIR": str(home), "PYTHONPATH": os.pathsep.join(reversed(path))}
    webhook = {"action": "ANNOTATION_CREATED", "annotation": ANNOTATION, "task": TASKS[0], "project": PROJECT}
    predict = {"tasks": TASKS, "project": UID, "label_config": CONFIG, "params": {"context": {}}}
    setup = {"project": UID, "schema": CONFIG, "hostname": "http://ls", "access_token": "SECRET"}
    calls: list[tuple[str, str, Any]] = [("setup", "/setup", setup), ("predict", "/predict", predict)]
    if source:  # under 1.0.9 a webhook starts a process that outlives the test's
        calls.append(("webhook", "/webhook", webhook))
    given = {"calls": calls, "config": CONFIG, "project": PROJECT, "model_dir": str(home / "toolkit")}
    done = subprocess.run(
        [sys.executable, "-c", SESSION], input=json.dumps(given), env=environ, cwd=home, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.partition("REPLIES")[2]))


def check(home: Path, replies: dict[str, Any]) -> None:
    status, setup = replies["setup"]
    assert status == 200
    if replies["two"]:
        assert setup == {"model_version": "lantern-untrained"}
    status, predicted = replies["predict"]
    assert status == 200
    assert predicted["results"] == [[], []], "one entry for each task, before there is a model"
    assert replies["fit"]["status"] == replies["process_event"]["status"] == "ok"
    db = Database.open(home)
    with db.read() as opened:
        project = projects.ensure(opened, 3)
        assert (project.label_config, project.uid) == (CONFIG, UID)
        assert tasks.live_ids(opened, project) == [1], "tasks that /predict told of, less the one that went"
        assert annotation_rows.live(opened, project) == [], "the toolkit drops deletions; fit takes them"
    db.close()


@pytest.mark.slow
def test_under_the_toolkit_from_the_package_index(tmp_path: Path) -> None:
    pytest.importorskip("label_studio_ml", reason="`make venv` installs label-studio-ml 1.0.9")
    replies = session(tmp_path, None)
    assert not replies["two"]
    check(tmp_path, replies)


@pytest.mark.slow
def test_under_a_checkout_of_the_maintained_toolkit(tmp_path: Path) -> None:
    if SOURCE not in os.environ:
        pytest.skip(f"set {SOURCE} to a checkout of HumanSignal/label-studio-ml-backend")
    replies = session(tmp_path, Path(os.environ[SOURCE]))
    assert replies["two"]
    assert replies["webhook"][0] == 201
    check(tmp_path, replies)
