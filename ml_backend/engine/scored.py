"""Scores of items as predictions: which classes are named, when Lantern abstains, and the score of the queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.description import PoolDescription
from ml_backend.core.query import Ranking, Reason
from ml_backend.data.label_config import Control, LabelSchema
from ml_backend.engine.label_sets import YES, store_name
from ml_backend.engine.pool import Propagation, TaskScores
from ml_backend.engine.prediction import TaskPrediction

MIN_EVIDENCE, MIN_REACH = 0.05, 0.2
"""Below both no label reaches the task's components, and the largest p(y|x) is an accident: nothing is predicted.

With 10 labels, a reach of .2 named 64 % of digits and 31 % of notifications, no less accurately than evidence alone
(33 and 15 %), and none of a kind that nobody had labelled; at .1 it began to name those."""


@dataclass(frozen=True)
class ScoredItems:
    """N items with everything that is said of them. propagations: by label store; labelled: (N,) bool, a person has
    answered.
    """

    schema: LabelSchema
    never_seen_level: float
    description: PoolDescription
    propagations: Mapping[str, Propagation]
    scores: TaskScores
    ranking: Ranking
    labelled: NDArray[np.bool_]

    def prediction(self, task_id: int, row: int) -> TaskPrediction:
        """What is said of the item in this row, under a task's id."""
        never_seen = self.never_seen(row)
        return TaskPrediction(
            task_id=task_id,
            readable=True,
            never_seen=never_seen,
            answers={} if never_seen else {c.name: self._answer(c, row) for c in self.schema.controls},
            score=float(np.clip(1.0 - self.ranking.value[row], 0.0, 1.0)),
            reason=Reason(int(self.ranking.reason[row])).sentence,
            scores={
                "confidence": float(self.scores.confidence[row]),
                "s_ood": float(self.scores.s_ood[row]),
                "evidence": float(self.scores.evidence[row]),
                "ambiguity": float(self.scores.ambiguity[row]),
                "novelty": float(self.description.novelty[row]),
                "aleatoric": float(self.description.aleatoric[row]),
            },
        )

    def never_seen(self, row: int) -> bool:
        """Whether Lantern abstains because nothing like the item was ever seen; what a person has answered was seen."""
        return bool(self.description.novelty[row] <= self.never_seen_level) and not self.labelled[row]

    def _answer(self, control: Control, row: int) -> tuple[tuple[str, float], ...]:
        if control.kind == "multiple":
            stores = [(choice, self.propagations[store_name(control, choice)]) for choice in control.classes]
            return tuple((choice, float(p.confidence[row])) for choice, p in stores if _says_yes(p, row))
        p = self.propagations[control.name]
        return ((p.classes[p.label[row]], float(p.confidence[row])),) if reaches(p, row) else ()


def is_reached(p: Propagation) -> NDArray[np.bool_]:
    """(N,) whether labels reach the items, so that the largest p(y|x) may be named."""
    return np.asarray((p.evidence >= MIN_EVIDENCE) | (p.reach >= MIN_REACH))


def reaches(p: Propagation, row: int) -> bool:
    """`is_reached` of one item."""
    return bool(p.evidence[row] >= MIN_EVIDENCE or p.reach[row] >= MIN_REACH)


def _says_yes(p: Propagation, row: int) -> bool:
    return reaches(p, row) and p.classes[p.label[row]] == YES
