"""What each part of the training is worth: models that get the same labels at once, with one part left out."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.label_efficiency.bench import Bench, Variant
from benchmarks.label_efficiency.experiments import priors
from benchmarks.label_efficiency.experiments.experiment import Case, Experiment
from benchmarks.label_efficiency.experiments.training import RUNS, Trained, copies, share_right, train
from benchmarks.label_efficiency.plan import by_name
from benchmarks.label_efficiency.store import SavedCell
from ml_backend.core.hyperparameters import LossWeights, Phase
from ml_backend.core.labels import LabelSet
from ml_backend.engine.simulation.metrics import auroc
from ml_backend.engine.simulation.oracle import AskedLabels
from ml_backend.engine.simulation.problem import Problem

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
    options = {"runs": RUNS, "variants": list(VARIANTS), **by_name(priors.OPTIONS, data, {})}
    return [Case(f"seed{seed}", {"seed": seed, **options}) for seed in range(by_name(priors.SEEDS, data, 1))]


def run(bench: Bench, case: Case) -> SavedCell:
    """Variant -> accuracy of the label and of p(y|x) alone on the test split, AUROC of novelty where it has a sense."""
    seed = case.options["seed"]
    problem = bench.problem(Variant(case.options["items"]))
    labels = given_labels(bench, seed, case)
    new_pool = copies(problem.pool, seed, bench.loop)
    figures = {}
    for name in case.options["variants"]:
        options = {"runs": case.options["runs"], **VARIANTS[name]}
        figures[name] = _figures(train(problem.pool, labels, seed, bench.loop, pool=new_pool(), **options), problem)
    return SavedCell(figures)


def _figures(trained: Trained, problem: Problem) -> dict[str, float]:
    described, spread = trained.outside(problem.test)
    names = np.array(spread.classes, dtype=np.str_)
    figures = {
        "accuracy_test": share_right(spread, problem.test_truth),
        "accuracy_test_components": float(np.mean(names[spread.p_label] == problem.test_truth)),
    }
    if len(problem.ood):
        strange = trained.outside(problem.ood)[0].novelty
        figures["auroc_novelty"] = auroc(-described.novelty, -strange)
    return figures


def given_labels(bench: Bench, seed: int, case: Case) -> LabelSet:
    """What Lantern asked with this seed under its own prior, in the experiment `priors`."""
    options = {name: case.options[name] for name in ("labels", "items")}
    prior = bench.loop.pool.prior
    session = Case(f"{prior}.seed{seed}", {"prior": prior, "seed": seed, **options})
    asked = priors.EXPERIMENT.ensure(bench, session).extra
    labels = AskedLabels(tuple(asked["rows"]), tuple(asked["answers"])).label_set
    assert labels is not None
    return labels


EXPERIMENT = Experiment("ablations", tuple(priors.OPTIONS), cases, run)
