"""The document of results -> Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.label_efficiency.besides import experiment_sections
from benchmarks.label_efficiency.results import Results
from benchmarks.label_efficiency.tables import NOTHING, lead, mean_and_spread, number, table
from benchmarks.label_efficiency.targets import LOGHUB_LABELS, Verdict, verdicts
from ml_backend.engine.simulation.methods import LANTERN

TABLES = (
    ("Inductive accuracy (test split)", "accuracy_test"),
    ("Transductive accuracy (rest of the pool)", "accuracy_pool"),
    ("Inductive accuracy of p(y|x) = sum_c r_c tau alone", "accuracy_test_components"),
    ("Transductive accuracy of p(y|x) = sum_c r_c tau alone", "accuracy_pool_components"),
    ("Unknown items, AUROC of novelty", "auroc_novelty"),
    ("Unknown items, AUROC of s_OOD (else 1 - confidence)", "auroc_s_ood"),
    ("Unknown items, FPR95 of novelty (low = good)", "fpr95"),
    ("Calibration error, 15 bins of equal size (low = good)", "ece"),
    ("Seconds", "seconds"),
    ("Peak memory, MB", "peak_mb"),
)
PAIRED = ("accuracy_test", "accuracy_pool")
"""Figures of which Lantern's lead is shown too."""
DECIMALS = {"seconds": 1, "peak_mb": 0}
VERDICT_DECIMALS = 4

INTRODUCTION = """\
Means over seeds ± standard deviation; leads are paired by seed, ± standard error. `lantern` is a whole session: it
asks, trains and asks again. `QUERY+LEARNER` are other routes on the same embeddings; `lantern+..` learn from the labels
that Lantern asked for. No option is tuned on test labels; which rules Lantern has was decided on validation splits, and
for log lines on these very files (docs/method.md says where a test figure was known before). Graphs, clusters and
medoids of the baselines are those of the embedding's 64 principal directions, where they do better. Seconds count from
having the embeddings; of baselines that share a graph or clusters, the first pays for them. Peak memory is the
process's, with what earlier cells in the same process left."""


def to_markdown(results: Results) -> str:
    """All that was measured."""
    lines = ["# Label efficiency", "", INTRODUCTION, *made_on(results), ""]
    lines += ["## Floors and goals", "", *verdict_table(verdicts(results))]
    for data in results.data:
        lines += ["", f"## {data}", "", _head(results, data), *_frequent(results, data)]
        for title, field in TABLES:
            if any(
                results.values(data, method, budget, field)
                for method in results.methods(data)
                for budget in results.budgets(data)
            ):
                lines += ["", f"### {title}", "", *accuracy_table(results, data, field)]
    return "\n".join([*lines, *experiment_sections(results)]) + "\n"


def made_on(results: Results) -> list[str]:
    """Of which code the figures are, after an empty line; nothing where that is not known."""
    machine = results.machine
    if not machine.get("commit"):
        return []
    state = "" if machine["clean"] else ", with changes that are not committed"
    others = ", ".join(f"{name} (commit {commit})" for name, commit in results.apart.items())
    apart = f" Apart from that: {others}." if others else ""
    return ["", f"Made of commit {machine['commit']}{state}, on {machine['cores']} cores.{apart}"]


def verdict_table(found: list[Verdict]) -> list[str]:
    """One line a floor; nothing measured, no line."""
    return table(("what", "measured", "floor", "", "goal", ""), (_verdict(verdict) for verdict in found))


def accuracy_table(results: Results, data: str, field: str) -> list[str]:
    """Methods x budgets, with Lantern's lead where that is asked."""
    budgets = results.budgets(data)
    paired = field in PAIRED and LANTERN in results.methods(data)
    head = ["method", *(f"{budget:,} labels" for budget in budgets)]
    if paired:
        head += [f"Lantern's lead at {budget:,}" for budget in budgets]
    return table(head, _rows(results, data, field, paired))


def _rows(results: Results, data: str, field: str, paired: bool) -> Iterator[list[str]]:
    decimals = DECIMALS.get(field, 3)
    for method in results.methods(data):
        cells = [mean_and_spread(results.values(data, method, b, field), decimals) for b in results.budgets(data)]
        if all(cell == NOTHING for cell in cells):
            continue
        if paired:
            cells += [_lead(results, data, method, budget, field) for budget in results.budgets(data)]
        yield [f"`{method}`", *cells]


def _lead(results: Results, data: str, method: str, budget: int, field: str) -> str:
    found = None if method == LANTERN else results.difference(data, method, budget, field)
    return NOTHING if found is None else lead(found.mean, found.error)


def _head(results: Results, data: str) -> str:
    seeds = {
        seed
        for method in results.methods(data)
        for budget in results.budgets(data)
        for seed in results.by_seed(data, method, budget, "seconds")
    }
    cut = results.pool_items(data)
    return f"{len(seeds)} seed{'' if len(seeds) == 1 else 's'}." + (f" Pool cut to {cut:,} items." if cut else "")


def _frequent(results: Results, data: str) -> list[str]:
    """Log templates: what a label for each of the most frequent ones would reach."""
    if not data.startswith("loghub"):
        return []
    rows = []
    for budget in results.budgets(data):
        covered = results.by_seed(data, LANTERN, budget, "covered")
        reached = results.by_seed(data, LANTERN, budget, "accuracy_pool")
        if covered:
            share = [reached[seed] / covered[seed] for seed in covered if seed in reached]
            rows.append([f"{budget}", number(statistics.mean(covered.values())), mean_and_spread(share)])
    title = (
        "Share of the pool in its N most frequent templates (N = labels), and Lantern's accuracy over it; the floor "
    )
    return ["", f"{title}is at {LOGHUB_LABELS}.", "", *table(("labels", "covered", "accuracy / covered"), rows)]


def _verdict(verdict: Verdict) -> list[str]:
    sign = {"least": ">=", "most": "<=", "within": ""}[verdict.sense]
    if isinstance(verdict.floor, tuple):
        floor = "{:.2f} to {:.2f}".format(*verdict.floor)
    else:
        floor = f"{sign.replace('=', '') if verdict.strict else sign} {_fine(verdict.floor)}"
    found = [verdict.what, _fine(verdict.value), floor, _met(verdict.missed_by, verdict.met)]
    if verdict.goal is None or verdict.goal_missed_by is None:
        return [*found, NOTHING, NOTHING]
    return [*found, f"{sign} {_fine(verdict.goal)}", _met(verdict.goal_missed_by, verdict.goal_missed_by == 0)]


def _fine(value: float) -> str:
    """Leads over the best baseline may be smaller than the third decimal."""
    return number(value, VERDICT_DECIMALS)


def _met(missed_by: float, met: bool) -> str:
    if met:
        return "met"
    least = 10.0**-VERDICT_DECIMALS
    return f"**missed by {f'less than {_fine(least)}' if missed_by < least else _fine(missed_by)}**"
