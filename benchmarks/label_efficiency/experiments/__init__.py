"""Questions beside the main table; each is a set of cells that `--only` chooses by name."""

from __future__ import annotations

from benchmarks.label_efficiency.experiments import (
    ablations,
    aleatoric,
    digits,
    groups,
    interactive,
    lifted,
    mislabel,
    priors,
    unknown,
    usage,
)
from benchmarks.label_efficiency.experiments.experiment import Case, Experiment

__all__ = ["EXPERIMENTS", "Case", "Experiment"]

EXPERIMENTS: dict[str, Experiment] = {
    module.EXPERIMENT.name: module.EXPERIMENT
    for module in (unknown, groups, lifted, mislabel, aleatoric, usage, priors, ablations, digits, interactive)
}
"""By name, in the order in which they run."""
