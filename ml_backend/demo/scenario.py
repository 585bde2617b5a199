"""One project of the demo: made, filled, connected, labelled, and read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Never

from tqdm import tqdm

from ml_backend.config import Settings
from ml_backend.data.label_config import parse_label_config
from ml_backend.demo.annotator import Annotator, regions
from ml_backend.demo.lantern_status import LanternStatus
from ml_backend.demo.subjects import Subject, Truth
from ml_backend.demo.waiting import wait_until
from ml_backend.demo.workspace import Made, Workspace
from ml_backend.errors import LabelStudioError
from ml_backend.label_studio.connect import connect
from ml_backend.label_studio.wanted import TAB
from ml_backend.store.database import Database

ROUND = 10
"""Labels given in a row; then Lantern trains and the queue has a new order."""
QUEUE = 300
"""How far down its queue the person looks for a task that they know."""
SPREAD_SECONDS = 900.0


@dataclass
class Scenario:
    """A subject in Label Studio."""

    subject: Subject
    annotator: Annotator
    status: LanternStatus
    made: Made
    given: int = 0
    """Labels of this run."""

    def connect(self, db: Database, settings: Settings) -> int:
        """Attach it to Lantern, as `lantern connect` does; how many things had to be changed."""
        return sum(change.changed for change in connect(db, settings, project=self.made.project))

    @cached_property
    def truths(self) -> dict[int, Truth]:
        """The withheld truth by task."""
        return dict(zip(self.made.tasks, self.subject.truths, strict=True))

    def answer(self, task: int) -> str | None:
        """What a person would answer to the subject's main question; None where they would not know."""
        truth = self.truths.get(task)
        return next(iter(truth.answers.get(self.subject.control, ())), None) if truth else None

    def count_labels(self) -> int:
        """Annotations that are in Label Studio, skipped ones aside."""
        return int(self.annotator.api.project(self.made.project)["total_annotations_number"])

    def missing(self) -> str | None:
        """What has to happen until Label Studio shows what Lantern makes of all labels; None when it does."""
        try:
            labels = self.count_labels()
        except LabelStudioError as error:  # its SQLite is busy; whoever waits asks again
            return str(error)
        return self.status.missing(self.made.project, labels)

    def wait_until_spread(self) -> None:
        """Until nothing is missing. Raises DemoError."""
        wait_until(self.subject.title, self.missing, SPREAD_SECONDS)

    def wait_until_tidy(self) -> None:
        """Until replaced predictions are gone: Label Studio's SQLite lets nobody else write while they are deleted,
        not even a log-in. Raises DemoError."""
        wait_until(self.subject.title, lambda: self.status.untidy(self.made.project), SPREAD_SECONDS)

    def label(self, n: int, bar: tqdm[Never]) -> int:
        """Answer the first n tasks of the queue that the person knows; how many there were."""
        schema = parse_label_config(self.subject.label_config)
        truths, given = self.truths, 0
        for task in self.annotator.queue(self.made.project, TAB["title"], QUEUE):
            truth = truths[task]
            if truth.group or not truth.answers:
                continue
            self.annotator.annotate(task, regions(schema, truth.answers))
            bar.update()
            given += 1
            if given == n:
                break
        self.given += given
        return given


def make_or_reuse(subject: Subject, workspace: Workspace, annotator: Annotator) -> Made:
    """The subject's project with all its tasks: an earlier run's, if it is still there as it was."""
    made = workspace.made(subject)
    if made is not None and _is_whole(made, annotator):
        return made
    project = annotator.make_project(subject.title, subject.label_config)
    tasks: list[int] = []
    with tqdm(total=len(subject.data), desc=f"  {subject.title}: importing", unit="task", disable=None) as bar:
        for batch in annotator.import_tasks(project, subject.data):
            tasks += batch
            bar.update(len(batch))
    made = Made(project, tuple(tasks))
    workspace.remember(subject, made)
    return made


def label_in_rounds(scenarios: Sequence[Scenario], labels: int | None) -> None:
    """Give every project its labels (`labels`, or as many as its subject says, those of earlier runs included), ten at
    a time, always in a project that has caught up: so one is labelled while the other is trained."""
    missing = [max(0, (labels or s.subject.labels) - s.count_labels()) for s in scenarios]
    total = sum(missing)
    with tqdm(total=total, desc="  labelling", unit="label", disable=None) as bar:
        while any(missing):
            i = _ready_one(scenarios, missing, f"{total - sum(missing)} of {total} labels given, waiting for Lantern")
            given = scenarios[i].label(min(ROUND, missing[i]), bar)
            missing[i] = missing[i] - given if given else 0


def _ready_one(scenarios: Sequence[Scenario], missing: Sequence[int], what: str) -> int:
    """Waits for one of those that miss labels. what: how the waiting is called."""
    ready: list[int] = []

    def none_ready() -> str | None:
        answers = {i: scenarios[i].missing() for i, n in enumerate(missing) if n}
        ready[:] = [i for i, answer in answers.items() if answer is None]
        return None if ready else "; ".join(f"{scenarios[i].subject.title}: {answer}" for i, answer in answers.items())

    wait_until(what, none_ready, SPREAD_SECONDS)
    return ready[0]


def _is_whole(made: Made, annotator: Annotator) -> bool:
    known = {project["id"]: project for project in annotator.api.projects()}
    return made.project in known and known[made.project]["task_number"] == len(made.tasks)
