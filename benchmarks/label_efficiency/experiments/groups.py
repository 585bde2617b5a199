"""A rare new group inside the pool: has the queue asked about it?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.label_efficiency.bench import Bench
from benchmarks.label_efficiency.experiments.experiment import Case, Experiment
from benchmarks.label_efficiency.experiments.sessions import session
from benchmarks.label_efficiency.store import SavedCell
from ml_backend.engine.simulation.problem import Problem

LABELS = 300
SEEDS = 5
GROUPS, SHARE = 15, 0.02


def cases(_data: str) -> list[Case]:
    """Another draw of intents for each seed."""
    options = {"labels": LABELS, "groups": GROUPS, "share": SHARE}
    return [Case(f"seed{seed}", {"seed": seed, **options}) for seed in range(SEEDS)]


def run(bench: Bench, case: Case) -> SavedCell:
    """found: rare intents among the answers of Lantern. found_random: of as many questions at random."""
    seed, budget = case.options["seed"], case.options["labels"]
    problem, rare = thinned(bench.problem(), case.options["groups"], case.options["share"], seed)
    cell = session(problem, budget, seed, bench.loop)
    at_random = np.random.default_rng(seed).permutation(len(problem.pool))[:budget]
    return SavedCell(
        {
            "found": len(rare & set(cell.extra["answers"])),
            "found_random": len(rare & set(problem.pool_truth[at_random].tolist())),
            "groups": len(rare),
            "accuracy_test": cell.figures["accuracy_test"],
        }
    )


def thinned(problem: Problem, groups: int, share: float, seed: int) -> tuple[Problem, set[str]]:
    """The pool with so many classes thinned evenly until they are `share` of it together, and their names."""
    random = np.random.default_rng(seed)
    names = np.setdiff1d(np.unique(problem.pool_truth), [""])
    rare = np.sort(random.choice(names, groups, replace=False))
    is_rare = np.isin(problem.pool_truth, rare)
    total = share / (1.0 - share) * np.sum(~is_rare)
    each = max(1, round(float(total) / groups))
    kept: list[NDArray[np.int64]] = [np.flatnonzero(~is_rare)]
    kept += [random.permutation(np.flatnonzero(problem.pool_truth == name))[:each] for name in rare]
    rows = np.sort(np.concatenate(kept))
    return replace(problem, pool=problem.pool[rows], pool_truth=problem.pool_truth[rows]), set(rare.tolist())


EXPERIMENT = Experiment("groups", ("clinc150",), cases, run)
