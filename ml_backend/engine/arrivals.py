"""Tasks that came after a pool was made: how new each was when it came.

The pool's own items are compared with each other, so that about one in a hundred counts as never seen. Of many strange
tasks that come together most would count as ordinary so, and get labels. They are compared with what the pool was made
of instead, and stay as new as they were until a label is on one of their kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

from ml_backend.core.description import PoolDescription
from ml_backend.engine.pool import Pool
from ml_backend.errors import CheckpointError

NEIGHBOURS, SIMILARITIES, FIRST_NEW = "pool.neighbours", "pool.similarities", "pool.first_new"
"""What differs in a pool's state between now and then, when no item had come later."""
ODD_LEVEL = 0.05
"""p-value up to which an arrival is odd. One that is not is of a kind that was there, and leads to no new one."""
PREFIX = "arrivals."
FIELDS = ("neighbours", "similarities", "novelty")


@dataclass(frozen=True)
class Arrivals:
    """The last A rows of a pool of F + A.

    neighbours, similarities: (F, k) of the F rows before, among themselves. novelty: (A,) float32 in
    (0, 1], conformal p-value against those F rows, LOW = nothing like it was there.
    """

    neighbours: NDArray[np.int32]
    similarities: NDArray[np.float32]
    novelty: NDArray[np.float32]

    @staticmethod
    def none_yet(pool: Pool) -> Arrivals:
        """Of a pool whose rows are all its own."""
        state = pool.state()
        return Arrivals(
            state[NEIGHBOURS].astype(np.int32, copy=False),
            state[SIMILARITIES].astype(np.float32, copy=False),
            np.empty(0, np.float32),
        )

    def with_new(self, pool: Pool, x_new: NDArray[np.generic]) -> Arrivals:
        """With items that are about to join the pool. x_new: (n, ...), n >= 1."""
        before = self._before(pool) if len(self.novelty) else pool
        return replace(self, novelty=np.concatenate([self.novelty, before.describe_new(x_new).novelty]))

    def _before(self, pool: Pool) -> Pool:
        """Made anew for each batch of tasks: it has an index as large as the pool's, and no use in between."""
        first = len(self.neighbours)
        as_it_was = {NEIGHBOURS: self.neighbours, SIMILARITIES: self.similarities, FIRST_NEW: np.array(first)}
        return Pool.restore(pool.x[:first], pool.settings, pool.state() | as_it_was)

    def tensors(self) -> dict[str, NDArray[np.generic]]:
        """What `restore` takes."""
        return {PREFIX + name: getattr(self, name) for name in FIELDS}

    def strange(self, level: float) -> int:
        """How many are never seen at this level."""
        return int(np.count_nonzero(self.novelty <= level))

    @staticmethod
    def restore(tensors: Mapping[str, NDArray[np.generic]], n: int) -> Arrivals | None:
        """None when none had come. n: rows of the pool. Raises CheckpointError when they do not fit."""
        if PREFIX + FIELDS[0] not in tensors:
            return None
        try:
            neighbours, similarities, novelty = (tensors[PREFIX + name] for name in FIELDS)
        except KeyError as error:
            raise CheckpointError(f"what came later cannot be read: {error}") from error
        if len(neighbours) + len(novelty) != n or similarities.shape != neighbours.shape:
            raise CheckpointError(f"{len(neighbours)} items and {len(novelty)} that came later are no pool of {n}")
        return Arrivals(
            neighbours.astype(np.int32, copy=False),
            similarities.astype(np.float32, copy=False),
            novelty.astype(np.float32, copy=False),
        )


def with_arrivals(
    description: PoolDescription, novelty: NDArray[np.float32], labelled: NDArray[np.bool_], level: float
) -> PoolDescription:
    """The description with the novelty of the last A rows as it was when they came.

    novelty: (A,) of `Arrivals`. labelled: (N,) rows with a label. level: p-values up to it are never seen. Arrivals
    that lead to a labelled odd one, each over an odd one nearer to it than every other row, are of a kind that a person
    knows: they are compared with the whole pool, as the other rows are.
    """
    if not len(novelty):
        return description
    first = len(description) - len(novelty)
    own, odd = description.novelty[first:], novelty <= max(level, ODD_LEVEL)
    known = _known(description.neighbours[first:], first, odd, labelled[first:]) | labelled[first:]
    return description.with_novelty(np.concatenate([description.novelty[:first], np.where(known, own, novelty)]))


def as_new_as_the_nearest(new: PoolDescription, whole: PoolDescription, arrivals: int) -> PoolDescription:
    """Items that are not in the pool yet: whose nearest row is an arrival is at least as new as that one.

    new: of the items, with neighbours among the rows of `whole`, whose last `arrivals` rows came later.
    """
    near = new.neighbours[:, 0]
    beside = np.where(near >= len(whole) - arrivals, whole.novelty[near], np.float32(1))
    return replace(new, novelty=np.minimum(new.novelty, beside))


def _known(
    near: NDArray[np.int32], first: int, odd: NDArray[np.bool_], labelled: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(A,) which arrivals lead to a labelled one over odd ones. near: (A, k) rows, nearest first, -1 = none; the
    arrivals are the rows from `first` on.
    """
    leads = np.concatenate([np.zeros(first, bool), odd])  # over what is like the rows from before, all leads to all
    past_none = np.logical_and.accumulate(leads[near] | (near < 0), axis=1) & (near >= 0)
    goal, (start, place) = len(near), np.nonzero(past_none)
    ends = np.flatnonzero(labelled & odd)
    back = np.concatenate([near[start, place] - first, np.full(len(ends), goal)]), np.concatenate([start, ends])
    ways = csr_array((np.ones(len(back[0]), np.int8), back), shape=(goal + 1, goal + 1))
    reached = np.zeros(goal + 1, bool)
    reached[breadth_first_order(ways, goal, return_predecessors=False)] = True
    return reached[:goal]
