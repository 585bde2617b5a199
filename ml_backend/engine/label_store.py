"""What one label set means for a model: fitted on the pool, applied to any item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.calibration import fit_temperature, without_floor
from ml_backend.core.description import PoolDescription
from ml_backend.core.graph_prior import GraphCounts, agreement
from ml_backend.core.head_answers import HeadAnswers
from ml_backend.core.labels import (
    LabelSet,
    as_matrix,
    check_label_set,
    leftover,
    soft_counts,
    tau,
)
from ml_backend.core.neighbour_votes import NeighbourVotes, Voters
from ml_backend.core.neighbourhood import NO_ROW, LabelWays, PoolWays
from ml_backend.core.responsibilities import SparseResponsibilities, row_sums

LEFT_OUT_CHUNK = 64
"""Labelled items whose (n, M, Y) left-out tau~ exist at a time."""

OTHER_LABELS = 0.5
"""Labels of an item's class on other items from which on a leave-one-out prediction of it is a fair test."""


@dataclass(frozen=True)
class LabelStore:
    """What a label set means for a model: everything that a new item needs besides its responsibilities.

    s: (K, Y) soft counts. tau: (K, Y). tau_named: (K, Y) tau with the graph's prior, for the label that is named
    (`core.graph_prior`). reach: (K,) in [0, 1], how near each is to a labelled component. current: (K,) in [0, 1], the
    agreement of tau_named, made of all labels, with the same of the labels that the head has learnt from
    (`core.graph_prior.agreement`); 1 without a head. temperature: of the confidence. rows: (n,) labelled rows of the
    pool, targets: (n, Y) their labels, voters: the same as they speak for others. suspicion: (n,) in [0, 1], 1 - p of
    the given label by all the others, HIGH = they contradict it (mislabelled?), 1 - 1/Y where they say nothing.
    left_out: (n,) int32 position of the class that all the others name; fair: (n,) bool, whether another item has a
    label of the item's class, without which leaving it out is no test.
    ways: from the pool's items to the labelled ones. example: (K,) the labelled row that belongs most to each
    component, or -1.
    """

    name: str
    classes: tuple[str, ...]
    alpha0: float | None
    s: NDArray[np.float64]
    tau: NDArray[np.float64]
    tau_named: NDArray[np.float64]
    reach: NDArray[np.float32]
    current: NDArray[np.float32]
    temperature: float
    rows: NDArray[np.int64]
    targets: NDArray[np.float64]
    voters: Voters
    suspicion: NDArray[np.float32]
    left_out: NDArray[np.int32]
    fair: NDArray[np.bool_]
    ways: LabelWays
    example: NDArray[np.int64]


@dataclass(frozen=True)
class _Taught:
    """A head beside a label set of n items. counts: of the labels that it has learnt from.

    targets: (n, Y) what it has learnt of each item, a row of zeros where nothing.
    """

    answers: HeadAnswers
    counts: GraphCounts
    targets: NDArray[np.float64]

    @staticmethod
    def of(description: PoolDescription, labels: LabelSet, alpha0: float | None) -> _Taught | None:
        """None: no head was fitted for this label set."""
        answers = description.heads.get(labels.name)
        if answers is None:
            return None
        learnt, targets = answers.learnt(labels.classes), np.zeros_like(labels.targets)
        _, item, place = np.intersect1d(labels.rows, answers.rows, assume_unique=True, return_indices=True)
        targets[item] = learnt[place]
        r = description.responsibilities
        s = soft_counts(r.take(answers.rows), learnt, r.n_components)
        return _Taught(answers, GraphCounts.of(description.component_graph, s, alpha0), targets)


def fit_store(
    description: PoolDescription,
    labels: LabelSet,
    *,
    alpha0: float | None = None,
    ways: PoolWays | None = None,
) -> LabelStore:
    """description: of the pool that the label set's rows count in. Raises InputError on rows outside it.

    ways: of the same pool, shared by its label sets; None = of this one alone.
    """
    check_label_set(labels, len(description))
    own = description.responsibilities.take(labels.rows)
    s = soft_counts(own, labels.targets, own.n_components)
    now = GraphCounts.of(description.component_graph, s, alpha0)
    taught = _Taught.of(description, labels, alpha0)
    to_labels = (ways or PoolWays(description)).to(labels.rows)
    voters = Voters.of(labels.rows, labels.targets, description.places[labels.rows])
    left_out = _left_out(description, labels, now, taught, to_labels, voters)
    fair = fair_test(labels.targets)
    example = np.full(own.n_components, NO_ROW, np.int64)
    by_share = np.argsort(own.values, axis=None, kind="stable")  # the largest share is written last
    example[own.indices.ravel()[by_share]] = np.repeat(labels.rows, own.indices.shape[1])[by_share]
    return LabelStore(
        name=labels.name,
        classes=labels.classes,
        alpha0=alpha0,
        s=s,
        tau=tau(s, alpha0),
        tau_named=now.tau,
        reach=now.reach,
        current=agreement(taught.counts.tau, now.tau) if taught else np.ones(own.n_components, np.float32),
        temperature=_temperature(description, labels, left_out, fair),
        rows=labels.rows,
        targets=labels.targets,
        voters=voters,
        suspicion=(1.0 - (left_out * labels.targets).sum(axis=1)).astype(np.float32),
        left_out=left_out.argmax(axis=1).astype(np.int32),
        fair=fair,
        ways=to_labels,
        example=example,
    )


def _left_out(
    description: PoolDescription,
    labels: LabelSet,
    now: GraphCounts,
    taught: _Taught | None,
    ways: LabelWays,
    voters: Voters,
) -> NDArray[np.float64]:
    """(n, Y) p(y|x) of each labelled item as all other labels and the head give it, before the temperature.

    Nothing of it depends on the item's own label, now or when the head learnt.
    """
    asked = description.take(labels.rows)
    own = asked.responsibilities
    p, current = _by_components(own, labels.targets, now, taught)
    floor = np.asarray(leftover(own) / len(labels.classes), np.float64)
    p += floor[:, None]
    votes = NeighbourVotes.of(asked, ways.nearest(asked, labels.rows), voters, labels.rows)
    votes.blend(p, floor)
    p = np.asarray(without_floor(p, floor), np.float64)
    if taught:
        given = labels.targets > 0
        by_others = given.sum(axis=0) > given
        taught.answers.take(labels.rows).joined(labels.classes, by_others, current).blend(p)
    return p


def _by_components(
    own: SparseResponsibilities, targets: NDArray[np.float64], now: GraphCounts, taught: _Taught | None
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """(n, Y) sum_c r_c tau~[c] of each labelled item without its own label; (n,) how far that tau~ is what it was when
    the head learnt, without that label too: the item's answer is from a head that has not seen it (`engine.heads`).
    """
    p, current = np.zeros_like(targets), np.ones(len(targets), np.float32)
    for start in range(0, len(targets), LEFT_OUT_CHUNK):
        items = np.arange(start, min(start + LEFT_OUT_CHUNK, len(targets)))
        some = own.take(items)
        rest = now.left_out(some, targets[items])
        p[items] = np.einsum("nm,nmy->ny", some.values, rest)
        if taught:
            still = agreement(taught.counts.left_out(some, taught.targets[items]), rest)
            current[items] = (some.values * still).sum(axis=1) / row_sums(some.values)
    return p, current


def fair_test(targets: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) whether a labelled item's class has other labels too: without any, leaving it out cannot predict it.

    targets: (n, Y).
    """
    elsewhere = targets.sum(axis=0) - targets
    return np.asarray((targets * (elsewhere >= OTHER_LABELS)).sum(axis=1) >= 0.5)


def _temperature(
    description: PoolDescription, labels: LabelSet, left_out: NDArray[np.float64], fair: NDArray[np.bool_]
) -> float:
    """From the labelled items that are a fair test.

    Each counts for the part of the pool that it stands for, since people are asked about doubtful items more often
    than such are met.
    """
    r = description.responsibilities
    asked = as_matrix(r.take(labels.rows))
    per_label = np.asarray(as_matrix(r).sum(axis=0)).ravel() / np.maximum(np.asarray(asked.sum(axis=0)).ravel(), 1e-6)
    weights = np.asarray(asked @ per_label, np.float64)[fair]
    return fit_temperature(left_out[fair], labels.targets[fair], weights)
