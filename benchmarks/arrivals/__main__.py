"""Whether strange tasks that come together stay never seen until somebody labels one of their kind.

python -m benchmarks.arrivals --data clinc150.npz [--seeds 3]
A pool of FIRST items of KINDS kinds; EARLIER ordinary items join it in four parts, then 100 strange ones, 90 of three
kinds that it does not have, or 100 ordinary ones, in three. LABELS random ordinary items are labelled. Compared are the
rank in the whole pool, which every other item gets, and what `engine/arrivals.py` keeps. The file: x, y (names;
those that begin with oos are of no kind).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.description import PoolDescription
from ml_backend.core.labels import LabelSet
from ml_backend.engine.arrivals import as_new_as_the_nearest, with_arrivals
from ml_backend.engine.checkpoint import Working
from ml_backend.engine.pool import Pool, PoolSettings, propagate
from ml_backend.engine.scored import is_reached
from ml_backend.engine.snapshot import PoolMatrix

KINDS, OTHERS, LABELS = 40, 3, 200
POOLS = ((2000, 0), (2000, 1000), (1000, 2000))
"""(FIRST, EARLIER)."""
BURST, EACH = 100, 30

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Burst:
    """What comes at last. rows, later: of the file; `later` are asked about before they are taken in."""

    name: str
    rows: Rows
    later: Rows


@dataclass(frozen=True)
class Draw:
    """One seed's kinds and orders."""

    own: Rows
    bursts: tuple[Burst, ...]

    @staticmethod
    def of(y: NDArray[np.str_], seed: int) -> Draw:
        random = np.random.default_rng(seed)
        strange = random.permutation(np.flatnonzero(np.char.startswith(y, "oos")))
        kinds = random.permutation(np.unique(np.delete(y, strange)))
        own = random.permutation(np.flatnonzero(np.isin(y, kinds[:KINDS])))
        other = [random.permutation(np.flatnonzero(y == kind)) for kind in kinds[KINDS : KINDS + OTHERS]]
        most = max(first + earlier for first, earlier in POOLS)
        return Draw(
            own,
            (
                Burst("out of scope", strange[:BURST], strange[BURST : 2 * BURST]),
                Burst(
                    "new kinds",
                    random.permutation(np.concatenate([rows[:EACH] for rows in other])),
                    np.concatenate([rows[EACH : 2 * EACH] for rows in other]),
                ),
                Burst("ordinary", own[most : most + BURST], own[most + BURST : most + 2 * BURST]),
            ),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args()
    with np.load(args.data, allow_pickle=False) as file:
        x, y = file["x"].astype(np.float32), file["y"].astype(str)
    print(f"{'seed':>4} {'pool':>11} {'arrivals':14} {'one label each':14} ", end="")
    print(" ".join(f"{title:>12}" for title in ("new: rank", "new: kept", "named: rank", "named: kept", "asked: new")))
    for seed in range(args.seeds):
        draw = Draw.of(y, seed)
        for first, earlier in POOLS:
            for words, shares in measured(x, y, draw, first, earlier, seed):
                print(f"{seed:>4} {f'{first}+{earlier}':>11} {words} " + " ".join(f"{s:12.2f}" for s in shares))


def measured(
    x: NDArray[np.float32], y: NDArray[np.str_], draw: Draw, first: int, earlier: int, seed: int
) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Of each burst, in words and numbers, the share that is never seen (by rank, as kept), that is named (by rank, as
    kept), and that is never seen of those that are asked about before they are taken in.
    """
    base = Pool.create(x[draw.own[:first]], PoolSettings(), seed=0)
    for burst in draw.bursts:
        working, rows = grown(base, x, draw.own[:first], [*np.array_split(draw.own[first : first + earlier], 4)])
        rows = joined(working, x, rows, np.array_split(burst.rows, 3))
        ordinary = np.random.default_rng(seed).permutation(first + earlier)[:LABELS]
        for each in (False, True) if burst.name == "new kinds" else (False,):
            one_each = [int(np.flatnonzero(y[rows] == kind)[0]) for kind in np.unique(y[burst.rows])] if each else []
            labelled = np.concatenate([ordinary, np.asarray(one_each, np.int64)])
            yield f"{burst.name:14} {'yes' if each else 'no':14}", shares(working, x, y[rows], labelled, burst)


def grown(base: Pool, x: NDArray[np.float32], rows: Rows, parts: list[Rows]) -> tuple[Working, Rows]:
    """The pool as it is made, then with what came in parts."""
    pool = Pool.restore(x[rows], base.settings, base.state())
    pool.describe()
    working = Working(PoolMatrix(np.arange(len(rows)), x[rows], 1), pool, "vector")
    return working, joined(working, x, rows, parts)


def joined(working: Working, x: NDArray[np.float32], rows: Rows, parts: list[Rows]) -> Rows:
    """All rows of the pool after these parts joined it."""
    for part in parts:
        if len(part):
            rows = np.concatenate([rows, part])
            working.take(PoolMatrix(np.arange(len(rows)), x[rows], 1))
    return rows


def shares(
    working: Working, x: NDArray[np.float32], names: NDArray[np.str_], labelled: Rows, burst: Burst
) -> tuple[float, ...]:
    """See `measured`."""
    if working.arrivals is None:
        raise SystemExit("too much of this pool is strange: nothing is kept")
    level = working.pool.settings.never_seen_level
    snapshot, last = working.snapshot(), slice(-len(burst.rows), None)
    marked = np.zeros(len(names), bool)
    marked[labelled] = True
    kept = with_arrivals(snapshot.description, snapshot.arrivals, marked, level)
    new = as_new_as_the_nearest(working.pool.describe_new(x[burst.later]), kept, len(snapshot.arrivals))
    seen = [(each.novelty[last] <= level) & ~marked[last] for each in (snapshot.description, kept)]
    named = [
        is_named(each, names, labelled, strange)[last]
        for each, strange in zip(
            (snapshot.description, kept), (snapshot.description.novelty, kept.novelty), strict=True
        )
    ]
    return (*(float(s.mean()) for s in (*seen, *named)), float((new.novelty <= level).mean()))


def is_named(
    description: PoolDescription, names: NDArray[np.str_], labelled: Rows, novelty: NDArray[np.float32]
) -> Mask:
    """(N,) items that get a label."""
    classes, index = np.unique(names[labelled], return_inverse=True)
    spread = propagate(description, LabelSet("kind", tuple(classes), labelled, np.eye(len(classes))[index]))
    marked = np.zeros(len(names), bool)
    marked[labelled] = True
    return np.asarray(is_reached(spread) & ((novelty > PoolSettings().never_seen_level) | marked))


if __name__ == "__main__":
    main()
