"""Which items to ask about first, and why, in words that an annotator understands.

`rank_s_ood` is the seed formula itself. `rank_lantern` starts from it and asks about typical items of heavy groups
without a label before outliers, then about conflicts, in a batch whose items differ from each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.description import PoolDescription
from ml_backend.errors import InputError

BATCH = 200
"""Items at the head of the queue that are chosen one by one, so that they differ from each other."""

NOVEL_EVERY = 8
"""One of so many places in the batch goes to the item least like anything seen."""


class Reason(IntEnum):
    """Why an item stands where it stands."""

    ROUTINE = 0
    UNLABELLED_GROUP = 1
    AMBIGUOUS = 2
    NEVER_SEEN = 3
    DISAGREES = 4

    @property
    def sentence(self) -> str:
        """For people."""
        return SENTENCES[self]


SENTENCES = {
    Reason.ROUTINE: "Routine: similar tasks are already labelled.",
    Reason.UNLABELLED_GROUP: "Typical of a group of similar tasks that has no label yet.",
    Reason.AMBIGUOUS: "Ambiguous: the labels of similar tasks conflict.",
    Reason.NEVER_SEEN: "Never seen: unlike everything else in the project.",
    Reason.DISAGREES: "Disagrees with its neighbours: they get another label.",
}


@dataclass(frozen=True)
class Ranking:
    """value: (N,) float32 in [0, 1], HIGH = ask first. reason: (N,) int8, members of `Reason`."""

    value: NDArray[np.float32]
    reason: NDArray[np.int8]


@dataclass(frozen=True)
class QueryScores:
    """What the label store says of each of N items, all (N,) float32 in [0, 1]; see `ml_backend.core.scores`.

    s_ood, ambiguity, clash: HIGH = ask. evidence: LOW = ask. clash = share of the neighbours that are predicted
    another class. labelled: (N,) bool, the items that a person has answered.
    """

    s_ood: NDArray[np.float32]
    evidence: NDArray[np.float32]
    ambiguity: NDArray[np.float32]
    clash: NDArray[np.float32]
    labelled: NDArray[np.bool_]


def rank_s_ood(description: PoolDescription, scores: QueryScores, *, never_seen_level: float) -> Ranking:
    """value = s_ood exactly, labelled or not."""
    _check(description, scores)
    return Ranking(scores.s_ood, _reasons(description, scores, never_seen_level))


def rank_lantern(
    description: PoolDescription, scores: QueryScores, *, never_seen_level: float, batch: int = BATCH
) -> Ranking:
    """A place in the queue for every item: value = 1 - (place + 1/2) / N, all different as far as float32 permits.

    First a batch of different items, then the rest by s_ood weighed with how typical they are, the labelled items last.
    """
    _check(description, scores)
    reason = _reasons(description, scores, never_seen_level)
    worth = _worth(description, scores)
    worth[scores.labelled] -= 2.0
    order = np.argsort(-worth, kind="stable")
    chosen = _Batch(description, scores, order, never_seen_level).choose(min(batch, int((~scores.labelled).sum())))
    in_batch = np.zeros(len(order), bool)
    in_batch[chosen] = True
    queue = np.concatenate([chosen, order[~in_batch[order]]])
    value = np.empty(len(order), np.float32)
    value[queue] = 1.0 - (np.arange(len(order)) + 0.5) / max(len(order), 1)
    return Ranking(value, reason)


def _check(description: PoolDescription, scores: QueryScores) -> None:
    for name, values in vars(scores).items():
        if values.shape != (len(description),):
            raise InputError(f"{name} of shape {values.shape} for a pool of {len(description)} items")


def _worth(description: PoolDescription, scores: QueryScores) -> NDArray[np.float64]:
    """(N,) in [0, 1]: s_ood or conflict, whichever speaks louder, weighed with typicality."""
    conflict = np.maximum(scores.ambiguity, 0.5 * scores.clash)
    return np.asarray(np.maximum(scores.s_ood, conflict) * (0.5 + 0.5 * description.density), np.float64)


def _reasons(description: PoolDescription, scores: QueryScores, never_seen_level: float) -> NDArray[np.int8]:
    """The strongest claim wins: never seen, then no labels, then conflicts."""
    reason = np.full(len(description), Reason.ROUTINE, np.int8)
    reason[scores.clash >= 0.5] = Reason.DISAGREES
    reason[scores.ambiguity >= 0.5] = Reason.AMBIGUOUS
    reason[scores.evidence < 1 / 3] = Reason.UNLABELLED_GROUP
    reason[(description.novelty <= never_seen_level) & ~scores.labelled] = Reason.NEVER_SEEN
    return reason


class _Batch:
    """Greedy choice of a batch: one item per component, none a neighbour of another."""

    def __init__(
        self,
        description: PoolDescription,
        scores: QueryScores,
        order: NDArray[np.int64],
        never_seen_level: float,
    ) -> None:
        self._description = description
        self._order = order
        self._blocked = scores.labelled.copy()
        self._component = description.responsibilities.indices[:, 0]
        seen = description.novelty > never_seen_level
        self._typical = order[seen[order] & ~scores.labelled[order]]
        self._strange = np.argsort(description.novelty, kind="stable")
        self._used: set[int] = set()

    def choose(self, size: int) -> NDArray[np.int64]:
        chosen: list[int] = []
        queues = [iter(self._typical), iter(self._strange), iter(self._order)]
        while len(chosen) < size:
            lead = 1 if len(chosen) % NOVEL_EVERY == NOVEL_EVERY - 1 else 0
            for queue in (queues[lead], queues[2]):
                item = next((int(i) for i in queue if not self._blocked[i]), None)
                if item is not None:
                    break
            if item is None:
                break
            chosen.append(item)
            self._blocked[item] = True
            near = self._description.neighbours[item]
            self._blocked[near[near >= 0]] = True
        return np.array(chosen, dtype=np.int64)
