"""Which items to ask about first, and why, in words that an annotator understands.

`rank_s_ood` is the seed formula itself. `rank_lantern` starts from it and asks about typical items of heavy groups
without a label before outliers, once labels repeat about those that stand apart in their class, then about doubtful
ones, in a batch whose items differ from each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.batch import Known, choose_batch, outlier_share
from ml_backend.core.class_outliers import ClassOutliers
from ml_backend.core.description import PoolDescription
from ml_backend.core.labels import LabelSet, sample_coverage
from ml_backend.errors import InputError

BATCH = 200
"""Items at the head of the queue that are chosen one by one: what an annotator does before the queue is made anew."""

SMALLEST_BATCH = 20
"""Size of the batch in a small pool."""

FEW_LABELS = 1.0 / 3.0
"""Evidence below which an item's group counts as unlabelled: less than half a label."""

MAJORITY = 0.5
"""Ambiguity, or share of neighbours with another label, from which on it is said."""

SURE = 0.9
"""Confidence from which on a label is called quite sure."""

COPY = 0.9
"""Nearness to a label from which on an item has its like among the labelled."""


class Reason(IntEnum):
    """Why an item stands where it stands."""

    ROUTINE = 0
    UNLABELLED_GROUP = 1
    AMBIGUOUS = 2
    NEVER_SEEN = 3
    DISAGREES = 4
    CLASS_OUTLIER = 5

    @property
    def sentence(self) -> str:
        """For people."""
        return SENTENCES[self]


SENTENCES = {
    Reason.ROUTINE: "Routine: similar tasks are already labelled.",
    Reason.UNLABELLED_GROUP: "Typical of a group of similar tasks that has no label, or too few.",
    Reason.AMBIGUOUS: "Ambiguous: the labels of similar tasks conflict or fit it badly.",
    Reason.NEVER_SEEN: "Never seen: unlike everything else in the project.",
    Reason.DISAGREES: "Disagrees with its neighbours: they get another label.",
    Reason.CLASS_OUTLIER: "Stands apart from the labelled tasks that it resembles most: perhaps a new kind.",
}


@dataclass(frozen=True)
class Ranking:
    """value: (N,) float32 in [0, 1], HIGH = ask first. reason: (N,) int8, members of `Reason`."""

    value: NDArray[np.float32]
    reason: NDArray[np.int8]


@dataclass(frozen=True)
class QueryScores:
    """What the label stores say of each of N items, (N,) float32 in [0, 1]; see `ml_backend.core.scores`.

    s_ood, ambiguity, clash: HIGH = ask. evidence, confidence, nearness: LOW = ask. clash: share of the neighbours that
    are predicted another class. nearness: of a label along the neighbour graph (`core.neighbourhood`). sample_coverage:
    in [0, 1], chance that a label names a class already met. answers: (N,) equal numbers where the same was answered
    (`core.labels.same_answers`). labelled: (N,) bool, the items that a person has answered. set_aside: (N,) bool, those
    that a person has seen without naming them; absent: (N,) bool, those that nobody can be asked. labels: the set of
    labels in which outliers of classes are sought, None without any.
    """

    s_ood: NDArray[np.float32]
    evidence: NDArray[np.float32]
    ambiguity: NDArray[np.float32]
    confidence: NDArray[np.float32]
    clash: NDArray[np.float32]
    nearness: NDArray[np.float32]
    sample_coverage: float
    answers: NDArray[np.int64]
    labelled: NDArray[np.bool_]
    set_aside: NDArray[np.bool_]
    absent: NDArray[np.bool_]
    labels: LabelSet | None = None


def rank_s_ood(description: PoolDescription, scores: QueryScores, *, never_seen_level: float) -> Ranking:
    """value = s_ood exactly, labelled or not."""
    _check(description, scores)
    return Ranking(scores.s_ood, _reasons(description, scores, never_seen_level))


def rank_lantern(
    description: PoolDescription, scores: QueryScores, *, never_seen_level: float, batch: int = BATCH
) -> Ranking:
    """A place in the queue for every item: value = 1 - (place + 1/2) / N, all different as far as float32 permits.

    First the batch (at most a quarter of a pool, from 80 items on), then what was never seen, then the rest by how
    little is known of them and how typical they are; labelled, set aside and absent items last.
    A place in the batch is a reason too, unless the scores belie it: where nothing else is left, it holds copies of
    labelled items that are named with confidence, and those are routine.
    """
    _check(description, scores)
    n = len(description)
    reason = _reasons(description, scores, never_seen_level)
    doubt = _doubt(description, scores)
    size = min(batch, max(SMALLEST_BATCH, n // 4), n)
    outliers, share = _class_outliers(description, scores, size)
    known = Known(doubt, scores.confidence, scores.sample_coverage, scores.answers, outliers, share)
    head = choose_batch(description, known, scores.labelled, scores.set_aside, scores.absent, size=size)
    unsure = scores.confidence < SURE
    typical = head.rows[head.representative & (unsure | (scores.nearness < COPY))[head.rows]]
    reason[typical[reason[typical] != Reason.NEVER_SEEN]] = Reason.UNLABELLED_GROUP
    outlying = head.rows[head.class_outlier]
    reason[outlying[reason[outlying] != Reason.NEVER_SEEN]] = Reason.CLASS_OUTLIER
    doubtful = head.rows[head.doubtful & unsure[head.rows]]
    reason[doubtful[reason[doubtful] == Reason.ROUTINE]] = Reason.AMBIGUOUS
    familiar = description.novelty > never_seen_level
    rest = np.lexsort((-doubt, familiar, scores.labelled | scores.set_aside | scores.absent))
    rest = rest[~np.isin(rest, head.rows)]
    value = np.empty(n, np.float32)
    value[np.concatenate([head.rows, rest])] = 1.0 - (np.arange(n) + 0.5) / max(n, 1)
    return Ranking(value, reason)


def _check(description: PoolDescription, scores: QueryScores) -> None:
    for name, values in vars(scores).items():
        if isinstance(values, np.ndarray) and values.shape != (len(description),):
            raise InputError(f"{name} of shape {values.shape} for a pool of {len(description)} items")


def _class_outliers(description: PoolDescription, scores: QueryScores, size: int) -> tuple[NDArray[np.int64], float]:
    """Outliers of classes, in the order of asking, and their share of a batch of this size.

    None when there is not one of them in it. What was asked about has no copies among them, so that each class has its
    turn.
    """
    nothing = np.empty(0, np.int64), 0.0
    surroundings, labels = description.surroundings, scores.labels
    if surroundings is None or labels is None:
        return nothing
    share = outlier_share(sample_coverage(labels.targets))
    if size * share < 1.0:
        return nothing
    closed = np.zeros(len(description), bool)
    closed[description.places[scores.labelled | scores.set_aside]] = True
    is_open = ~(closed[description.places] | scores.absent)
    return ClassOutliers.of(surroundings, labels).candidates(is_open), share


def _doubt(description: PoolDescription, scores: QueryScores) -> NDArray[np.float64]:
    """(N,) in [0, 1], HIGH = ask: s_ood (1 - confidence) (1 - nearness to a label), weighed with how typical it is.

    All must be high: copies of a labelled item may be named without confidence, a group without any label with it.
    """
    unknown = scores.s_ood * (1.0 - scores.confidence) * (1.0 - scores.nearness)
    return np.asarray(unknown * (0.5 + 0.5 * description.density), np.float64)


def _reasons(description: PoolDescription, scores: QueryScores, never_seen_level: float) -> NDArray[np.int8]:
    """The strongest claim wins: never seen, then no labels, then conflicts; what is named with confidence has none."""
    reason = np.full(len(description), Reason.ROUTINE, np.int8)
    reason[scores.clash >= MAJORITY] = Reason.DISAGREES
    reason[(scores.ambiguity >= MAJORITY) & (scores.confidence < SURE)] = Reason.AMBIGUOUS
    reason[scores.evidence < FEW_LABELS] = Reason.UNLABELLED_GROUP
    reason[(description.novelty <= never_seen_level) & ~scores.labelled] = Reason.NEVER_SEEN
    return reason
