"""When does Label Studio show everything?"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from ml_backend.config import Settings
from ml_backend.demo.lantern_status import LanternStatus
from ml_backend.demo.waiting import wait_until
from ml_backend.errors import DemoError

DONE: dict[str, Any] = {
    "project": "3.1795381627",
    "tasks": 1809,
    "labels": 12,
    "drawn_labels": 2,
    "labels_since_training": 0,
    "publication": {"model_version": "v4", "behind_data": False, "behind_labels": False},
    "training": {"status": "done", "requested": False, "epochs": []},
    "push": {"model_version": "v4", "state": "done"},
}


def answering(monkeypatch: pytest.MonkeyPatch, *projects: dict[str, Any]) -> None:
    def get(url: str, **_options: object) -> httpx.Response:
        return httpx.Response(200, json={"projects": list(projects)}, request=httpx.Request("GET", url))

    monkeypatch.setattr(httpx, "get", get)


@pytest.fixture
def status(tmp_path: Path) -> LanternStatus:
    return LanternStatus(Settings(home=tmp_path))


def test_nothing_is_missing_when_all_is_shown(status: LanternStatus, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, {**DONE, "project": "31.1795381627", "labels": 0}, DONE)
    assert status.missing(3, labels=10) is None


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"labels": 11}, "9 of 10 labels"),
        ({"publication": None, "push": None, "training": None}, "1,809 tasks and making the first model"),
        ({"publication": None, "push": None, "training": None, "tasks": 0}, "reading the tasks and making"),
        ({"labels_since_training": 10}, "training"),
        ({"training": {"status": "running", "requested": False, "epochs": [{}, {}]}}, "epoch 3"),
        ({"training": {"status": "done", "requested": True}}, "training"),
        ({"publication": {**DONE["publication"], "behind_data": True}}, "new tasks"),
        ({"publication": {**DONE["publication"], "behind_labels": True}}, "sending"),
        ({"push": {"model_version": "v3", "state": "done"}}, "sending"),
        ({"push": {"model_version": "v4", "state": "running", "sent": 500}}, "500 of 1,809"),
        ({"push": None}, "sending"),
    ],
)
def test_what_is_missing_is_said(
    status: LanternStatus, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], missing: str
) -> None:
    answering(monkeypatch, {**DONE, **change})
    assert missing in str(status.missing(3, labels=10))


def test_an_unknown_project_and_a_silent_lantern_are_said(
    status: LanternStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch)
    assert "not heard" in str(status.missing(3, labels=10))

    def refuse(url: str, **_options: object) -> httpx.Response:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(httpx, "get", refuse)
    assert "does not answer" in str(status.missing(3, labels=10))


def test_replaced_predictions_are_untidy_until_they_are_gone(
    status: LanternStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, {**DONE, "push": {**DONE["push"], "old_versions": ["v2", "v3"]}})
    assert "2 replaced versions" in str(status.untidy(3))
    answering(monkeypatch, {**DONE, "push": {**DONE["push"], "old_versions": []}})
    assert status.untidy(3) is None


@pytest.mark.slow
def test_waiting_ends_with_the_last_answer() -> None:
    answers = iter(["a", "b", None])
    wait_until("something", lambda: next(answers), 60.0)
    with pytest.raises(DemoError, match="something did not happen within 0 s: never"):
        wait_until("something", lambda: "never", 0.0)


def test_waiting_is_said_again_and_again_where_no_bar_can_move(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    answers = iter([*(f"training, epoch {n}" for n in range(1, 9)), None])
    wait_until("8 of 80 labels given", lambda: next(answers), 900.0)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 3
    assert len({line.split("epoch")[1] for line in lines}) == len(lines), "the count moves"
    assert all(re.fullmatch(r"  \d\d:\d\d 8 of 80 labels given: training, epoch \d", line) for line in lines)
