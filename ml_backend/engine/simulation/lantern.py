"""Lantern's own loop, as a person and the worker run it together: ask the head of the queue, spread, train, again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ml_backend.core.description import PoolDescription
from ml_backend.core.hyperparameters import RunConfig, usual_epochs
from ml_backend.engine.pool import (
    Pool,
    PoolSettings,
    Propagation,
    apply_store,
    combine,
    propagate,
    rank,
)
from ml_backend.engine.simulation.embedded import Part
from ml_backend.engine.simulation.oracle import AskedLabels, Oracle
from ml_backend.engine.simulation.outcome import Fitted, Outcome
from ml_backend.engine.simulation.problem import Items, Problem

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of the run that is done, 0..1."""


@dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """batch: labels asked from one queue, at least; batch_share: or this share of the labels so far, if that is more.

    epochs: of one training run (1..5); None = as suit the pool's size. growth: a training is due when there are so many
    times the labels of the last one; one more comes before each budget is graded.
    """

    batch: int = 10
    batch_share: float = 0.1
    epochs: int | None = None
    growth: float = 2.0
    pool: PoolSettings = field(default_factory=PoolSettings)


@dataclass(frozen=True)
class Reached:
    """A budget has been asked and trained on."""

    budget: int
    labels: AskedLabels
    fitted: Fitted


def run_loop(
    problem: Problem,
    oracle: Oracle,
    budgets: Sequence[int],
    seed: int,
    settings: LoopSettings,
    *,
    progress: Progress | None = None,
) -> Iterator[Reached]:
    """One labelling session; budgets nest."""
    session = _Session(problem, oracle, seed, settings, progress or (lambda _what, _share: None), max(budgets))
    for budget in sorted(budgets):
        yield session.reach(budget)


class _Session:
    def __init__(
        self, problem: Problem, oracle: Oracle, seed: int, settings: LoopSettings, progress: Progress, last: int
    ) -> None:
        self._problem, self._oracle, self._seed, self._settings = problem, oracle, seed, settings
        self._progress, self._last = progress, last
        self._labels = AskedLabels()
        self._trained_with = 0
        self._report("first model")
        self._pool = Pool.create(problem.pool, settings.pool, seed=seed)
        self._description = self._train()

    def reach(self, budget: int) -> Reached:
        """Ask until the budget is spent, train, and answer for every part."""
        settings = self._settings
        while len(self._labels) < budget:
            if len(self._labels) >= max(settings.batch, settings.growth * self._trained_with):
                self._description = self._train()
            size = max(settings.batch, int(settings.batch_share * len(self._labels)))
            self._ask(min(size, budget - len(self._labels)))
        self._description = self._train()
        return Reached(budget, self._labels, self._fitted(self._description))

    def _ask(self, size: int) -> None:
        self._report("asking")
        spread = self._propagation()
        scores = combine([spread] if spread else [], self._description)
        pool = self._settings.pool
        asked = self._labels.asked
        given = self._labels.label_set
        ranking = rank(
            self._description,
            scores,
            asked,
            pool.query,
            label_sets=[given] if given else [],
            never_seen_level=pool.never_seen_level,
        )
        queue = np.argsort(-ranking.value, kind="stable")
        head = queue[~np.isin(queue, asked)][:size]
        self._labels = self._oracle.ask(self._labels, head.tolist())

    def _train(self) -> PoolDescription:
        self._report("training")
        pool, given = self._pool, self._labels.label_set
        run = RunConfig(
            epochs=self._settings.epochs or usual_epochs(len(pool)),
            seed=self._seed + pool.model.epochs_done,
            prior=self._settings.pool.prior,
            device=self._settings.pool.device,
        )
        pool.train(run, [given] if given else [])
        self._trained_with = len(self._labels)
        return pool.describe()

    def _propagation(self) -> Propagation | None:
        given = self._labels.label_set
        return propagate(self._description, given, alpha0=self._settings.pool.alpha0) if given else None

    def _fitted(self, description: PoolDescription) -> Fitted:
        pool, problem = self._pool, self._problem
        spread = self._propagation()
        held_back: dict[Part, Items] = {"test": problem.test, "ood": problem.ood}
        outside = {part: pool.describe_new(items) for part, items in held_back.items() if len(items)}

        def answer(part: Part) -> Outcome:
            described = description if part == "pool" else outside[part]
            if spread is None:
                nothing = combine([], described)
                label = np.zeros(len(described), np.int32)
                return Outcome(label, nothing.confidence, -described.novelty, nothing.s_ood)
            said = spread if part == "pool" else apply_store(spread.store, described, rows=None)
            return Outcome(said.label, said.confidence, -described.novelty, said.s_ood, p_label=said.p_label)

        return answer

    def _report(self, what: str) -> None:
        self._progress(f"{what} ({len(self._labels)} labels)", len(self._labels) / self._last)
