"""Multinomial logistic regression with an L2 penalty, fitted by L-BFGS."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

RIDGE = 1.0 / 30.0
"""Weight of half the squared coefficients in the loss (nats, summed over labels)."""
ITERATIONS = 60

Rows = NDArray[np.float32]


def softmax_regression(rows: Rows, targets: Rows, weight: Rows | None = None) -> tuple[Rows, Rows]:
    """(F, Y) coefficients and (Y,) intercepts for logits = rows @ coefficients + intercepts. Deterministic.

    rows: (n, F). targets: (n, Y), rows sum to 1. weight: (n,) of each row in the loss, 1 unless given.
    """
    x, p = torch.from_numpy(rows), torch.from_numpy(targets)
    share = torch.ones(len(rows), 1) if weight is None else torch.from_numpy(weight)[:, None]
    weights = torch.zeros(rows.shape[1], targets.shape[1], requires_grad=True)
    bias = torch.zeros(targets.shape[1], requires_grad=True)
    optimiser: torch.optim.Optimizer = torch.optim.LBFGS(
        [weights, bias], max_iter=ITERATIONS, line_search_fn="strong_wolfe"
    )

    def loss() -> float:
        optimiser.zero_grad()
        fit = -(share * p * torch.log_softmax(x @ weights + bias, 1)).sum()
        value = fit + 0.5 * RIDGE * weights.square().sum()
        torch.autograd.backward(value)
        return value.item()

    optimiser.step(loss)
    return weights.detach().numpy(), bias.detach().numpy()
