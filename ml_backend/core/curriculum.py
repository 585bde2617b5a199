"""Which phase an epoch is in and what its terms weigh."""

from __future__ import annotations

from dataclasses import replace

from ml_backend.core.hyperparameters import LossWeights, Phase

RECONSTRUCTION_EPOCHS = 1
PRIOR_EPOCHS = 1
"""Epochs of phases 1 and 2 before phase 3; short, since initialisation has done the clustering."""
KL_WARM_UP_EPOCHS = 3.0
"""KL weight rises linearly from 0 over so many epochs after phase 1."""
SPREAD_EPOCHS = 3.0
"""The spreading term fades linearly to 0 over so many epochs; the sparsity term then fades in over as many."""


ASSIGNMENT_RATES = {Phase.RECONSTRUCTION: 0.0, Phase.PRIOR: 0.05, Phase.LABELS: 0.05}
"""Learning rate of q(c|x) relative to the other nets. Adam makes full steps of the smallest gradients: at the full rate
it walks away from the clustering that initialisation found, for nothing (CLINC150: 2 points in 30 epochs)."""


def phase_of(epochs_done: int) -> Phase:
    """The curriculum's own choice for the next epoch of a model that has trained epochs_done."""
    if epochs_done < RECONSTRUCTION_EPOCHS:
        return Phase.RECONSTRUCTION
    return Phase.PRIOR if epochs_done < RECONSTRUCTION_EPOCHS + PRIOR_EPOCHS else Phase.LABELS


def weights_at(base: LossWeights, phase: Phase, epochs: float) -> LossWeights:
    """Effective weights at a point of training; epochs counts from the model's creation and may be fractional."""
    spread = max(0.0, 1 - epochs / SPREAD_EPOCHS)
    sparse = min(1.0, max(0.0, epochs / SPREAD_EPOCHS - 1))
    warm = min(1.0, max(0.0, (epochs - RECONSTRUCTION_EPOCHS) / KL_WARM_UP_EPOCHS))
    weights = replace(base, spread=base.spread * spread, sparsity=base.sparsity * sparse)
    if phase is Phase.RECONSTRUCTION:
        return replace(weights, kl=0.0, prior=0.0, sparsity=0.0, classification=0.0, contrastive=0.0)
    weights = replace(weights, kl=base.kl * warm, prior=base.prior * warm)
    if phase is Phase.PRIOR:
        return replace(weights, classification=0.0, contrastive=0.0)
    return weights
