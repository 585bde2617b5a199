"""The service: what Label Studio's calls get back, and what stays in the database."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from ml_backend.engine.prediction import TaskPrediction
from ml_backend.errors import InputError
from ml_backend.label_studio.contract import UNTRAINED_VERSION
from ml_backend.label_studio.service import LanternService
from ml_backend.store import counters, projects, tasks
from ml_backend.store.database import Database
from tests.label_studio.conftest import CONFIG, UID, FakeEngine, prediction, project_row, publish
from tests.label_studio.fake import CREATED


def task(number: int, text: str = "t") -> dict[str, Any]:
    return {"id": number, "data": {"text": text}, "project": 3, "annotations": [], "predictions": []}


def ask(service: LanternService, *asked: object, config: str = CONFIG, uid: str = UID) -> dict[str, Any]:
    return service.predict({"project": uid, "label_config": config, "tasks": list(asked)})


def test_setup_names_a_version_before_there_is_a_model(service: LanternService, db: Database) -> None:
    body = {
        "project": UID,
        "schema": CONFIG,
        "hostname": "http://ls",
        "access_token": "SECRET",
        "extra_params": {"a": 1},
    }
    assert service.setup(body) == {"model_version": UNTRAINED_VERSION}
    row = project_row(db)
    assert (row.label_config, row.hostname, row.extra_params) == (CONFIG, "http://ls", {"a": 1})


def test_setup_and_predictions_tell_the_same_version(service: LanternService, db: Database) -> None:
    service.setup({"project": UID, "schema": CONFIG})
    version = publish(db).model_version
    assert service.setup({"project": UID, "schema": CONFIG}) == {"model_version": version}
    found = ask(service, task(1))
    assert found["model_version"] == version
    assert found["results"][0]["model_version"] == version


@pytest.mark.parametrize("config", ["", "<View>", "<!DOCTYPE x [<!ENTITY y 'z'>]><View/>", "x" * 2_000_000, "<View/>"])
def test_setup_takes_any_config(service: LanternService, config: str) -> None:
    assert service.setup({"project": UID, "schema": config})["model_version"]
    assert ask(service, task(1), config=config)["results"] in (
        [[]],
        [{**ask(service, task(1))["results"][0], "result": []}],
    )


def test_setup_again_writes_nothing(service: LanternService, db: Database) -> None:
    body = {"project": UID, "schema": CONFIG, "hostname": "h", "extra_params": {}}
    service.setup(body)
    with db.write():  # holds the write lock: a setup that wrote would wait 30 s
        assert service.setup(body)["model_version"] == UNTRAINED_VERSION


def test_one_result_for_each_task_in_order_whatever_they_are(service: LanternService, engine: FakeEngine) -> None:
    engine.special[2] = TaskPrediction.unreadable(2, "its picture cannot be fetched")
    engine.special[3] = prediction(3, score=math.nan)
    engine.special[4] = prediction(4, never_seen=True, score=0.0)
    found = ask(service, task(1), None, task(2), {"id": 9}, task(3), "x", task(4), {"id": 8, "data": []})
    assert [bool(entry) for entry in found["results"]] == [True, False, False, False, False, False, True, False]
    assert found["results"][6]["result"] == []
    json.dumps(found, allow_nan=False)


def test_what_is_left_out_is_counted(service: LanternService, engine: FakeEngine, db: Database) -> None:
    engine.special[3] = prediction(3, score=math.nan)
    ask(service, task(3))
    with db.read() as session:
        assert counters.read(session, projects.ensure(session, UID))["dropped_score_not_finite"] == 1
    told = service.status()["counters"]
    assert isinstance(told, dict)
    assert told["dropped_score_not_finite"] == 1  # /metrics shows these


def test_tasks_without_an_id_are_answered_and_not_stored(service: LanternService, db: Database) -> None:
    found = ask(service, {"data": {"text": "t"}}, {"data": {"text": "u"}})
    assert [entry["result"][0]["value"]["choices"] for entry in found["results"]] == [["a"], ["a"]]
    with db.read() as session:
        assert tasks.count_live(session, projects.ensure(session, UID)) == 0


def test_the_same_task_twice_is_answered_twice(service: LanternService) -> None:
    assert len(ask(service, task(1), task(1))["results"]) == 2


def test_a_task_that_no_webhook_told_of_is_kept(service: LanternService, db: Database) -> None:
    ask(service, task(1), task(2))
    before = project_row(db).data_version
    assert before > 0
    ask(service, task(1), task(2))
    assert project_row(db).data_version == before


def test_a_project_of_which_only_predict_tells_is_known_afterwards(service: LanternService, db: Database) -> None:
    ask(service, task(1))
    assert project_row(db).label_config == CONFIG


def test_regions_fit_the_config_of_this_request(service: LanternService, engine: FakeEngine) -> None:
    renamed = CONFIG.replace('name="c"', 'name="question"')
    engine.special[1] = prediction(1, answers={"c": (("a", 0.9),), "question": (("b", 0.8),)})
    assert ask(service, task(1))["results"][0]["result"][0]["from_name"] == "c"
    assert ask(service, task(1), config=renamed)["results"][0]["result"][0]["from_name"] == "question"


def test_a_publication_in_between_never_mixes_versions(
    service: LanternService, db: Database, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(service, task(1))
    publish(db)
    first, answer = [True], engine.predict

    def predict(*args: Any) -> list[TaskPrediction]:
        if first.pop() if first else False:
            publish(db)
        return answer(*args)

    monkeypatch.setattr(engine, "predict", predict)
    assert ask(service, task(1))["model_version"] == "lantern-test-2"
    assert len(engine.asked) == 3


@pytest.mark.parametrize("uid", ["../../x", "1;drop", "0", "9" * 30, "12.x"])
def test_a_key_that_is_none_is_an_input_error(service: LanternService, uid: str) -> None:
    with pytest.raises(InputError):
        service.setup({"project": uid, "schema": CONFIG})
    with pytest.raises(InputError):
        ask(service, task(1), uid=uid)


def test_webhooks_are_acknowledged_with_a_job_for_start_training(service: LanternService) -> None:
    assert service.webhook({"action": "START_TRAINING", "project": {"id": 3}})["job"] == "training-1"
    assert service.webhook({"action": "NEW_THING", "project": {"id": 3}})["status"] == "ignored"


def test_secrets_of_setup_and_predict_reach_no_file_reply_or_log(
    service: LanternService,
    db: Database,
    recorded: list[dict[str, Any]],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    calls = {"/setup": service.setup, "/predict": service.predict, "/webhook": service.webhook}
    replies = [calls[r["route"]](r["body"]) for r in recorded]
    db.close()
    assert "SECRET" in json.dumps(recorded)
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"SECRET" not in files
    assert "SECRET" not in json.dumps(replies)
    assert "SECRET" not in caplog.text


def test_versions_are_the_newest_of_each_project(service: LanternService, db: Database) -> None:
    for uid in ("3.1", "4.1"):
        service.setup({"project": uid, "schema": CONFIG})
        publish(db, uid, f"of-{uid[0]}")
        publish(db, uid, f"of-{uid[0]}")
    assert service.versions() == {"versions": ["of-3-2", "of-4-2"]}


def test_status_tells_how_far_a_project_is(
    service: LanternService, db: Database, recorded: list[dict[str, Any]]
) -> None:
    for r in recorded:
        if r["route"] == "/webhook":
            service.webhook(r["body"])
    publish(db)
    status: Any = service.status(UID)
    found = status["projects"][0]
    assert (found["project"], found["tasks"], found["labels"]) == (UID, 5, 2)
    assert found["training"] == {"status": "requested"}
    assert found["publication"]["model_version"] == "lantern-test-1"
    json.dumps(status, allow_nan=False)
    with pytest.raises(InputError):
        service.status("77")


def test_ready_until_the_data_folder_cannot_be_written(
    service: LanternService, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert service.ready() == (True, {"problems": []})
    monkeypatch.setattr("os.access", lambda *_: False)
    is_ready, details = service.ready()
    assert not is_ready
    assert "LANTERN_HOME" in str(details)


def test_a_webhook_that_says_nothing_new_is_not_in_the_log(
    service: LanternService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    region = {"from_name": "c", "to_name": "text", "type": "choices", "value": {"choices": ["a"]}}
    annotation = {"id": 7, "task": 1, "result": [region], "updated_at": "2026-11-22T22:55:00Z"}
    body = {"action": "ANNOTATION_CREATED", "annotation": annotation, "project": {"id": 3, "created_at": CREATED}}
    for _ in range(2):
        service.webhook(body)
    service.webhook({"action": "SOMETHING_ELSE", "project": body["project"]})
    told = [record.getMessage() for record in caplog.records if record.name.endswith("service")]
    assert [line.split(" of project")[0] for line in told] == [
        "webhook ANNOTATION_CREATED",
        "webhook (unknown action)",
    ]
