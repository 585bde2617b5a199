"""Run: python -m benchmarks.label_efficiency --data PATH... --out report/

Writes report.md, report.json and plots. A finished (data, method, seed) cell is kept under OUT/cells and skipped when
the same command runs again; stop it at any time.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tqdm import tqdm

from benchmarks.label_efficiency.cells import CellStore
from benchmarks.label_efficiency.plan import METHODS, Plan
from benchmarks.label_efficiency.plots import write_plots
from benchmarks.label_efficiency.report import to_json, to_markdown
from benchmarks.label_efficiency.running import DataResult, run_data
from ml_backend.engine.simulation.methods import check_method
from ml_backend.errors import LanternError

FAILED = 1


def main(argv: list[str] | None = None) -> int:
    """Run what is missing and write the report."""
    args = _parser().parse_args(argv)
    try:
        for method in args.methods:
            check_method(method)
        results = []
        for path in tqdm(args.data, desc="data", disable=None):
            plan = Plan.of(
                path.stem, budgets=args.budgets, seeds=args.seeds, methods=args.methods, pool_items=args.pool_items
            )
            results.append(run_data(path, plan, CellStore(args.out / "cells"), tqdm.write))
            _write(args.out, results)
    except LanternError as error:
        print(f"label_efficiency: {error}", file=sys.stderr)
        return FAILED
    for result in results:
        write_plots(result, args.out / "plots")
    print(f"{args.out / 'report.md'}")
    return 0


def _write(out: Path, results: list[DataResult]) -> None:
    """After each data set, so that a long run has something to show."""
    (out / "report.json").write_text(json.dumps(to_json(results), indent=1) + "\n", "utf-8")
    (out / "report.md").write_text(to_markdown(results), "utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", nargs="+", type=Path, required=True, metavar="PATH", help="files of `lantern simulate`"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--budgets", type=int, nargs="+", default=[], help="default: by the data's name")
    parser.add_argument("--seeds", type=int, default=None, help="default: by the data's name")
    parser.add_argument("--methods", nargs="+", default=[], help=f"default: {' '.join(METHODS)}")
    parser.add_argument("--pool-items", type=int, default=None, metavar="N", help="cut the pool to N items")
    return parser


if __name__ == "__main__":
    sys.exit(main())
