"""What each part of the training is worth: models that get the same labels at once, with one part left out."""

from __future__ import annotations

from typing import Any

from benchmarks.label_efficiency.bench import Bench, Variant
from benchmarks.label_efficiency.experiments import priors
from benchmarks.label_efficiency.experiments.experiment import Case, Experiment
from benchmarks.label_efficiency.experiments.training import copies, figures_of, medoid_labels, train
from benchmarks.label_efficiency.plan import by_name
from benchmarks.label_efficiency.store import SavedCell
from ml_backend.core.hyperparameters import LossWeights, Phase

VARIANTS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "no phases": {"phase": Phase.LABELS},
    "no reconstruction": {"weights": LossWeights(reconstruction=0.0)},
    "no KL of z": {"weights": LossWeights(kl=0.0)},
    "no KL of c": {"weights": LossWeights(prior=0.0)},
    "no spread": {"weights": LossWeights(spread=0.0)},
    "no sparsity": {"weights": LossWeights(sparsity=0.0)},
    "no classification": {"weights": LossWeights(classification=0.0)},
    "no contrastive term": {"weights": LossWeights(contrastive=0.0)},
    "no training": {"runs": 0},
}
"""Name -> what is left out. "no phases": every term from the first epoch on, each with its own fading; "KL of c" goes
with the pull of pseudo-latents."""


def cases(data: str) -> list[Case]:
    """One for each seed: all variants start from the same model."""
    options = {"variants": list(VARIANTS), **by_name(priors.OPTIONS, data, {})}
    return [Case(f"seed{seed}", {"seed": seed, **options}) for seed in range(by_name(priors.SEEDS, data, 1))]


def run(bench: Bench, case: Case) -> SavedCell:
    """Variant -> the figures of a model that was trained so."""
    seed = case.options["seed"]
    problem = bench.problem(Variant(case.options["items"]))
    labels = medoid_labels(problem, case.options["labels"], seed).label_set
    new_pool = copies(problem.pool, seed, bench.loop)
    figures = {}
    for name in case.options["variants"]:
        options = {"runs": case.options["runs"], **VARIANTS[name]}
        figures[name] = figures_of(train(problem.pool, labels, seed, bench.loop, pool=new_pool(), **options), problem)
    return SavedCell(figures)


EXPERIMENT = Experiment("ablations", tuple(priors.OPTIONS), cases, run)
