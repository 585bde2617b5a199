"""From p(y|x) to a confidence that means what it says: one temperature, from leave-one-out predictions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from ml_backend.errors import InputError

LOG_TEMPERATURE_SPREAD = 0.5
"""Standard deviation of the prior on log T around T = 1: a few labels move T little, hundreds move it freely."""

LOG_TEMPERATURE_LIMIT = 3.0
"""T stays within exp(-3)..exp(3)."""

TINY = 1e-12


def fit_temperature(probabilities: NDArray[np.float64], targets: NDArray[np.float64]) -> float:
    """T > 0 that minimises the NLL of the targets under p^(1/T) / sum p^(1/T), shrunk to 1 with few items.

    probabilities, targets: (n, Y), rows sum to 1; the probabilities must not have seen the item's own label.
    """
    if probabilities.shape != targets.shape:
        raise InputError(f"probabilities {probabilities.shape} and targets {targets.shape} must have one shape")
    if not len(targets) or targets.shape[1] < 2:
        return 1.0
    log_p = np.log(np.maximum(probabilities, TINY))

    def loss(log_t: float) -> float:
        return _nll(log_p / np.exp(log_t), targets) * len(targets) + 0.5 * (log_t / LOG_TEMPERATURE_SPREAD) ** 2

    bounds = (-LOG_TEMPERATURE_LIMIT, LOG_TEMPERATURE_LIMIT)
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def apply_temperature(probabilities: NDArray[np.floating], temperature: float) -> NDArray[np.floating]:
    """p^(1/T) / sum p^(1/T), same shape and type; T = 1 returns p itself."""
    if temperature == 1.0:
        return np.asarray(probabilities)
    log_p = np.log(np.maximum(probabilities, TINY))
    log_p *= 1.0 / temperature
    log_p -= log_p.max(axis=1, keepdims=True)
    np.exp(log_p, out=log_p)
    log_p /= log_p.sum(axis=1, keepdims=True)
    return np.asarray(log_p)


def calibrated_maximum(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """(N,) the largest of each row of `apply_temperature`, without keeping the rest."""
    top = probabilities.max(axis=1)
    if temperature == 1.0:
        return np.asarray(top)
    relative = probabilities / top[:, None]
    np.log(np.maximum(relative, TINY, out=relative), out=relative)
    relative *= 1.0 / temperature
    return np.asarray(1.0 / np.exp(relative, out=relative).sum(axis=1), np.float32)


def negative_log_likelihood(probabilities: NDArray[np.floating], targets: NDArray[np.float64]) -> float:
    """Mean -sum_y t log p, in nats; 0 for no items."""
    return _nll(np.log(np.maximum(probabilities, TINY)), targets)


def expected_calibration_error(
    confidence: NDArray[np.floating], correct: NDArray[np.bool_], *, bins: int = 15
) -> float:
    """ECE in [0, 1] over equal-mass bins: mean |accuracy - confidence| weighted by bin size; 0 for no items.

    Biased upward: perfectly calibrated predictions of 100 items in 15 bins read about .09.
    """
    if confidence.shape != correct.shape:
        raise InputError(f"confidence {confidence.shape} and correct {correct.shape} must have one shape")
    if not len(confidence):
        return 0.0
    order = np.argsort(confidence, kind="stable")
    gaps = [
        abs(float(correct[part].mean()) - float(confidence[part].mean())) * len(part)
        for part in np.array_split(order, min(bins, len(order)))
    ]
    return sum(gaps) / len(confidence)


def _nll(log_p: NDArray[np.floating], targets: NDArray[np.float64]) -> float:
    if not len(targets):
        return 0.0
    top = log_p.max(axis=1, keepdims=True)
    log_z = top[:, 0] + np.log(np.exp(log_p - top).sum(axis=1))
    return float(np.mean(log_z * targets.sum(axis=1) - (targets * log_p).sum(axis=1)))
