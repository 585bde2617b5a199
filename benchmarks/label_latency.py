"""How long one new label takes to change the scores of a whole pool. Run: python -m benchmarks.label_latency

Prints the median of several rounds, each with one label more, against the budget.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace

import numpy as np

from ml_backend.core.description import PoolDescription
from ml_backend.core.head_answers import KEPT, HeadAnswers
from ml_backend.core.labels import LabelSet
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.engine.pool import combine, propagate, rank

BUDGET_SECONDS = 0.3
DIRECTIONS = 96
"""As many as a model of vectors has."""


def synthetic_description(n: int, components: int, top_m: int, k: int, seed: int) -> PoolDescription:
    """A pool whose arrays have the sizes and the skew of a real one, in milliseconds."""
    rng = np.random.default_rng(seed)
    home = rng.integers(0, components, n)
    others = (home[:, None] + np.cumsum(rng.integers(1, components // top_m, (n, top_m - 1)), axis=1)) % components
    r = np.sort(rng.dirichlet(np.full(top_m + 1, 0.3), n)[:, :top_m], axis=1)[:, ::-1]
    log_r = np.log(np.maximum(r, 1e-12)).astype(np.float32)
    centres = rng.normal(size=(components, DIRECTIONS)).astype(np.float32)
    points = centres[home] + rng.normal(size=(n, DIRECTIONS)).astype(np.float32)
    return PoolDescription(
        responsibilities=SparseResponsibilities(
            indices=np.column_stack([home, others]).astype(np.int32),
            log_r=log_r,
            log_z_soft=np.zeros(n, np.float32),
            n_components=components,
            temperature=1.0,
        ),
        neighbours=rng.integers(0, n, (n, k), dtype=np.int32),
        similarities=np.sort(rng.random((n, k), dtype=np.float32), axis=1)[:, ::-1].copy(),
        density=rng.random(n, dtype=np.float32),
        novelty=rng.random(n, dtype=np.float32),
        aleatoric=np.ones(n, np.float32),
        directions=(points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float16),
    )


def label_set(description: PoolDescription, n_labels: int, n_classes: int, seed: int) -> LabelSet:
    """Labels that follow the components."""
    rows = np.random.default_rng(seed).choice(len(description), n_labels, replace=False)
    answers = description.responsibilities.indices[rows, 0] % n_classes
    return LabelSet("kind", tuple(f"class {i}" for i in range(n_classes)), rows, np.eye(n_classes)[answers])


def with_head(description: PoolDescription, labels: LabelSet, seed: int) -> PoolDescription:
    """The answers that a head would have cached after a training with these labels."""
    rng = np.random.default_rng(seed)
    n, n_classes = len(description), len(labels.classes)
    first = rng.integers(0, n_classes, n)
    indices = (first[:, None] + np.cumsum(rng.integers(1, n_classes // KEPT, (n, KEPT)), axis=1)) % n_classes
    values = np.sort(rng.dirichlet(np.full(KEPT, 0.3), n).astype(np.float32), axis=1)[:, ::-1].copy()
    targets = labels.targets.astype(np.float32)
    answers = HeadAnswers(labels.classes, indices.astype(np.int32), values, labels.rows, targets)
    return replace(description, heads={labels.name: answers})


def measure(n: int, components: int, n_classes: int, n_labels: int, rounds: int) -> tuple[float, float]:
    """(seconds until every score is new, seconds until the queue is new), medians."""
    description = synthetic_description(n, components, 8, 15, seed=0)
    description = with_head(description, label_set(description, n_labels, n_classes, seed=0), seed=0)
    scored, ranked = [], []
    for extra in range(rounds):
        labels = label_set(description, n_labels + extra, n_classes, seed=extra)
        start = time.perf_counter()
        task_scores = combine([propagate(description, labels)], description)
        scored.append(time.perf_counter() - start)
        rank(description, task_scores, labels.rows, label_sets=[labels])
        ranked.append(time.perf_counter() - start - scored[-1])
    return statistics.median(scored), statistics.median(ranked)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--components", type=int, default=512)
    parser.add_argument("--classes", type=int, default=150)
    parser.add_argument("--labels", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    seconds, queue = measure(options.items, options.components, options.classes, options.labels, options.rounds)
    print(f"{options.items} items, {options.components} components, {options.classes} classes, {options.labels} labels")
    print(f"scores {seconds * 1000:.0f} ms (budget {BUDGET_SECONDS * 1000:.0f} ms); queue {queue * 1000:.0f} ms more")


if __name__ == "__main__":
    main()
