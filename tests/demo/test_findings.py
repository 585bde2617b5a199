"""The summary's numbers, against a small world whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from ml_backend.core.description import PoolDescription
from ml_backend.core.query import SENTENCES, Reason
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.demo.annotator import Annotator
from ml_backend.demo.findings import Findings, find, stored_predictions
from ml_backend.demo.label_studio_process import Account
from ml_backend.demo.lantern_status import LanternStatus
from ml_backend.demo.scenario import Scenario
from ml_backend.demo.subjects import Subject, Truth
from ml_backend.demo.summary import addresses, project_summary
from ml_backend.demo.workspace import Made
from ml_backend.engine.prediction import TaskPrediction
from ml_backend.engine.view import ProjectView

KINDS = ["a", "a", "a", "b", "b", "b", "c", "c", "odd", "odd"]
"""Truth of tasks 101..110: c is the group that nobody labels."""
PREDICTED = [None, ("a", 0.9), ("a", 0.5), None, ("b", 0.95), ("a", 0.85), ("b", 0.4), ("b", 0.3), None, ("a", 0.6)]
"""Of 101 and 104, which have labels, nothing is looked at; 109 was abstained from; 106 and 110 are wrong."""
LABELLED = {101, 104}
NEVER_SEEN = {109}
GROUPED = {107, 108, 106}
TASKS = range(101, 111)


class FakeSnapshot:
    task_ids = np.array(TASKS)


class FakeView:
    model_version = "v2"
    snapshot = FakeSnapshot()

    @property
    def description(self) -> PoolDescription:
        logits = np.full((10, 3), -20.0, np.float32)
        logits[np.arange(10), [0, 0, 0, 1, 1, 1, 2, 2, 0, 0]] = 0.0
        density = np.linspace(0.1, 1.0, 10, dtype=np.float32)
        responsibilities = SparseResponsibilities.from_logits(logits, top_m=2, temperature=1.0)
        return cast(PoolDescription, type("D", (), {"responsibilities": responsibilities, "density": density}))

    @property
    def row_of(self) -> dict[int, int]:
        return {task: row for row, task in enumerate(TASKS)}

    def predictions(self, tasks: Sequence[int]) -> list[TaskPrediction]:
        return [
            TaskPrediction(
                task,
                readable=True,
                never_seen=task in NEVER_SEEN,
                score=(task - 100) / 100,
                reason=SENTENCES[Reason.UNLABELLED_GROUP if task in GROUPED else Reason.ROUTINE],
            )
            for task in tasks
        ]


def task_in_label_studio(task: int) -> dict[str, Any]:
    answer = PREDICTED[task - 101]
    region = {"from_name": "kind", "type": "choices"}
    result = [{**region, "value": {"choices": [answer[0]]}, "score": answer[1]}] if answer else []
    old = {"model_version": "v1", "score": 0.1, "result": [{**region, "value": {"choices": ["old"]}, "score": 1.0}]}
    # a skipped annotation is no label
    annotations = [{"was_cancelled": False}] if task in LABELLED else [{"was_cancelled": True}] if task == 105 else []
    now = {"model_version": "v2", "score": 0.5, "result": result}
    return {"id": task, "annotations": annotations, "predictions": [old, now]}


@pytest.fixture
def truths() -> dict[int, Truth]:
    known = [Truth({"kind": (k,)} if k != "odd" else {}, k, outlier=k == "odd", group=k == "c") for k in KINDS]
    return dict(zip(TASKS, known, strict=True))


@pytest.fixture
def subject(truths: dict[int, Truth]) -> Subject:
    return Subject(
        key="k",
        title="Letters",
        label_config="<View/>",
        control="kind",
        data=tuple({"text": str(task)} for task in TASKS),
        truths=tuple(truths.values()),
        labels=2,
        group="the letter c",
        note="made up",
    )


@pytest.fixture
def found(subject: Subject, truths: dict[int, Truth]) -> Findings:
    stored = stored_predictions([task_in_label_studio(task) for task in TASKS], "v2", "kind")
    return find(subject, truths, stored, cast(ProjectView, FakeView()), [107, 110, 102])


def test_labels_and_predictions_are_counted(found: Findings) -> None:
    assert (found.tasks, found.labels) == (10, 2)
    assert found.predicted == 7


def test_accuracy_leaves_out_labels_the_group_and_what_has_no_truth(found: Findings) -> None:
    assert (found.accuracy.right, found.accuracy.n) == (3, 4)
    assert (found.sure.right, found.sure.n) == (2, 3)
    assert str(found.accuracy) == "75.0% of 4"


def test_outliers_and_groups_are_told_apart(found: Findings) -> None:
    assert found.outliers == (109,)
    assert (found.right_outliers, found.true_outliers) == (1, 2)
    assert (found.grouped, found.right_grouped, found.true_grouped) == (3, 2, 2)
    # the strongest component of 106 is another than that of 107 and 108, whose denser task stands for the group
    assert [(group.size, group.example) for group in found.groups] == [(2, 108), (1, 106)]


def test_the_queue_keeps_its_order(found: Findings) -> None:
    assert [asked.task for asked in found.next] == [107, 110, 102]
    assert found.next[0].reason == SENTENCES[Reason.UNLABELLED_GROUP]


def test_the_summary_says_it_all(subject: Subject, found: Findings) -> None:
    made = Made(5, tuple(TASKS))
    scenario = Scenario(subject, cast(Annotator, None), cast(LanternStatus, None), made, given=1)
    text = project_summary(scenario, found, "http://localhost:8080", "http://localhost:9090")
    for expected in (
        "http://localhost:8080/projects/5/data",
        "http://localhost:9090/map/5",
        "2 by Lantern's queue, 1 of them in earlier runs",
        "7 of the other 8 tasks, as v2",
        "without a label   1, never seen or not reached by any label yet",
        "75.0% of 4 against the withheld truth (without the letter c, which nobody has labelled)",
        "1 outliers found by novelty: Lantern abstains there; 1 of the 2 planted ones",
        "3 tasks found by evidence, in 2 groups with no label, or too few; 2 of the 2 of the letter c",
        SENTENCES[Reason.UNLABELLED_GROUP],
    ):
        assert expected in text
    assert text.index("task 107:") < text.index("task 110:") < text.index("task 102:")


def test_addresses_tell_the_log_in() -> None:
    account = Account("me@here", "pass-word", "secret")
    text = addresses("http://localhost:8080", "http://localhost:9090", account, Path("a folder"))
    assert "http://localhost:8080" in text
    assert "http://localhost:9090" in text
    assert "me@here, password pass-word" in text
    assert "secret" not in text
    assert "--home 'a folder' --backend-url http://localhost:9090" in text, "the commands' data folder"
