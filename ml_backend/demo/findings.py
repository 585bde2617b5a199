"""What came of the labels: Label Studio's predictions against the withheld truth, and what Lantern says of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ml_backend.core.query import SENTENCES, Reason
from ml_backend.demo.annotator import Json
from ml_backend.demo.subjects import Subject, Truth
from ml_backend.engine.prediction import TaskPrediction
from ml_backend.engine.view import ProjectView

SURE = 0.8
"""Confidence from which a prediction counts as sure."""
NEXT = 5


@dataclass(frozen=True)
class Stored:
    """Label Studio's prediction of one task that nobody has labelled. choices: of the subject's control; () = Lantern
    abstained there."""

    task: int
    choices: tuple[str, ...]
    confidence: float
    score: float


@dataclass(frozen=True)
class Accuracy:
    """right of n predictions, counted where the truth is known."""

    right: int
    n: int

    def __str__(self) -> str:
        return f"{self.right / self.n:.1%} of {self.n:,}" if self.n else "none to count"


@dataclass(frozen=True)
class Group:
    """Tasks of one component that no label reaches. example: its most typical task."""

    size: int
    example: int


@dataclass(frozen=True)
class Asked:
    """A task of the queue and why it stands there."""

    task: int
    score: float
    reason: str


@dataclass(frozen=True)
class Findings:
    """Numbers of one project. outliers, grouped: tasks that Lantern marked so; the true_ ones are what the truth says
    of the unlabelled tasks, and right_ how many of them were marked."""

    tasks: int
    labels: int
    model_version: str
    predicted: int
    accuracy: Accuracy
    sure: Accuracy
    outliers: tuple[int, ...]
    true_outliers: int
    right_outliers: int
    grouped: int
    true_grouped: int
    right_grouped: int
    groups: tuple[Group, ...]
    next: tuple[Asked, ...]


def stored_predictions(tasks: Iterable[Json], model_version: str, control: str) -> list[Stored]:
    """The predictions of one version among the unlabelled tasks."""
    return [
        _stored(task["id"], prediction, control)
        for task in tasks
        if not any(not annotation["was_cancelled"] for annotation in task["annotations"])
        for prediction in task["predictions"]
        if prediction["model_version"] == model_version
    ]


def find(
    subject: Subject,
    truths: Mapping[int, Truth],
    stored: list[Stored],
    view: ProjectView,
    queue: list[int],
) -> Findings:
    """stored: Label Studio's; view: Lantern's; queue: the first tasks of the tab, in its order."""
    predictions = {p.task_id: p for p in view.predictions([s.task for s in stored])}
    outliers = tuple(s.task for s in sorted(stored, key=lambda s: s.score) if predictions[s.task].never_seen)
    grouped = [s.task for s in stored if predictions[s.task].reason == SENTENCES[Reason.UNLABELLED_GROUP]]
    answered = [s for s in stored if s.choices]
    known = [s for s in answered if truths[s.task].answers and not truths[s.task].group]
    return Findings(
        tasks=len(truths),
        labels=len(truths) - len(stored),
        model_version=view.model_version,
        predicted=len(answered),
        accuracy=_accuracy(known, truths, subject.control),
        sure=_accuracy([s for s in known if s.confidence >= SURE], truths, subject.control),
        outliers=outliers,
        true_outliers=sum(truths[s.task].outlier for s in stored),
        right_outliers=sum(truths[task].outlier for task in outliers),
        grouped=len(grouped),
        true_grouped=sum(truths[s.task].group for s in stored),
        right_grouped=sum(truths[task].group for task in grouped),
        groups=_groups(grouped, view),
        next=tuple(_asked(task, predictions) for task in queue[:NEXT]),
    )


def _stored(task: int, prediction: Json, control: str) -> Stored:
    region = next((r for r in prediction["result"] if r["from_name"] == control), None)
    choices = tuple(region["value"][region["type"]]) if region else ()
    return Stored(task, choices, float(region.get("score") or 0.0) if region else 0.0, float(prediction["score"]))


def _accuracy(stored: list[Stored], truths: Mapping[int, Truth], control: str) -> Accuracy:
    right = sum(s.choices == tuple(truths[s.task].answers.get(control, ())) for s in stored)
    return Accuracy(right, len(stored))


def _groups(tasks: list[int], view: ProjectView) -> tuple[Group, ...]:
    """The tasks by their strongest component, largest group first."""
    description = view.description
    rows = np.array([view.row_of[task] for task in tasks], dtype=np.int64)
    if not len(rows):
        return ()
    sparse = description.responsibilities
    strongest = sparse.indices[rows, np.argmax(sparse.values[rows], axis=1)]
    groups = []
    for component in np.unique(strongest):
        members = rows[strongest == component]
        typical = members[np.argmax(description.density[members])]
        groups.append(Group(len(members), int(view.snapshot.task_ids[typical])))
    return tuple(sorted(groups, key=lambda group: -group.size))


def _asked(task: int, predictions: Mapping[int, TaskPrediction]) -> Asked:
    prediction = predictions[task]
    return Asked(task, prediction.score, prediction.reason)
