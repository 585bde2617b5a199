"""Outcomes against the truth: the figures of one row of a result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.calibration import expected_calibration_error
from ml_backend.engine.simulation.metrics import accuracy, auroc, fpr95
from ml_backend.engine.simulation.oracle import AskedLabels
from ml_backend.engine.simulation.outcome import Fitted, Outcome
from ml_backend.engine.simulation.problem import Problem

BINS = 15


@dataclass(frozen=True, kw_only=True)
class Figures:
    """accuracy_pool: of the items not asked about. accuracy_test: of the test split.

    auroc_*, fpr95*: out-of-distribution items against the test split where there is one, else against the rest of the
    pool; fpr95 is that of novelty. ece: of the test split where there is one, else of the rest of the pool. All in
    [0, 1]; None = the file or the method has no such thing. *_components: the same of p(y|x) = sum_c r_c tau alone.
    """

    accuracy_pool: float | None
    accuracy_test: float | None
    auroc_novelty: float | None
    auroc_s_ood: float | None
    fpr95: float | None
    fpr95_s_ood: float | None
    ece: float
    accuracy_pool_components: float | None = None
    accuracy_test_components: float | None = None


@dataclass(frozen=True)
class Graded:
    """What a method said of the parts that it is graded on, for figures that need every item (curves, histograms).

    confidence, correct: of the items that `ece` is about. known, unknown: their scores by name, HIGH = unknown.
    """

    figures: Figures
    confidence: NDArray[np.float32]
    correct: NDArray[np.bool_]
    known: dict[str, NDArray[np.float32]]
    unknown: dict[str, NDArray[np.float32]]


def grade(problem: Problem, labels: AskedLabels, fitted: Fitted) -> Graded:
    """labels: what the method was given, at least one answer."""
    given = labels.label_set
    classes = np.array(given.classes if given else ("",), dtype=np.str_)
    rest = np.ones(len(problem.pool), bool)
    rest[labels.asked] = False
    pool = fitted("pool")
    in_pool = rest & (problem.pool_truth != "")
    right_pool = (classes[pool.label] == problem.pool_truth)[in_pool]
    if len(problem.test):
        known, among = fitted("test"), np.ones(len(problem.test), bool)
        correct = classes[known.label] == problem.test_truth
    else:
        known, among, correct = pool, in_pool, right_pool
    inside = _scores(known, among)
    outside = _scores(fitted("ood"), None) if len(problem.ood) else {}
    confidence = known.confidence[among]
    return Graded(
        figures=Figures(
            accuracy_pool=accuracy(right_pool) if len(right_pool) else None,
            accuracy_test=accuracy(correct) if len(problem.test) else None,
            auroc_novelty=_compared(auroc, inside, outside, "novelty"),
            auroc_s_ood=_compared(auroc, inside, outside, "s_ood"),
            fpr95=_compared(fpr95, inside, outside, "novelty"),
            fpr95_s_ood=_compared(fpr95, inside, outside, "s_ood"),
            ece=expected_calibration_error(confidence, correct, bins=BINS),
            accuracy_pool_components=_components(pool, classes, problem.pool_truth, in_pool),
            accuracy_test_components=_components(known, classes, problem.test_truth, among)
            if len(problem.test)
            else None,
        ),
        confidence=confidence,
        correct=correct,
        known=inside,
        unknown=outside,
    )


def _components(
    outcome: Outcome, classes: NDArray[np.str_], truth: NDArray[np.str_], among: NDArray[np.bool_]
) -> float | None:
    if outcome.p_label is None or not among.any():
        return None
    return accuracy((classes[outcome.p_label] == truth)[among])


def _scores(outcome: Outcome, among: NDArray[np.bool_] | None) -> dict[str, NDArray[np.float32]]:
    named = {"novelty": outcome.novelty, "s_ood": outcome.s_ood}
    return {name: s if among is None else s[among] for name, s in named.items() if s is not None}


def _compared(
    figure: Callable[[NDArray[np.float32], NDArray[np.float32]], float],
    inside: dict[str, NDArray[np.float32]],
    outside: dict[str, NDArray[np.float32]],
    name: str,
) -> float | None:
    if name not in inside or name not in outside or not len(inside[name]):
        return None
    return figure(inside[name], outside[name])
