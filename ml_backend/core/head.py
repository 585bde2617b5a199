"""The global term: a classifier on the frozen features, beside the model and the label store.

A mixture over components is capped by their purity, and neighbours reach only so far. A plain classifier knows the
classes as wholes, but has few labels; so it learns from the labels AND from what the label store says of a sample of
the pool (distillation of the propagated labels). It is the mean of two: a linear softmax (good with many labels) and
class prototypes (good with few). It is fitted after each training run; p(y|x) = sum_c r_c tau stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.softmax_regression import softmax_regression
from ml_backend.errors import InputError

DIRECTIONS = 192
"""Principal directions that the linear part sees. CLINC150, 1,500 labels: 96 .919, 160 .922, all 384 .924."""
SAMPLE_WEIGHT = 0.1
"""Weight of an item of the sample beside a label's 1; .1 and .3 were alike."""
PROTOTYPE_SHARPNESS = 20.0
"""Softmax over class prototypes: exp(20 cosine)."""
PROTOTYPE_STEPS = 3

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class Lesson:
    """What a head learns from: features (n, F) of length 1, p (n, Y) rows summing to 1, and the labels among them.

    labelled: (n,) bool, rows whose p is a person's answer; the others' p is the label store's.
    """

    features: Rows
    p: Rows
    labelled: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if not len(self.features) == len(self.p) == len(self.labelled):
            raise InputError(f"{len(self.features)} features, {len(self.p)} answers, {len(self.labelled)} marks")


@dataclass(frozen=True)
class ClassHead:
    """mean (F,), directions (F, P), weights (P, Y), bias (Y,): the linear part. prototypes (F, Y): unit columns."""

    mean: Rows
    directions: Rows
    weights: Rows
    bias: Rows
    prototypes: Rows

    @staticmethod
    def fit(lesson: Lesson) -> ClassHead:
        """Deterministic. Needs at least one row."""
        mean = lesson.features.mean(axis=0)
        directions = _principal_directions(lesson.features - mean)
        weight = np.where(lesson.labelled, 1.0, SAMPLE_WEIGHT).astype(np.float32)
        weights, bias = softmax_regression((lesson.features - mean) @ directions, lesson.p, weight)
        return ClassHead(mean, directions, weights, bias, _prototypes(lesson))

    def probabilities(self, features: Rows) -> Rows:
        """(n, F) of length 1 -> (n, Y), rows sum to 1."""
        linear = _softmax(((features - self.mean) @ self.directions) @ self.weights + self.bias)
        return 0.5 * (linear + _softmax(PROTOTYPE_SHARPNESS * (features @ self.prototypes)))

    def arrays(self) -> dict[str, Rows]:
        """Everything, by name."""
        return dict(vars(self))

    @staticmethod
    def of_arrays(arrays: Mapping[str, NDArray[np.generic]]) -> ClassHead:
        """The head that gave `arrays`. Raises KeyError when one is missing."""
        names = ("mean", "directions", "weights", "bias", "prototypes")
        return ClassHead(*(np.asarray(arrays[name], np.float32) for name in names))


def _principal_directions(centred: Rows) -> Rows:
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return np.ascontiguousarray(vectors[:, ::-1][:, : min(DIRECTIONS, len(centred))], np.float32)


def _prototypes(lesson: Lesson) -> Rows:
    """Class means on the sphere, from soft answers that a few steps of EM sharpen; people's answers stay."""
    p = lesson.p
    prototypes = _unit_columns(lesson.features.T @ p)
    for _ in range(PROTOTYPE_STEPS):
        own = _softmax(PROTOTYPE_SHARPNESS * (lesson.features @ prototypes)) * p
        own /= np.maximum(own.sum(axis=1, keepdims=True), 1e-12)
        prototypes = _unit_columns(lesson.features.T @ np.where(lesson.labelled[:, None], p, own))
    return prototypes


def _unit_columns(columns: Rows) -> Rows:
    return np.asarray(columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-12), np.float32)


def _softmax(logits: NDArray[np.floating]) -> Rows:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), np.float32)
