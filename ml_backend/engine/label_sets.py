"""Human labels as the model's label stores need them: annotations + the present label config -> label sets.

Several annotations of one task share one unit of count, split by label; so disagreement is visible in the row. Skipped
(cancelled) and deleted annotations are no labels and never get here. In a `multiple` control each choice is a store of
its own with the classes NO and YES: a submitted annotation that leaves a choice out says NO to it, as an unticked box
does. A label given on the map says nothing about choices that were not asked there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.labels import LabelSet
from ml_backend.data.answers import Answers, log_unknown, parse_answers
from ml_backend.data.label_config import Control, LabelSchema
from ml_backend.engine.given_labels import GivenLabel

NO, YES = "no", "yes"
BINARY_CLASSES = (NO, YES)


def store_name(control: Control, choice: str) -> str:
    """Key of the two-class label store of one choice of a `multiple` control."""
    return f"{control.name}/{choice}"


def make_label_sets(
    schema: LabelSchema, labels: Iterable[GivenLabel], row_of: Mapping[int, int]
) -> tuple[LabelSet, ...]:
    """Label sets of the labels whose task is in the pool. row_of: task id -> row."""
    rows = [(None if label.task_id is None else row_of.get(label.task_id), label) for label in labels]
    given = [(row, parse_answers(label.result, schema)) for row, label in rows if row is not None]
    log_unknown(answers for _, answers in given)
    return build_label_sets(schema, given)


def build_label_sets(schema: LabelSchema, answers: Iterable[tuple[int, Answers]]) -> tuple[LabelSet, ...]:
    """Label sets of all controls, in the schema's order.

    answers: (row number in the pool, answers of one annotation) per submitted annotation; a row may come several times.
    """
    by_row: dict[int, list[Answers]] = defaultdict(list)
    for row, given in answers:
        by_row[row].append(given)
    sets: list[LabelSet] = []
    for control in schema.controls:
        sets.extend(_binary_sets(control, by_row) if control.kind == "multiple" else [_single_set(control, by_row)])
    return tuple(sets)


@dataclass
class _Rows:
    """Rows and targets of one label set while it is being collected."""

    rows: list[int] = field(default_factory=list)
    targets: list[NDArray[np.float64]] = field(default_factory=list)

    def finish(self, name: str, classes: tuple[str, ...]) -> LabelSet:
        targets = np.array(self.targets, dtype=np.float64).reshape(len(self.rows), len(classes))
        return LabelSet(name=name, classes=classes, rows=np.array(self.rows, dtype=np.int64), targets=targets)


def _single_set(control: Control, by_row: Mapping[int, list[Answers]]) -> LabelSet:
    position = {name: index for index, name in enumerate(control.classes)}
    collected = _Rows()
    for row, given in sorted(by_row.items()):
        chosen = [answer for a in given if (answer := [c for c in a.given.get(control.name, ()) if c in position])]
        if not chosen:
            continue
        target = np.zeros(len(control.classes))
        for answer in chosen:
            for name in answer:
                target[position[name]] += 1.0 / (len(answer) * len(chosen))
        collected.rows.append(row)
        collected.targets.append(target)
    return collected.finish(control.name, control.classes)


def _binary_sets(control: Control, by_row: Mapping[int, list[Answers]]) -> list[LabelSet]:
    collected = {choice: _Rows() for choice in control.classes}
    for row, given in sorted(by_row.items()):
        for choice, rows in collected.items():
            said = [says for a in given if (says := a.says(control, choice)) is not None]
            if not said:
                continue
            yes = sum(said) / len(said)
            rows.rows.append(row)
            rows.targets.append(np.array([1.0 - yes, yes]))
    return [rows.finish(store_name(control, choice), BINARY_CLASSES) for choice, rows in collected.items()]
