"""The simulated person: the only one who sees labels, and only of what is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.labels import LabelSet
from ml_backend.errors import InputError

LABEL_SET = "label"


@dataclass(frozen=True)
class AskedLabels:
    """rows: items of the pool in the order in which they were asked. answers: one each; None = it was skipped."""

    rows: tuple[int, ...] = ()
    answers: tuple[str | None, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def first(self, budget: int) -> AskedLabels:
        """What had been asked when the budget was reached."""
        return AskedLabels(self.rows[:budget], self.answers[:budget])

    def plus(self, rows: Sequence[int], answers: Sequence[str | None]) -> AskedLabels:
        """With another batch."""
        return AskedLabels((*self.rows, *rows), (*self.answers, *answers))

    @property
    def asked(self) -> NDArray[np.int64]:
        """The rows as an array."""
        return np.array(self.rows, np.int64)

    @property
    def label_set(self) -> LabelSet | None:
        """The answers as the model takes them; the classes are those that were answered, sorted. None: no answer."""
        given = [(row, answer) for row, answer in zip(self.rows, self.answers, strict=True) if answer is not None]
        if not given:
            return None
        classes = tuple(sorted({answer for _, answer in given}))
        position = {name: place for place, name in enumerate(classes)}
        targets = np.eye(len(classes))[[position[answer] for _, answer in given]]
        return LabelSet(LABEL_SET, classes, np.array([row for row, _ in given], np.int64), targets)


class Oracle:
    """Answers truthfully, one item at a time; skips what belongs to no class or whose label nobody knows."""

    def __init__(self, truth: NDArray[np.str_]) -> None:
        """truth: (N,) labels of the pool, "" = skip."""
        self._truth = truth

    def ask(self, labels: AskedLabels, rows: Sequence[int]) -> AskedLabels:
        """The labels so far with those of the rows. Raises InputError for a row that was asked before."""
        again = set(labels.rows) & set(rows)
        if again or len(set(rows)) < len(rows):
            raise InputError(f"an item is asked twice (row {min(again, default=rows[0])})")
        return labels.plus(rows, [str(self._truth[row]) or None for row in rows])
