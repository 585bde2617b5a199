"""Seconds and memory of the two maps, and how true the better one stays to itself after a training.

    python -m benchmarks.map_layout [--items 20000 60000 100000 120000] [--trained 5000] [--data FILE.npz]

Synthetic vectors in 150 groups, unless a data-set file of `lantern simulate` is given (for the second table). Each row
of the first table runs in a process of its own, as the product does it: its seconds hold the imports and the compiling.
Above MOST_FITTED items the others are placed among those by their neighbours, which the publication has already.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.training_speed import vectors
from ml_backend.core.description import PoolDescription
from ml_backend.core.hyperparameters import RunConfig
from ml_backend.core.labels import LabelSet
from ml_backend.core.layout.alignment import align
from ml_backend.core.layout.drift import drift
from ml_backend.core.layout.plane import principal_plane
from ml_backend.core.layout.square import into_square
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.data.dataset import read_dataset
from ml_backend.data.index import neighbours
from ml_backend.engine.layout_fitting import MOST_FITTED, better_map
from ml_backend.engine.pool import Pool
from ml_backend.engine.pool_settings import PoolSettings
from ml_backend.engine.snapshot import Snapshot

BUDGET_ITEMS, BUDGET_SECONDS = 60_000, 120
FEATURES, COMPONENTS, GROUPS = 96, 512, 150
KEPT = 15
"""Neighbours on the map that are compared before and after."""


def responsibilities(n: int, seed: int) -> SparseResponsibilities:
    """Three or four components an item, those of its group first."""
    random = np.random.default_rng(seed)
    own = (np.arange(n) % GROUPS) * 3
    indices = (own[:, None] + np.arange(4)[None, :] * (1 + 7 * (np.arange(4) > 2))[None, :]) % COMPONENTS
    log_r = np.log(random.dirichlet([4.0, 2.0, 1.0, 0.2], n)).astype(np.float32)
    return SparseResponsibilities(indices.astype(np.int32), log_r, np.zeros(n, np.float32), COMPONENTS, 1.0)


def time_maps(n: int) -> None:
    """One row of the first table, in this process."""
    x, nothing = vectors(n, FEATURES), np.zeros(n, np.float32)
    near, similar = neighbours(x, KEPT if n > MOST_FITTED else 0)
    description = PoolDescription(responsibilities(n, 0), near, similar, nothing, nothing, nothing)
    started = time.perf_counter()
    plane = principal_plane(x)
    pca = time.perf_counter() - started
    started, cpu = time.perf_counter(), time.process_time()
    better_map(x, Snapshot(np.arange(n), description), plane, seed=0)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    verdict = "" if n != BUDGET_ITEMS else f"  ({BUDGET_SECONDS} s: {'met' if seconds <= BUDGET_SECONDS else 'MISSED'})"
    print(f"{n:>9,}  {pca:>8.1f}  {seconds:>8.1f}  {cpu:>8.1f}  {peak:>8.0f}{verdict}", flush=True)


def pool_of(data: Path | None, n: int) -> tuple[Pool, NDArray[np.int64]]:
    """A new pool and the class of each row."""
    if data is None:
        x, y = vectors(n, FEATURES), np.arange(n) % GROUPS
    else:
        dataset = read_dataset(data)
        rows = np.random.default_rng(0).permutation(dataset.pool_rows)[:n]
        items = dataset.images if dataset.images is not None else dataset.x
        if items is None or dataset.y is None:
            raise SystemExit(f"{data} has no vectors or pictures with labels")
        x, y = items[rows], np.unique(dataset.y, return_inverse=True)[1][rows]
    return Pool.create(x, PoolSettings(), seed=0), y


def stability(data: Path | None, n: int) -> None:
    """The second table: the map before a training, after it, and the drift that stands in for it meanwhile."""
    pool, y = pool_of(data, n)
    before, then = _map(pool), pool.model.responsibilities(pool.x)
    chosen = np.sort(np.random.default_rng(0).choice(len(y), min(300, len(y) // 4), replace=False))
    classes = tuple(str(c) for c in range(int(y.max()) + 1))
    label_set = LabelSet("kind", classes, chosen, np.eye(len(classes))[y[chosen]])
    pool.train(RunConfig(epochs=5, seed=0), (label_set,))
    now = pool.model.responsibilities(pool.x)
    raw = _map(pool)
    after = into_square(align(raw, before)(raw))
    drifted = drift(before, then, now)
    print("\nafter a training  mean way  median way  kept neighbours  nearest of the same class")
    print(f"{'before it':>16}  {'':>8}  {'':>10}  {'':>15}  {_purity(before, y):>10.3f}")
    for name, xy in (("drifted", drifted), ("computed anew", after)):
        way = np.linalg.norm(xy - before, axis=1)
        kept = _kept(before, xy)
        print(f"{name:>16}  {way.mean():>8.3f}  {np.median(way):>10.3f}  {kept:>15.2f}  {_purity(xy, y):>10.3f}")
    nearest = neighbours(pool.model.features(pool.x), KEPT)[0]
    print(f"{'(features)':>16}  {'':>8}  {'':>10}  {'':>15}  {float((y[nearest] == y[:, None]).mean()):>10.3f}")


def _map(pool: Pool) -> NDArray[np.float32]:
    features = pool.model.features(pool.x)
    snapshot = Snapshot(np.arange(len(pool)), pool.describe())
    return better_map(features, snapshot, principal_plane(features), seed=0)


def _near(xy: NDArray[np.float32]) -> NDArray[np.int64]:
    """(N, KEPT) nearest on the map, by brute force in blocks."""
    found = []
    for start in range(0, len(xy), 1000):
        apart = ((xy[start : start + 1000, None] - xy[None]) ** 2).sum(axis=2)
        apart[np.arange(len(apart)), np.arange(start, start + len(apart))] = np.inf
        found.append(np.argpartition(apart, KEPT, axis=1)[:, :KEPT])
    return np.concatenate(found)


def _kept(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    pairs = zip(_near(one), _near(other), strict=True)
    return float(np.mean([len(np.intersect1d(a, b)) / KEPT for a, b in pairs]))


def _purity(xy: NDArray[np.float32], y: NDArray[np.int64]) -> float:
    return float((y[_near(xy)] == y[:, None]).mean())


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, nargs="*", default=[20_000, 60_000, 100_000, 120_000])
    parser.add_argument("--trained", type=int, default=5000, help="items of the second table, 0 = without it")
    parser.add_argument("--data", type=Path, help="data-set file of the second table")
    parser.add_argument("--alone", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone is not None:
        time_maps(options.alone)
        return
    print("    items     PCA s  better s     CPU s   peak MB", flush=True)
    for n in options.items:
        subprocess.run([sys.executable, "-m", "benchmarks.map_layout", "--alone", str(n)], check=True)
    if options.trained:
        stability(options.data, options.trained)


if __name__ == "__main__":
    main()
