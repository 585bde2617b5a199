"""One training run: epochs over the pool, stoppable between batches, never leaving non-finite weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ml_backend.core import losses
from ml_backend.core.batches import PoolBatches
from ml_backend.core.curriculum import ASSIGNMENT_RATES, phase_of, weights_at
from ml_backend.core.hyperparameters import LossWeights, Phase, RunConfig
from ml_backend.core.initialise import fit_prior
from ml_backend.core.labels import LabelSet
from ml_backend.core.losses import LossTerms
from ml_backend.core.teacher import (
    NeighbourTeacher,
    anchored_r,
    label_tau,
    mutual_graph,
    neighbour_teacher,
)
from ml_backend.core.vae import ComponentVAE
from ml_backend.errors import TrainingError

LABELLED_PER_STEP = 128
"""At most so many labelled items of each label set take part in a step."""
VECTOR_SUM_M = 4
IMAGE_SUM_M = 1
"""Components summed over exactly in training, beside one random other; images pay a convolutional decode for each."""
GRADIENT_NORM = 5.0


@dataclass(frozen=True)
class TrainingData:
    """What a run learns from; rows of the label sets are rows of x.

    x: (N, *input_shape). neighbours: (N, k) int32 rows, self excluded, -1 = none; None switches the neighbour term off.
    alpha0: smoothing of tau, None = 1/Y. first_new: rows from here on came since the last run, None = none did.
    """

    x: NDArray[np.generic]
    neighbours: NDArray[np.int32] | None = None
    label_sets: tuple[LabelSet, ...] = ()
    alpha0: float | None = None
    first_new: int | None = None


@dataclass(frozen=True)
class EpochReport:
    """One finished epoch: epoch counts from the model's creation (1-based); losses are means over its batches.

    weighted: each term's contribution to `losses.total`, the mean over batches of weight times term: the curriculum
    changes weights within an epoch. usage: the effective number of components exp(H(p_hat)), 1..K.
    """

    epoch: int
    phase: Phase
    losses: LossTerms
    weighted: Mapping[str, float]
    usage: float


@dataclass(frozen=True)
class TrainingReport:
    """Finished epochs of a run; stopped: the caller asked to stop before the last one ended."""

    epochs: tuple[EpochReport, ...]
    stopped: bool


class Stopped(Exception):
    """The caller asked to stop; the weights of the last batch stay."""


@dataclass(frozen=True)
class EpochTargets:
    """Held fixed during an epoch."""

    teacher: NeighbourTeacher | None
    taus: tuple[Tensor, ...]


_WEIGHTED = [[field.name for field in fields(LossTerms)].index(field.name) for field in fields(LossWeights)]
"""Place of each weight's term among the fields of LossTerms."""


def _named(kind: type[LossTerms] | type[LossWeights], values: Tensor) -> dict[str, float]:
    return {field.name: value for field, value in zip(fields(kind), values.tolist(), strict=True)}


class Trainer:
    """Optimiser and random state of one run."""

    def __init__(self, vae: ComponentVAE, pool: PoolBatches, data: TrainingData, run: RunConfig) -> None:
        self._vae = vae
        self._pool = pool
        self._run = run
        self._label_sets = tuple(labels for labels in data.label_sets if len(labels.rows))
        self._alpha0 = data.alpha0
        self._neighbours = data.neighbours
        self._graph = None
        self._epochs = 0
        self._random = np.random.default_rng(run.seed)
        self._device = vae.pi_logits.device
        self._generator = torch.Generator(self._device).manual_seed(run.seed)
        self._optimiser = self._new_optimiser()
        self._sum_m = IMAGE_SUM_M if len(vae.input_shape) == 3 else VECTOR_SUM_M

    def phase(self, epochs_done: int) -> Phase:
        """What the next epoch optimises."""
        return self._run.phase if self._run.phase is not None else phase_of(epochs_done)

    def epoch(self, epochs_done: int, should_stop: Callable[[], bool]) -> EpochReport:
        """One pass over the pool. Raises Stopped, or TrainingError with the weights of before the epoch restored."""
        phase = self.phase(epochs_done)
        base = self._run.weights or LossWeights()
        targets = self._targets(weights_at(base, phase, epochs_done + 1))
        before = {name: value.clone() for name, value in self._vae.state_dict().items()}
        order = self._random.permutation(len(self._pool))
        n_steps = math.ceil(len(order) / self._run.batch_size)
        totals = torch.zeros(len(fields(LossTerms)))
        shares = torch.zeros(len(fields(LossWeights)))
        for step in range(n_steps):
            if should_stop():
                raise Stopped
            rows = order[step * self._run.batch_size : (step + 1) * self._run.batch_size]
            self._set_rates(phase, (self._epochs + step / n_steps) / self._run.epochs)
            weights = weights_at(base, phase, epochs_done + step / n_steps)
            terms = self._step(rows, weights, targets)
            totals += terms
            shares += torch.tensor(list(vars(weights).values())) * terms[_WEIGHTED]
            if not torch.isfinite(terms).all():
                self._vae.load_state_dict(before)
                raise TrainingError(
                    f"loss is not finite in epoch {epochs_done + 1}; the weights before it are restored"
                )
        if not all(bool(value.isfinite().all()) for value in self._vae.state_dict().values()):
            self._vae.load_state_dict(before)
            raise TrainingError(f"weights are not finite in epoch {epochs_done + 1}; those before it are restored")
        self._epochs += 1
        means = _named(LossTerms, totals / n_steps)
        usage = losses.effective_components(self._vae.usage)
        return EpochReport(epochs_done + 1, phase, LossTerms(**means), _named(LossWeights, shares / n_steps), usage)

    def refit_prior(self) -> None:
        """Start the prior where the latents are now."""
        fit_prior(self._vae, self._pool)
        # The optimiser's moments belong to the parameters of before.
        self._optimiser = self._new_optimiser()

    def _new_optimiser(self) -> torch.optim.Optimizer:
        """Two groups: q(c|x), whose rate follows the phase, and the other nets."""
        assignment = self._vae.assignment_parameters()
        chosen = {id(parameter) for parameter in assignment}
        others = [parameter for parameter in self._vae.parameters() if id(parameter) not in chosen]
        return torch.optim.Adam([{"params": assignment}, {"params": others}], lr=self._run.learning_rate, fused=True)

    def _set_rates(self, phase: Phase, done: float) -> None:
        """done: share of the run, 0..1. What a run leaves is published, so its last steps are small."""
        rate = self._run.learning_rate * (1.0 - done)
        assignment, others = self._optimiser.param_groups
        assignment["lr"], others["lr"] = rate * ASSIGNMENT_RATES[phase], rate

    def _targets(self, weights: LossWeights) -> EpochTargets:
        teacher = None
        if weights.contrastive > 0 and self._neighbours is not None:
            if self._graph is None:
                self._graph = mutual_graph(self._neighbours)
            teacher = neighbour_teacher(self._graph, anchored_r(self._vae, self._pool, 8))
        taus: tuple[Tensor, ...] = ()
        if weights.classification > 0:
            taus = tuple(label_tau(self._vae, self._pool, labels, self._alpha0) for labels in self._label_sets)
        return EpochTargets(teacher, taus)

    def _step(self, rows: NDArray[np.int64], weights: LossWeights, targets: EpochTargets) -> Tensor:
        """One update; returns the unweighted terms in the order of LossTerms' fields."""
        terms = self._terms(rows, weights, targets)
        total = sum(
            (getattr(weights, name) * term for name, term in terms.items()), torch.zeros((), device=self._device)
        )
        if torch.isfinite(total):
            self._optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(total)
            torch.nn.utils.clip_grad_norm_(self._vae.parameters(), GRADIENT_NORM)
            self._optimiser.step()
        values = {**terms, "total": total}
        return torch.stack([values[field.name].detach().cpu().float() for field in fields(LossTerms)])

    def _terms(self, rows: NDArray[np.int64], weights: LossWeights, targets: EpochTargets) -> dict[str, Tensor]:
        inputs, base = self._pool.take(rows)
        inference = self._vae.infer(inputs, base)
        r = inference.log_r.exp()
        selection = losses.select_components(inference.log_r, self._sum_m, self._generator)
        noise = torch.empty_like(inference.mean).normal_(generator=self._generator)
        prior, latents = losses.prior_of(self._vae, selection.indices)
        reconstruction, kl = losses.elbo_terms(self._vae, inputs, inference, selection, noise, prior)
        entropy = losses.usage_entropy(self._vae, r)
        return {
            "reconstruction": reconstruction,
            "kl": kl,
            "prior": losses.prior_term(self._vae, inference.log_r, latents),
            "spread": -entropy,
            "sparsity": entropy,
            "classification": self._classification(targets.taus),
            "contrastive": self._contrastive(rows, inference.log_r, targets.teacher),
        }

    def _classification(self, taus: tuple[Tensor, ...]) -> Tensor:
        """Mean over label sets of -log p(y|x) on a random draw of their labelled items."""
        total = torch.zeros((), device=self._device)
        for labels, tau in zip(self._label_sets, taus, strict=False):
            drawn = self._random.permutation(len(labels.rows))[:LABELLED_PER_STEP]
            r = self._vae.infer(*self._pool.take(labels.rows[drawn])).log_r.exp()
            targets = torch.from_numpy(labels.targets[drawn]).float().to(self._device)
            total = total + losses.classification_loss(r, tau, targets) / len(taus)
        return total

    def _contrastive(self, rows: NDArray[np.int64], log_r: Tensor, teacher: NeighbourTeacher | None) -> Tensor:
        if teacher is None:
            return torch.zeros((), device=self._device)
        indices = torch.from_numpy(teacher.indices[rows]).to(self._device)
        return losses.agreement_loss(log_r, indices, torch.from_numpy(teacher.values[rows]).to(self._device))
