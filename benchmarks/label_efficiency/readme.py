"""Writes README's results section from the committed JSON, and report.md beside that JSON.

python -m benchmarks.label_efficiency.readme benchmarks/results.json README.md
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.label_efficiency.report import made_on, to_markdown, verdict_table
from benchmarks.label_efficiency.results import Results
from benchmarks.label_efficiency.tables import NOTHING, mean_and_spread, table
from benchmarks.label_efficiency.targets import verdicts
from ml_backend.engine.simulation.methods import LANTERN
from ml_backend.errors import InputError, LanternError

BEGIN = "<!-- results: written by `make readme`, do not edit -->"
END = "<!-- end of results -->"
REPORT = "report.md"
SHOWN = (
    LANTERN,
    "random+logreg",
    "random+labelspreading",
    "random+poisson",
    "typiclust+logreg",
    "margin+logreg",
    "medoid+kmeans+tau",
    "medoid+gmm+tau",
)
"""Rows of the short tables."""
LEARNERS_ON_ITS_LABELS = (
    "The best baseline may be another learner on the labels that Lantern asked for (`lantern+...`)."
)


def main(argv: list[str] | None = None) -> int:
    """Rewrite the section in place, and the whole report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="the document of the benchmark")
    parser.add_argument("readme", type=Path)
    args = parser.parse_args(argv)
    try:
        results = read_results(args.results)
        text = with_section(args.readme.read_text("utf-8"), section(results))
    except LanternError as error:
        print(f"readme: {error}", file=sys.stderr)
        return 1
    args.readme.write_text(text, "utf-8")
    args.results.with_name(REPORT).write_text(to_markdown(results), "utf-8")
    return 0


def read_results(path: Path) -> Results:
    """Raises InputError when there is no such document."""
    try:
        return Results(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: is no results document: {error}") from error


def with_section(readme: str, content: str) -> str:
    """The text with what is between the markers replaced. Raises InputError without both."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f"the README lacks the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n{content}{END}{after}"


def section(results: Results) -> str:
    """Accuracy of each data set, and how many floors are met."""
    found = verdicts(results)
    missed = [verdict for verdict in found if not verdict.met or verdict.goal_missed_by]
    goals = [verdict.goal_missed_by for verdict in found if verdict.goal is not None]
    lines = []
    for data in results.data:
        lines += [f"**{data}**, {_field_name(results, data)}", "", *_short(results, data), ""]
    met = sum(verdict.met for verdict in found)
    lines += [f"Of {len(found)} floors (what must be reached) {met} are met, of {len(goals)} goals {goals.count(0.0)}."]
    lines += [LEARNERS_ON_ITS_LABELS]
    if missed:
        lines += ["", *verdict_table(missed)]
    lines += [
        "",
        "All tables and what else was measured: [benchmarks/report.md](benchmarks/report.md).",
        *made_on(results),
    ]
    return "\n".join(lines) + "\n"


def _field_name(results: Results, data: str) -> str:
    return {"accuracy_test": "accuracy on the test split", "accuracy_pool": "accuracy on the rest of the pool"}[
        results.main_field(data)
    ]


def _short(results: Results, data: str) -> list[str]:
    field, budgets = results.main_field(data), results.budgets(data)
    rows = []
    for method in SHOWN:
        cells = [mean_and_spread(results.values(data, method, budget, field)) for budget in budgets]
        if any(cell != NOTHING for cell in cells):
            rows.append([f"`{method}`", *cells])
    return table(("labels", *(f"{budget:,}" for budget in budgets)), rows)


if __name__ == "__main__":
    sys.exit(main())
