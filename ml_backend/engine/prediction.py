"""What Lantern says of one task, in no wire format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TaskPrediction:
    """One task's answers and how sure they are.

    readable: False when the task could not be read or there is no model yet; `reason_unreadable` says why.
    never_seen: novelty p-value at or below the configured level: Lantern abstains.
    answers: control name -> (class, confidence in [0, 1]) chosen, best first; an empty tuple = nothing predicted.
    score: 1 - query value, in [0, 1]; LOW = label first. reason: why the task is asked, in words.
    scores: confidence, s_ood, evidence, ambiguity, novelty, aleatoric, under these names.
    """

    task_id: int
    readable: bool
    reason_unreadable: str | None = None
    never_seen: bool = False
    answers: Mapping[str, tuple[tuple[str, float], ...]] = field(default_factory=dict)
    score: float = 0.0
    reason: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)

    @staticmethod
    def unreadable(task_id: int, reason: str) -> TaskPrediction:
        """The prediction of a task about which nothing can be said."""
        return TaskPrediction(task_id=task_id, readable=False, reason_unreadable=reason)
