"""Seconds that a person waits: from nothing to a first queue, and an epoch beside that of a plain VAE."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import torch

from benchmarks.label_efficiency.bench import Bench
from benchmarks.label_efficiency.experiments.experiment import Case, Experiment
from benchmarks.label_efficiency.experiments.training import Trained, share_right, spread_of
from benchmarks.label_efficiency.store import SavedCell
from benchmarks.training_speed import plain_epoch_seconds
from ml_backend.core.hyperparameters import Phase, RunConfig
from ml_backend.engine.pool import Pool, combine, rank
from ml_backend.engine.simulation.memory import begin_peak, peak_mb
from ml_backend.engine.simulation.oracle import AskedLabels, Oracle

LABELS = 300
EPOCHS = 3
"""The first epoch of a process also pays for imports; the fastest of the others counts."""


def cases(_data: str) -> list[Case]:
    """One for each device at hand."""
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    return [Case(device, {"device": device, "labels": LABELS}) for device in devices]


def run(bench: Bench, case: Case) -> SavedCell:
    """first_queue_seconds, epoch_seconds, for images plain_ratio: an epoch over one of a VAE with the same nets.

    accuracy_test: of the test split, after those epochs with that many random labels: devices must agree on it.
    """
    device = case.options["device"]
    problem = bench.problem()
    settings = replace(bench.loop.pool, device=device)
    begin_peak()
    start = time.perf_counter()
    pool = Pool.create(problem.pool, settings, seed=0)
    description = pool.describe()
    rank(description, combine([], description), np.zeros(0, np.int64), label_sets=())
    figures = {"first_queue_seconds": time.perf_counter() - start}

    rows = np.random.default_rng(0).permutation(len(problem.pool))[: case.options["labels"]]
    labels = Oracle(problem.pool_truth).ask(AskedLabels(), rows.tolist()).label_set
    ends: list[float] = []
    run = RunConfig(epochs=EPOCHS, phase=Phase.LABELS, device=device, prior=settings.prior)
    pool.train(run, [labels] if labels else [], on_epoch=lambda _report: ends.append(time.perf_counter()))
    figures["epoch_seconds"] = float(np.diff(ends).min())
    trained = Trained(pool, after := pool.describe(), spread_of(after, labels, bench.loop))
    figures["accuracy_test"] = share_right(trained.outside(problem.test)[1], problem.test_truth)
    # the last: it trains the same nets on
    if pool.model.config.is_image:
        plain = min(plain_epoch_seconds(pool.model, problem.pool) for _ in range(2))
        figures |= {"plain_epoch_seconds": plain, "plain_ratio": figures["epoch_seconds"] / plain}
    figures["peak_mb"] = peak_mb()
    return SavedCell({**figures, "items": len(problem.pool), "threads": torch.get_num_threads()})


EXPERIMENT = Experiment("interactive", ("clinc150", "mnist"), cases, run, alone=True)
