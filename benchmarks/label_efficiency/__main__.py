"""Run: python -m benchmarks.label_efficiency --data PATH... --out report/

Writes report.md, results.json and plots. Finished cells are kept under OUT/cells and skipped when the same command runs
again; stop it at any time. `--only` chooses sets: main, and the experiments beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from benchmarks.label_efficiency.bench import Bench
from benchmarks.label_efficiency.experiments import EXPERIMENTS
from benchmarks.label_efficiency.jobs import ExperimentTask, Task, main_tasks, run_tasks
from benchmarks.label_efficiency.plan import MAIN, METHODS, Plan
from benchmarks.label_efficiency.plots import write_plots
from benchmarks.label_efficiency.report import to_markdown
from benchmarks.label_efficiency.results import Results, gather
from benchmarks.label_efficiency.running import load_result
from benchmarks.label_efficiency.store import Store
from ml_backend.engine.simulation import LoopSettings
from ml_backend.engine.simulation.methods import check_method
from ml_backend.errors import LanternError

FAILED = 1
SETS = (MAIN, *EXPERIMENTS)
MOST_JOBS = 4
"""Unless asked for; each process needs about 2 GB."""


def main(argv: list[str] | None = None, loop: LoopSettings | None = None) -> int:
    """Run what is missing and write the report. loop: Lantern's settings, its own unless given."""
    args = _parser().parse_args(argv)
    run = _Run(args, loop or LoopSettings())
    try:
        for method in args.methods:
            check_method(method)
        for tasks in run.stages() or [[]]:
            for said in tqdm(run_tasks(tasks, run.store, run.loop, args.jobs), total=len(tasks), disable=None):
                tqdm.write(said)
            run.write()
    except LanternError as error:
        print(f"label_efficiency: {error}", file=sys.stderr)
        return FAILED
    print(f"{args.out / 'report.md'}")
    return 0


class _Run:
    """What the options ask for."""

    def __init__(self, args: argparse.Namespace, loop: LoopSettings) -> None:
        self._args, self.loop = args, loop
        self.store = Store(args.out / "cells")
        self._plans = [
            (
                path,
                Plan.of(
                    path.stem,
                    budgets=args.budgets,
                    seeds=args.seeds,
                    methods=args.methods,
                    pool_items=args.pool_items,
                    loop=loop,
                ),
            )
            for path in args.data
        ]

    def stages(self) -> list[list[Task]]:
        """Sets of tasks, one after the other; those that measure seconds come one by one. [] for a report alone."""
        main = main_tasks(self._plans) if MAIN in self._args.only else []
        beside = [self._experiment(name) for name in EXPERIMENTS if name in self._args.only]
        together = [task for name, tasks in beside for task in tasks if not EXPERIMENTS[name].alone]
        alone = [[task] for name, tasks in beside for task in tasks if EXPERIMENTS[name].alone]
        return [stage for stage in (main, together, *alone) if stage]

    def write(self) -> None:
        """Of everything that is done, also by earlier runs."""
        benches = [Bench(path, self.store, self.loop) for path, _ in self._plans]
        results = [load_result(bench, plan) for bench, (_, plan) in zip(benches, self._plans, strict=True)]
        document = gather(results, benches)
        self._args.out.mkdir(parents=True, exist_ok=True)
        (self._args.out / "results.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")
        (self._args.out / "report.md").write_text(to_markdown(Results(document)), "utf-8")
        write_plots(results, benches, self._args.out / "plots")

    def _experiment(self, name: str) -> tuple[str, Sequence[Task]]:
        experiment = EXPERIMENTS[name]
        paths = [path for path, _ in self._plans if experiment.fits(path.stem)]
        return name, [ExperimentTask(path, name, case) for path in paths for case in experiment.cases(path.stem)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", nargs="+", type=Path, required=True, metavar="PATH", help="files of `lantern simulate`"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--only", nargs="+", choices=[*SETS, "report"], default=SETS, metavar="SET",
        help=f"of {', '.join(SETS)} (default: all); report: run nothing, write what is done",
    )  # fmt: skip
    parser.add_argument("--jobs", type=int, default=min(MOST_JOBS, os.cpu_count() or 1), help="processes side by side")
    parser.add_argument("--budgets", type=int, nargs="+", default=[], help="main table; default: by the data's name")
    parser.add_argument("--seeds", type=int, default=None, help="main table; default: by the data's name")
    parser.add_argument("--methods", nargs="+", default=[], help=f"main table; default: {' '.join(METHODS)}")
    parser.add_argument("--pool-items", type=int, default=None, metavar="N", help="main table: cut the pool to N items")
    return parser


if __name__ == "__main__":
    sys.exit(main())
