"""How good answers are: accuracy and Brier score of labels, AUROC and FPR95 of a score for what belongs to no class.

The calibration error is `ml_backend.core.calibration.expected_calibration_error`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ml_backend.errors import InputError

KNOWN_ACCEPTED = 0.95
"""Share of the known items that the threshold of FPR95 accepts."""


def accuracy(correct: NDArray[np.bool_]) -> float:
    """Share of True, in [0, 1]; 0 for no items."""
    return float(correct.mean()) if len(correct) else 0.0


def auroc(known: NDArray[np.floating], unknown: NDArray[np.floating]) -> float:
    """Chance that an unknown item scores above a known one, ties count half (Mann-Whitney), in [0, 1].

    known, unknown: scores, HIGH = unknown; neither may be empty.
    """
    _check(known, unknown)
    ranks = rankdata(np.concatenate([known, unknown]))
    above = ranks[len(known) :].sum() - len(unknown) * (len(unknown) + 1) / 2
    return float(above / (len(known) * len(unknown)))


def fpr95(known: NDArray[np.floating], unknown: NDArray[np.floating]) -> float:
    """Share of the unknown items that pass as known at the threshold that accepts 95 % of the known, LOW = good.

    The convention of Sun et al. 2022 (kNN-OOD). Scores: HIGH = unknown; accepted = score at or below the threshold.
    """
    _check(known, unknown)
    place = int(np.ceil(KNOWN_ACCEPTED * len(known))) - 1
    return float(np.mean(unknown <= np.sort(known)[place]))


def _check(known: NDArray[np.floating], unknown: NDArray[np.floating]) -> None:
    if not len(known) or not len(unknown):
        raise InputError(f"{len(known)} known and {len(unknown)} unknown items: neither may be empty")
    if not (np.isfinite(known).all() and np.isfinite(unknown).all()):
        raise InputError("scores hold NaN or infinity")
