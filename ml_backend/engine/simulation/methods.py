"""Names of methods and how each is run: `lantern`, or `query+learner` such as `random+logreg`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ml_backend.engine.simulation.embedded import Embedded
from ml_backend.engine.simulation.grading import Graded, grade
from ml_backend.engine.simulation.lantern import LoopSettings, Progress, run_loop
from ml_backend.engine.simulation.learners import LEARNERS, fit_gmm, fit_kmeans
from ml_backend.engine.simulation.memory import begin_peak, peak_mb
from ml_backend.engine.simulation.oracle import AskedLabels, Oracle
from ml_backend.engine.simulation.outcome import Learner
from ml_backend.engine.simulation.problem import Problem
from ml_backend.engine.simulation.queries import QUERIES
from ml_backend.errors import ConfigError, InputError

LANTERN = "lantern"
MEDOID = "medoid"

BASELINES = ("random+logreg", "lantern+logreg", "lantern+knn", "lantern+labelspreading", "lantern+kmeans+tau")
"""What `lantern simulate` prints next to Lantern; `lantern+..` learns from the labels that Lantern asked for."""


@dataclass(frozen=True)
class Cell:
    """One method at one budget with one seed.

    labels: what it was given. seconds: wall time from having the embeddings until every part was answered; nested
    methods count their whole session so far, `lantern+..` only their own work. peak_mb: largest memory of the process
    in that time, in 10^6 bytes.
    """

    method: str
    budget: int
    seed: int
    labels: AskedLabels
    graded: Graded
    seconds: float
    peak_mb: float


def check_method(method: str) -> None:
    """Raises ConfigError for a name that means nothing."""
    query, _, learner = method.partition("+")
    if method == LANTERN or ((query in QUERIES or query == LANTERN) and learner in LEARNERS):
        return
    raise ConfigError(
        f"method {method!r} is neither {LANTERN!r} nor QUERY+LEARNER with a query of {LANTERN}, {', '.join(QUERIES)} "
        f"and a learner of {', '.join(LEARNERS)}"
    )


def run_lantern(
    problem: Problem, budgets: Sequence[int], seed: int, settings: LoopSettings, progress: Progress | None = None
) -> Iterator[Cell]:
    """One session; a cell as each budget is reached."""
    begin_peak()
    start = time.perf_counter()
    for reached in run_loop(problem, Oracle(problem.pool_truth), budgets, seed, settings, progress=progress):
        graded = grade(problem, reached.labels, reached.fitted)
        seconds = time.perf_counter() - start
        yield Cell(LANTERN, reached.budget, seed, reached.labels, graded, seconds, peak_mb())


def run_baseline(
    method: str,
    problem: Problem,
    data: Embedded,
    budgets: Sequence[int],
    seed: int,
    lantern_labels: Mapping[int, AskedLabels],
) -> Iterator[Cell]:
    """method: `query+learner`. lantern_labels: budget -> what Lantern asked with this seed, for `lantern+..`.

    Raises InputError when nothing that was asked has a label.
    """
    check_method(method)
    query, _, learner = method.partition("+")
    begin_peak()
    start = time.perf_counter()
    asked = lantern_labels if query == LANTERN else QUERIES[query](data, Oracle(problem.pool_truth), budgets, seed)
    asking = time.perf_counter() - start
    for budget in budgets:
        begin_peak()
        start = time.perf_counter()
        given = asked[budget].label_set
        if given is None:
            raise InputError(f"{problem.name}: none of the {budget} items that {method} asked about has a label")
        fitted = _learner(query, learner, budget)(data, given, seed)
        graded = grade(problem, asked[budget], fitted)
        seconds = asking + time.perf_counter() - start
        yield Cell(method, budget, seed, asked[budget], graded, seconds, peak_mb())


def _learner(query: str, name: str, budget: int) -> Learner:
    """With medoid queries a component is asked about once: as many components as labels."""
    own = {"kmeans+tau": fit_kmeans, "gmm+tau": fit_gmm}
    if query == MEDOID and name in own:
        return partial(own[name], n_components=budget)
    return LEARNERS[name]
