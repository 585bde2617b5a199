"""The head of the queue: a batch of items that differ from each other, chosen one by one."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.component_graph import ComponentGraph
from ml_backend.core.description import PoolDescription
from ml_backend.core.labels import component_means
from ml_backend.core.neighbour_votes import LEAST_CLOSENESS

NOVEL_EVERY = 25
"""One of so many places goes to the item least like anything seen. An outlier teaches little about the rest:
on CLINC150 1 in 8 cost 5 points of accuracy at 150 labels, 1 in 24 cost none."""

DOUBT_FROM, DOUBT_ONLY = (0.95, 0.6), (1.0, 0.9)
"""Share of the pool on components that hold a label at which doubtful items begin to share the batch, and at which they
fill it: while labels still name new classes, and once they do not. What a label merely reaches does not count: on log
lines the walk reaches other templates, and asking for doubtful items from a reached .6 on cost 7 points on Android with
100 labels; from a held .7 on, 1 point, and from .85 on, where components are distinct texts, another one."""

SETTLED_EXPONENT = 1.5
"""Confidence counts by this power of the labels' sample coverage: hardly at all while half of them name new classes."""

OUTLIERS_FROM, OUTLIERS_UNTIL = 0.5, 5.0 / 6.0
"""All questions go to the outliers of classes while the labels' sample coverage is between these. Below in proportion:
while every label names a new class there is nothing to stand apart from. Above in proportion to what is left: where
hardly a label names a new class any more, there is hardly a group left to be found."""

FIRST_LABELS = 10
"""Until so many items are labelled, a label speaks for what longer walks reach (`component_graph.FIRST_REACH`)."""


@dataclass(frozen=True)
class Batch:
    """rows: (b,) in the order of asking. representative, doubtful, class_outlier: (b,) bool, why; else: novel."""

    rows: NDArray[np.int64]
    representative: NDArray[np.bool_]
    doubtful: NDArray[np.bool_]
    class_outlier: NDArray[np.bool_]


@dataclass(frozen=True)
class Known:
    """What the labels say. doubt: (N,) HIGH = ask. confidence: (N,) in [0, 1]. sample_coverage: in [0, 1].

    answers: (N,) equal numbers for items that were given the same answer; see `ml_backend.core.labels.same_answers`.
    class_outliers: (m,) rows in the order of asking, see `ml_backend.core.class_outliers`. outlier_share: in [0, 1],
    their share of the questions, while there are any.
    """

    doubt: NDArray[np.float64]
    confidence: NDArray[np.float32]
    sample_coverage: float
    answers: NDArray[np.int64]
    class_outliers: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    outlier_share: float = 0.0

    @property
    def settled(self) -> float:
        """In [0, 1]: how far confidence can be trusted where there is no label: a class not met yet has none."""
        return float(self.sample_coverage**SETTLED_EXPONENT)


def choose_batch(
    description: PoolDescription,
    known: Known,
    labelled: NDArray[np.bool_],
    set_aside: NDArray[np.bool_],
    absent: NDArray[np.bool_],
    *,
    size: int,
) -> Batch:
    """At most `size` unlabelled items: typical ones of regions without labels, once labels repeat first the outliers of
    classes, later doubtful ones, and some novel ones.

    What was never seen takes part in all of them: where a message comes once among thousands of copies, the rare ones
    are what is left to ask about.

    labelled, set_aside, absent: (N,) bool, not to be asked. The labelled ones cover their components; copies of what
    is labelled or set aside (skipped, unsure) are not asked about either.
    Ends early when a label on what was chosen would say something about every item left.
    """
    chooser = _Chooser(description, known, labelled, set_aside, absent)
    rows, kinds = [], []
    for place in range(size):
        for kind in chooser.wishes(place):
            item = chooser.take(kind)
            if item is not None:
                rows.append(item)
                kinds.append(kind)
                break
        else:
            break
    chosen = np.array(kinds, dtype=np.int8)
    return Batch(
        np.array(rows, dtype=np.int64), *(chosen == kind for kind in (_REPRESENTATIVE, _DOUBTFUL, _CLASS_OUTLIER))
    )


_REPRESENTATIVE, _DOUBTFUL, _CLASS_OUTLIER, _NOVEL = range(4)


class _Chooser:
    """Four queues over the same items; what one takes is blocked for all, with what is alike."""

    def __init__(
        self,
        description: PoolDescription,
        known: Known,
        labelled: NDArray[np.bool_],
        set_aside: NDArray[np.bool_],
        absent: NDArray[np.bool_],
    ) -> None:
        self._description = description
        first = np.count_nonzero(labelled) < FIRST_LABELS
        self._graph = description.first_component_graph if first else description.component_graph
        self._coverage = _coverage(self._graph, description, np.flatnonzero(labelled), known.answers)
        self._absent = absent
        # By place: one question is enough for copies.
        self._closed, self._chosen = np.zeros(len(description), bool), np.zeros(len(description), bool)
        self._closed[description.places[labelled | set_aside]] = True
        free = np.flatnonzero(~absent & ~self._closed[description.places])
        self._members = _typical_members(description, free)
        answered = np.unique(description.responsibilities.indices[labelled, 0])
        covered = float(self._graph.mass[answered].sum())  # by people: what the batch adds has raised no doubt yet
        self._doubt_share = _doubt_share(covered, known.settled)
        rooted = max(self._doubt_share, known.settled)
        unsure = 1.0 - known.settled * component_means(description.responsibilities, known.confidence)
        self._importance = self._graph.importance(rooted, unsure)
        gains = self._importance @ np.maximum(self._graph.covering - self._coverage[:, None], 0.0)
        self._heap = [(-float(gain), c) for c, gain in enumerate(gains)]
        heapq.heapify(self._heap)
        self._queues = {
            _DOUBTFUL: iter(free[np.argsort(-known.doubt[free], kind="stable")].tolist()),
            _CLASS_OUTLIER: iter(known.class_outliers.tolist()),
            _NOVEL: iter(np.argsort(description.novelty, kind="stable").tolist()),
        }
        self._outlier_share = known.outlier_share
        self._outlier_due = self._doubt_due = 0.0

    def wishes(self, place: int) -> Iterator[int]:
        """The kinds to try for this place, in order. Doubtful items have their share of what outliers leave."""
        if place % NOVEL_EVERY == NOVEL_EVERY - 1:
            yield from (_NOVEL, _REPRESENTATIVE, _DOUBTFUL)
            return
        self._outlier_due += self._outlier_share
        if self._outlier_due >= 1.0:
            self._outlier_due -= 1.0
            yield _CLASS_OUTLIER
        self._doubt_due += self._doubt_share
        if self._doubt_due >= 1.0:
            self._doubt_due -= 1.0
            yield from (_DOUBTFUL, _REPRESENTATIVE, _NOVEL)
        else:
            yield from (_REPRESENTATIVE, _DOUBTFUL, _NOVEL)

    def take(self, kind: int) -> int | None:
        """The best item of a kind that is not blocked; it covers its components and blocks what is alike."""
        item = self._representative() if kind == _REPRESENTATIVE else self._first_free(self._queues[kind])
        if item is not None:
            r = self._description.responsibilities
            place = self._description.places[item]
            self._chosen[place] = self._closed[place] = True
            self._closed[self._alike(item)] = True
            np.maximum(self._coverage, self._graph.covered_by(r.indices[item], r.values[item]), out=self._coverage)
        return item

    def _representative(self) -> int | None:
        """Lazy greedy: a component's gain only falls as coverage grows, so an up-to-date top of the heap is best."""
        while self._heap:
            old, component = heapq.heappop(self._heap)
            gain = self._graph.gain(self._importance, self._coverage, component)
            if self._heap and gain < -self._heap[0][0]:
                heapq.heappush(self._heap, (-gain, component))
                continue
            if gain <= 0.0:
                return None
            item = self._first_free(self._members[component])
            if item is not None:
                heapq.heappush(self._heap, (old, component))
                return item
        return None

    def _first_free(self, queue: Iterator[int]) -> int | None:
        return next((item for item in queue if self._is_free(item)), None)

    def _is_free(self, item: int) -> bool:
        asked = self._absent[item] or self._closed[self._description.places[item]]
        return not asked and not self._chosen[self._alike(item)].any()

    def _alike(self, item: int) -> NDArray[np.int32]:
        """Places of the neighbours about which a label on the item would say something: who is alone has some too."""
        d = self._description
        near = d.neighbours[item][d.similarities[item] >= LEAST_CLOSENESS]  # 0 where there is none
        return np.asarray(d.places[near])


def _coverage(
    graph: ComponentGraph, description: PoolDescription, labelled: NDArray[np.int64], answers: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(K,) see `ComponentGraph.coverage`; the same answer for copies is one answer."""
    given = np.stack([answers[labelled], description.places[labelled]])
    rows = labelled[np.sort(np.unique(given, axis=1, return_index=True)[1])]
    return graph.coverage(description.responsibilities.take(rows), answers[rows])


def _doubt_share(covered: float, settled: float) -> float:
    """Share of the batch that goes to doubtful items; covered: share of the pool on components with a label."""
    first, only = (a + settled * (b - a) for a, b in (DOUBT_FROM, DOUBT_ONLY))
    return min(max((covered - first) / (only - first), 0.0), 1.0)


def outlier_share(sample_coverage: float) -> float:
    """In [0, 1]: share of the batch that goes to outliers of classes; sample_coverage: of the labels, in [0, 1]."""
    return min(sample_coverage / OUTLIERS_FROM, (1.0 - sample_coverage) / (1.0 - OUTLIERS_UNTIL), 1.0)


def _typical_members(description: PoolDescription, items: NDArray[np.int64]) -> list[Iterator[int]]:
    """Per component those of the items that belong to it first of all, the most typical first."""
    r = description.responsibilities
    home = r.indices[items, 0]
    typical = r.values[items, 0] * description.density[items]
    order = np.lexsort((-typical, home))
    bounds = np.searchsorted(home[order], np.arange(r.n_components + 1))
    ordered = items[order]
    return [iter(ordered[a:b].tolist()) for a, b in pairwise(bounds.tolist())]
