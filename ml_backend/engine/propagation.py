"""From labels to scores of every item, without training: what one label store says, and what all say together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ml_backend.core import scores
from ml_backend.core.calibration import apply_temperature, tempered_maximum, without_floor
from ml_backend.core.class_outliers import FEWEST_LABELS
from ml_backend.core.description import PoolDescription
from ml_backend.core.head_answers import JoinedHead
from ml_backend.core.labels import LabelSet, as_matrix, leftover, mixture, same_answers, sample_coverage
from ml_backend.core.neighbour_votes import NeighbourVotes
from ml_backend.core.neighbourhood import NearestLabels, PoolWays
from ml_backend.core.query import QueryScores, Ranking, rank_lantern, rank_s_ood
from ml_backend.core.responsibilities import SparseResponsibilities, row_sums
from ml_backend.engine.label_store import LabelStore, fit_store
from ml_backend.errors import ConfigError, InputError

CHUNK = 2048
"""Items whose (n, Y) probabilities exist at a time."""


@dataclass(frozen=True)
class Propagation:
    """One label store applied to N items. All arrays (N,).

    label, confidence: int32 position in classes and calibrated probability, from tau with the graph's prior, the
    neighbours' votes and the head. p_label, p_max: the same of p(y|x) = sum_c r_c tau[c, y] alone, exactly as the
    formula gives it.
    s_ood, ambiguity, clash: HIGH = ask. evidence, reach: HIGH = well supported by labels on the item's components, or
    near them on the graph. nearest_labelled: int32 row of the pool, or -1. nearness: in [0, 1], HIGH = a label is near
    along the neighbour graph (`core.neighbourhood`).
    """

    store: LabelStore
    label: NDArray[np.int32]
    confidence: NDArray[np.float32]
    p_label: NDArray[np.int32]
    p_max: NDArray[np.float32]
    ambiguity: NDArray[np.float32]
    evidence: NDArray[np.float32]
    reach: NDArray[np.float32]
    s_ood: NDArray[np.float32]
    clash: NDArray[np.float32]
    nearest_labelled: NDArray[np.int32]
    nearness: NDArray[np.float32]

    @property
    def label_set(self) -> str:
        """The label set's name."""
        return self.store.name

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of `label`."""
        return self.store.classes


@dataclass(frozen=True)
class TaskScores:
    """All label stores together: a task is as sure as its least sure store. Each (N,) float32 in [0, 1].

    sample_coverage: of the store with the least, in [0, 1]; see `ml_backend.core.labels`.
    """

    s_ood: NDArray[np.float32]
    evidence: NDArray[np.float32]
    ambiguity: NDArray[np.float32]
    confidence: NDArray[np.float32]
    clash: NDArray[np.float32]
    nearness: NDArray[np.float32]
    sample_coverage: float


def apply_store(
    store: LabelStore,
    description: PoolDescription,
    pool_label: NDArray[np.int32] | None = None,
    *,
    rows: NDArray[np.int64] | None,
) -> Propagation:
    """description: of items of the pool, which are its `rows` (N,), or of new ones (None); neighbours point into it.

    Without their rows, labelled items of the pool would vote for themselves: so `rows` has no default.
    pool_label: (N_pool,) labels propagated to the pool, for the clash of new items with their neighbours; None: no
    clash.
    """
    n, nearest = len(description), store.ways.nearest(description, rows)
    label, p_label = np.zeros(n, np.int32), np.zeros(n, np.int32)
    p_max, second, confidence = (np.zeros(n, np.float32) for _ in range(3))
    votes = NeighbourVotes.of(description, nearest, store.voters, rows)
    head = _head(store, description)
    share = scores.labelled_share(description.responsibilities, store.s, store.alpha0)
    floor = leftover(description.responsibilities) / np.float32(len(store.classes))
    plain, named = store.tau.astype(np.float32), store.tau_named.astype(np.float32)
    for part, r in _chunks(description):
        p = mixture(r, plain, floor[part])
        p_label[part] = p.argmax(axis=1)
        p_max[part] = p[np.arange(len(p)), p_label[part]]
        second[part] = _second(p, p_label[part])
        p = mixture(r, named, floor[part])
        votes.blend(p, floor[part], part.start)
        rest = without_floor(p, floor[part])
        if head is not None:
            head.blend(rest, part.start)
        label[part] = rest.argmax(axis=1)
        largest = rest[np.arange(len(rest)), label[part]]
        confidence[part] = tempered_maximum(rest, largest, store.temperature)
    return Propagation(
        store=store,
        label=label,
        confidence=confidence,
        p_label=p_label,
        p_max=p_max,
        ambiguity=scores.ambiguity(share, p_max, second),
        evidence=scores.evidence(description.responsibilities, store.s),
        reach=_over_components(description.responsibilities, store.reach),
        s_ood=scores.s_ood(description.responsibilities, store.tau),
        clash=np.zeros(n, np.float32) if pool_label is None else _clash(description, label, pool_label),
        nearest_labelled=_nearest_labelled(store, description, nearest),
        nearness=nearest.closeness,
    )


def propagate(
    description: PoolDescription,
    labels: LabelSet,
    *,
    alpha0: float | None = None,
    ways: PoolWays | None = None,
) -> Propagation:
    """Spread one label set over its pool. ways: of the same pool, shared by its label sets."""
    store = fit_store(description, labels, alpha0=alpha0, ways=ways)
    spread = apply_store(store, description, rows=np.arange(len(description)))
    return replace(spread, clash=_clash(description, spread.label, spread.label))


def probabilities(store: LabelStore, description: PoolDescription, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """(N, Y) calibrated p(y|x) of some rows of the pool, rows sum to 1; for few items at a time: N Y numbers."""
    p = np.zeros((len(description), len(store.classes)), np.float32)
    for part, values in _probabilities(store, description, rows):
        p[part] = values
    return p


def probability_of(store: LabelStore, description: PoolDescription, position: int) -> NDArray[np.float32]:
    """(N,) calibrated p of one class, the `position`-th, of every item of the pool."""
    p = np.zeros(len(description), np.float32)
    for part, values in _probabilities(store, description, np.arange(len(description))):
        p[part] = values[:, position]
    return p


def _probabilities(
    store: LabelStore, description: PoolDescription, rows: NDArray[np.int64]
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Calibrated p(y|x) of some items at a time."""
    votes = NeighbourVotes.of(description, store.ways.nearest(description, rows), store.voters, rows)
    head = _head(store, description)
    floor = leftover(description.responsibilities) / np.float32(len(store.classes))
    named = store.tau_named.astype(np.float32)
    for part, r in _chunks(description):
        p = mixture(r, named, floor[part])
        votes.blend(p, floor[part], part.start)
        rest = without_floor(p, floor[part])
        if head is not None:
            head.blend(rest, part.start)
        yield part, np.asarray(apply_temperature(rest, store.temperature), np.float32)


def _over_components(r: SparseResponsibilities, of_component: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) sum_c r_c v_c of values (K,)."""
    return np.asarray(as_matrix(r) @ of_component, np.float32)


def _head(store: LabelStore, description: PoolDescription) -> JoinedHead | None:
    """None: no head was fitted for this label set."""
    answers = description.heads.get(store.name)
    if answers is None:
        return None
    # Of the listed components alone: an item that fits none, its r spread over hundreds, is what a head is for.
    listed = row_sums(description.responsibilities.values)
    current = _over_components(description.responsibilities, store.current) / listed
    return answers.joined(store.classes, np.any(store.targets > 0, axis=0), current)


def combine(propagations: Sequence[Propagation], description: PoolDescription) -> TaskScores:
    """The least sure store speaks for the task; without any store nothing is known: s_ood 1, evidence 0."""
    n = len(description)
    if not propagations:
        nothing, everything = np.zeros(n, np.float32), np.ones(n, np.float32)
        return TaskScores(everything, nothing, nothing, nothing, nothing, nothing, 0.0)
    if any(len(p.label) != n for p in propagations):
        raise InputError("the propagations are not of the described items")
    return TaskScores(
        s_ood=np.max([p.s_ood for p in propagations], axis=0),
        evidence=np.min([p.evidence for p in propagations], axis=0),
        ambiguity=np.max([p.ambiguity for p in propagations], axis=0),
        confidence=np.min([p.confidence for p in propagations], axis=0),
        clash=np.max([p.clash for p in propagations], axis=0),
        nearness=np.min([p.nearness for p in propagations], axis=0),
        sample_coverage=min(sample_coverage(p.store.targets) for p in propagations),
    )


def rank(
    description: PoolDescription,
    task_scores: TaskScores,
    labelled_rows: NDArray[np.int64],
    query: str = "lantern",
    *,
    label_sets: Sequence[LabelSet],
    never_seen_level: float = 0.01,
    set_aside_rows: NDArray[np.int64] | None = None,
    absent_rows: NDArray[np.int64] | None = None,
) -> Ranking:
    """Order of the queue. query: "lantern" or "s_ood".

    labelled_rows go last under "lantern" and speak for their groups, those with the same answer in all label_sets
    together; set_aside_rows (skipped, unsure) go last and speak for their copies alone; absent_rows (deleted tasks) go
    last and speak for nothing.
    """
    labelled, set_aside, absent = np.zeros((3, len(description)), bool)
    labelled[labelled_rows] = True
    for marked, rows in ((set_aside, set_aside_rows), (absent, absent_rows)):
        if rows is not None:
            marked[rows] = True
            marked &= ~labelled
    answers = same_answers(label_sets, len(description))
    asked = QueryScores(
        **vars(task_scores),
        answers=answers,
        labelled=labelled,
        set_aside=set_aside,
        absent=absent,
        labels=_least_known(label_sets),
    )
    if query == "s_ood":
        return rank_s_ood(description, asked, never_seen_level=never_seen_level)
    if query == "lantern":
        return rank_lantern(description, asked, never_seen_level=never_seen_level)
    raise ConfigError(f"query {query!r} is neither 'lantern' nor 's_ood'")


def _least_known(label_sets: Sequence[LabelSet]) -> LabelSet | None:
    """Of the sets with labels enough the one that knows its classes least well: there groups are still to be found."""
    enough = [labels for labels in label_sets if len(labels.rows) >= FEWEST_LABELS]
    return min(enough, key=lambda labels: sample_coverage(labels.targets), default=None)


def _chunks(description: PoolDescription) -> Iterator[tuple[slice, sparse.csr_matrix]]:
    """Some items at a time, and their r (n, K)."""
    r = as_matrix(description.responsibilities)
    for start in range(0, len(description), CHUNK):
        part = slice(start, min(start + CHUNK, len(description)))
        yield part, r[part]


def _second(p: NDArray[np.float32], best: NDArray[np.int32]) -> NDArray[np.float32]:
    """The second largest p(y|x) of each row; the largest where there is one class only."""
    rows = np.arange(len(p))
    top = np.asarray(p[rows, best])
    if p.shape[1] == 1:
        return top
    p[rows, best] = -1.0
    second = p.max(axis=1)
    p[rows, best] = top
    return np.asarray(second)


def _clash(
    description: PoolDescription, label: NDArray[np.int32], pool_label: NDArray[np.int32]
) -> NDArray[np.float32]:
    """(N,) share of the neighbours, weighed by cosine, that get another label; 0 without neighbours."""
    weight = np.maximum(description.similarities, np.float32(0.0))
    other = pool_label.take(description.neighbours, mode="wrap") != label[:, None]
    total = row_sums(weight)
    return np.where(total > 0, row_sums(weight * other) / np.where(total > 0, total, 1.0), 0.0).astype(np.float32)


def _nearest_labelled(store: LabelStore, description: PoolDescription, nearest: NearestLabels) -> NDArray[np.int32]:
    """The nearest labelled row along the neighbour graph, else the one that belongs most to the item's component."""
    examples = store.example[description.responsibilities.indices]
    first = (examples >= 0).argmax(axis=1)
    of_component = examples[np.arange(len(examples)), first]
    return np.where(nearest.row >= 0, nearest.row, of_component).astype(np.int32)
