"""Work on several processes: each does one task at a time with its share of the cores."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from benchmarks.label_efficiency.bench import Bench
from benchmarks.label_efficiency.experiments import EXPERIMENTS, Case
from benchmarks.label_efficiency.plan import Plan
from benchmarks.label_efficiency.running import run_cell
from benchmarks.label_efficiency.store import Store
from ml_backend.engine.simulation import LoopSettings
from ml_backend.engine.simulation.methods import LANTERN

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class MainTask:
    """Some methods of the main table with one seed."""

    path: Path
    plan: Plan
    methods: tuple[str, ...]
    seed: int

    def __call__(self, store: Store, loop: LoopSettings) -> str:
        for method in self.methods:
            run_cell(_bench(self.path, store.folder, loop), self.plan, method, self.seed)
        return f"{self.path.stem} {' '.join(self.methods)} seed {self.seed}"


@dataclass(frozen=True)
class ExperimentTask:
    """One cell of an experiment."""

    path: Path
    experiment: str
    case: Case

    def __call__(self, store: Store, loop: LoopSettings) -> str:
        EXPERIMENTS[self.experiment].ensure(_bench(self.path, store.folder, loop), self.case)
        return f"{self.experiment} {self.path.stem} {self.case.name}"


Task = MainTask | ExperimentTask


def main_tasks(plans: Sequence[tuple[Path, Plan]]) -> list[Task]:
    """Lantern first, since other methods take its labels."""
    stages: tuple[list[Task], ...] = ([], [], [])
    for path, plan in plans:
        after = tuple(method for method in plan.methods if method.startswith(f"{LANTERN}+"))
        others = tuple(method for method in plan.methods if not method.startswith(LANTERN))
        for stage, methods in enumerate((tuple({LANTERN} & set(plan.methods)), others, after)):
            stages[stage].extend(MainTask(path, plan, methods, seed) for seed in range(plan.seeds) if methods)
    return [task for stage in stages for task in stage]


def run_tasks(tasks: Sequence[Task], store: Store, loop: LoopSettings, jobs: int) -> Iterator[str]:
    """What was done, as it is done; with one job in this process."""
    if jobs <= 1 or len(tasks) <= 1:
        for task in tasks:
            yield _timed(task, store.folder, loop)
        return
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, threads))
    # spawn: faiss hangs in a process that was forked after a search
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with_the_run) as pool:
        waiting = [pool.submit(_timed, task, store.folder, loop) for task in tasks]
        try:
            for done in as_completed(waiting):
                yield done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _end_with_the_run() -> None:
    """A process of a run that was killed would go on with its task for minutes, beside the run that takes its place."""
    run = multiprocessing.parent_process()
    assert run is not None

    def wait() -> None:
        run.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _timed(task: Task, folder: Path, loop: LoopSettings) -> str:
    start = time.perf_counter()
    said = task(Store(folder), loop)
    return f"{said}: {time.perf_counter() - start:.0f} s"


@lru_cache(maxsize=1)
def _bench(path: Path, folder: Path, loop: LoopSettings) -> Bench:
    """Kept while tasks are of the same data: its neighbours and clusters serve all of them."""
    return Bench(path, Store(folder), loop)
