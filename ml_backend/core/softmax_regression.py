"""Multinomial logistic regression with an L2 penalty, fitted by L-BFGS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

RIDGE = 1.0 / 30.0
"""Weight of half the squared coefficients in the loss (nats, summed over labels)."""
ITERATIONS = 60
ONE_THREAD = 50_000_000
"""Multiplications of a step (n F Y) up to which one thread computes. Several wait for each other at every operation:
beside other work on two cores 300 labels of 150 classes took 4.6 s so, and .2 s with one."""

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

    with _threads(1 if rows.size * targets.shape[1] <= ONE_THREAD else torch.get_num_threads()):
        optimiser.step(loss)
    return weights.detach().numpy(), bias.detach().numpy()


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
