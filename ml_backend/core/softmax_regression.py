"""Multinomial logistic regression, fitted by L-BFGS: deterministic and convex."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

RIDGE = 1.0 / 30.0
"""Half the weight of the squared coefficients in the loss (nats, summed over rows)."""
ITERATIONS = 60

Rows = NDArray[np.float32]


def softmax_regression(rows: Rows, p: Rows, weight: Rows | None = None) -> tuple[Rows, Rows]:
    """(P, Y) coefficients and (Y,) bias. rows (n, P); p (n, Y) targets, rows sum to 1; weight (n,), None = all 1."""
    x, targets = torch.from_numpy(rows), torch.from_numpy(p)
    share = torch.ones(len(x), 1) if weight is None else torch.from_numpy(weight)[:, None]
    weights = torch.zeros(rows.shape[1], p.shape[1], requires_grad=True)
    bias = torch.zeros(p.shape[1], requires_grad=True)
    optimiser: torch.optim.Optimizer = torch.optim.LBFGS(
        [weights, bias], max_iter=ITERATIONS, line_search_fn="strong_wolfe"
    )

    def loss() -> float:
        optimiser.zero_grad()
        fit = -(share * targets * torch.log_softmax(x @ weights + bias, 1)).sum()
        value = fit + 0.5 * RIDGE * weights.square().sum()
        torch.autograd.backward(value)
        return value.item()

    optimiser.step(loss)
    return weights.detach().numpy(), bias.detach().numpy()


def softmax(logits: NDArray[np.floating]) -> Rows:
    """Over the last axis of (n, Y)."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)
