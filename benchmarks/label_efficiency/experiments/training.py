"""A model trained on labels that are all given at once, for questions that a session's outcome does not answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.description import PoolDescription
from ml_backend.core.hyperparameters import LossWeights, Phase, RunConfig, usual_epochs
from ml_backend.core.labels import LabelSet
from ml_backend.core.model import EpochReport
from ml_backend.engine.pool import Pool, Propagation, apply_store, propagate
from ml_backend.engine.simulation import LoopSettings
from ml_backend.engine.simulation.embedded import Embedded
from ml_backend.engine.simulation.metrics import auroc
from ml_backend.engine.simulation.oracle import AskedLabels, Oracle
from ml_backend.engine.simulation.problem import Problem
from ml_backend.engine.simulation.queries import ask_medoids

RUNS = 3
"""Training runs of a model that gets all its labels at once: past the curriculum's phases."""


@dataclass(frozen=True)
class Trained:
    """pool: with its model. description: of the pool after training. spread: the labels on the pool."""

    pool: Pool
    description: PoolDescription
    spread: Propagation | None

    def outside(self, items: NDArray[Any]) -> tuple[PoolDescription, Propagation]:
        """The same of items outside the pool. The model must have labels."""
        assert self.spread is not None
        described = self.pool.describe_new(items)
        return described, apply_store(self.spread.store, described, rows=None)


def train(
    items: NDArray[Any],
    labels: LabelSet | None,
    seed: int,
    loop: LoopSettings,
    *,
    runs: int = RUNS,
    weights: LossWeights | None = None,
    phase: Phase | None = None,
    pool: Pool | None = None,
) -> Trained:
    """A new model after `runs` training runs (0: as it was created, but for the head, which learns from the labels).

    weights, phase: None = the product's own.

    pool: one that was created of these items and is trained in place; None = a new one.
    """
    pool = pool or Pool.create(items, loop.pool, seed=seed)
    label_sets = [labels] if labels else []
    pool.teach(label_sets)
    continue_training(pool, label_sets, seed, loop, runs=runs, weights=weights, phase=phase)
    description = pool.describe()
    return Trained(pool, description, spread_of(description, labels, loop))


def copies(items: NDArray[Any], seed: int, loop: LoopSettings) -> Callable[[], Pool]:
    """Makes pools that are all as one that was created now: for images, creating takes longer than an epoch."""
    settings, state = loop.pool, Pool.create(items, loop.pool, seed=seed).state()
    return lambda: Pool.restore(items, settings, state)


def continue_training(
    pool: Pool,
    label_sets: Sequence[LabelSet],
    seed: int,
    loop: LoopSettings,
    *,
    runs: int,
    weights: LossWeights | None = None,
    phase: Phase | None = None,
    on_epoch: Callable[[EpochReport], None] | None = None,
) -> None:
    """`runs` more runs with the session's epochs, prior and device."""
    for _ in range(runs):
        run = RunConfig(
            epochs=loop.epochs or usual_epochs(len(pool)),
            seed=seed + pool.model.epochs_done,
            weights=weights,
            phase=phase,
            prior=loop.pool.prior,
            device=loop.pool.device,
        )
        pool.train(run, label_sets, on_epoch=on_epoch)


def spread_of(description: PoolDescription, labels: LabelSet | None, loop: LoopSettings) -> Propagation | None:
    """Labels spread over the pool, None without any."""
    return propagate(description, labels, alpha0=loop.pool.alpha0) if labels else None


def share_right(spread: Propagation, truth: NDArray[np.str_]) -> float:
    """Accuracy of the propagated labels."""
    return float(np.mean(np.array(spread.classes, dtype=np.str_)[spread.label] == truth))


def figures_of(trained: Trained, problem: Problem) -> dict[str, float]:
    """On the test split: accuracy of the label and of p(y|x) alone; evidence, the mean ELBO in nats, high = explained
    well; AUROC of novelty where it has a sense."""
    described, spread = trained.outside(problem.test)
    names = np.array(spread.classes, dtype=np.str_)
    figures = {
        "accuracy_test": share_right(spread, problem.test_truth),
        "accuracy_test_components": float(np.mean(names[spread.p_label] == problem.test_truth)),
        "evidence": float(trained.pool.model.lower_bound(problem.test).mean()),
    }
    if len(problem.ood):
        strange = trained.outside(problem.ood)[0].novelty
        figures["auroc_novelty"] = auroc(-described.novelty, -strange)
    return figures


def medoid_labels(problem: Problem, budget: int, seed: int) -> AskedLabels:
    """True labels of k-means medoids."""
    return ask_medoids(Embedded.of(problem), Oracle(problem.pool_truth), [budget], seed)[budget]
