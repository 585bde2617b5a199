"""One project of the demo: made, filled, connected, labelled, and read again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Never

from tqdm import tqdm

from ml_backend.config import Settings
from ml_backend.data.label_config import parse_label_config
from ml_backend.demo.annotator import Annotator, regions
from ml_backend.demo.lantern_status import LanternStatus
from ml_backend.demo.subjects import Subject, Truth
from ml_backend.demo.waiting import wait_until
from ml_backend.demo.workspace import Made, Workspace
from ml_backend.label_studio.connect import connect
from ml_backend.label_studio.wanted import TAB
from ml_backend.store.database import Database

ROUND = 10
"""Labels given in a row; then Lantern trains and the queue has a new order."""
QUEUE = 120
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
    passed_over: int = 0
    """Tasks that stood first in the queue and were left open, because the person would not know them."""

    def connect(self, db: Database, settings: Settings) -> int:
        """Attach it to Lantern, as `lantern connect` does; how many things had to be changed."""
        return sum(change.changed for change in connect(db, settings, project=self.made.project))

    @property
    def truths(self) -> dict[int, Truth]:
        """The withheld truth by task."""
        return dict(zip(self.made.tasks, self.subject.truths, strict=True))

    def count_labels(self) -> int:
        """Annotations that are in Label Studio, skipped ones aside."""
        return int(self.annotator.api.project(self.made.project)["total_annotations_number"])

    def wait_until_spread(self) -> None:
        """Until Label Studio shows what Lantern makes of every label given. Raises DemoError."""
        labels = self.count_labels()
        number = self.made.project
        wait_until(self.subject.title, lambda: self.status.missing(number, labels), SPREAD_SECONDS)

    def label(self, n: int, bar: tqdm[Never]) -> None:
        """Answer the first n tasks of the queue that the person knows."""
        schema = parse_label_config(self.subject.label_config)
        truths, left = self.truths, n
        for task in self.annotator.queue(self.made.project, TAB["title"], QUEUE):
            if not left:
                return
            truth = truths[task]
            if truth.group or not truth.answers:
                self.passed_over += 1
                continue
            self.annotator.annotate(task, regions(schema, truth.answers))
            self.given, left = self.given + 1, left - 1
            bar.update()


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


def label_in_rounds(scenarios: Iterable[Scenario], labels: int | None) -> None:
    """Give every project its labels (`labels`, or as many as its subject says, those of earlier runs included), ten at
    a time in turn, so that one is trained while the other is labelled."""
    wanted = {s.subject.key: labels if labels is not None else s.subject.labels for s in scenarios}
    open_ones = [(s, wanted[s.subject.key] - s.count_labels()) for s in scenarios]
    total = sum(max(0, n) for _, n in open_ones)
    with tqdm(total=total, desc="  labelling", unit="label", disable=None) as bar:
        while open_ones := [(s, n) for s, n in open_ones if n > 0]:
            for scenario, n in open_ones:
                scenario.wait_until_spread()
                scenario.label(min(ROUND, n), bar)
            open_ones = [(s, n - ROUND) for s, n in open_ones]


def _is_whole(made: Made, annotator: Annotator) -> bool:
    known = {project["id"]: project for project in annotator.api.projects()}
    return made.project in known and known[made.project]["task_number"] == len(made.tasks)
