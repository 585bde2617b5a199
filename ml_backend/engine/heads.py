"""Fits the global term (`core.head`) of each label set after a training run, and keeps it for new items."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.description import PoolDescription
from ml_backend.core.head import ClassHead, Lesson
from ml_backend.core.head_answers import HeadAnswers
from ml_backend.core.labels import LabelSet
from ml_backend.engine.label_store import fit_store
from ml_backend.engine.propagation import probabilities

SAMPLE = 4000
"""Items of the pool whose propagated labels the head learns beside the given ones."""
FOLDS = 10
"""A labelled item's cached answer comes from a head that has not seen its label: calibration needs an honest one. With
few folds it has not seen many others either, and the confidence comes out too low (CLINC150, 300 labels: ECE .063 with
3 folds, .049 with 6, .045 with 12)."""
FEWEST_LABELS = 10
CHUNK = 4096

Features = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""Features (n, F), of length 1, of rows of the pool."""


@dataclass(frozen=True)
class FittedHead:
    """rows: (n,) the labelled rows, targets: (n, Y) their labels; honest: (n, Y) what heads say of them that have not
    seen their label.
    """

    name: str
    classes: tuple[str, ...]
    head: ClassHead
    rows: NDArray[np.int64]
    targets: NDArray[np.float32]
    honest: NDArray[np.float32]

    def answers(self, features: Features, n: int, *, of_pool: bool) -> HeadAnswers:
        """Of n items. of_pool: they are the pool's rows, so that labelled ones get their honest answer."""
        blocks = [np.arange(i, min(i + CHUNK, n)) for i in range(0, n, CHUNK)]
        parts = [self._kept(self.head.probabilities(features(b))) for b in blocks]
        indices = np.concatenate([part.indices for part in parts])
        values = np.concatenate([part.values for part in parts])
        if of_pool:
            own = self._kept(self.honest)
            indices[self.rows], values[self.rows] = own.indices, own.values
        return replace(parts[0], indices=indices, values=values)

    def _kept(self, p: NDArray[np.float32]) -> HeadAnswers:
        return HeadAnswers.of(self.classes, p, self.rows, self.targets)


def fit_heads(
    description: PoolDescription, label_sets: Sequence[LabelSet], features: Features, alpha0: float | None
) -> tuple[FittedHead, ...]:
    """One for each label set with enough labels of at least two classes. description: of the pool, without heads."""
    return tuple(
        _fit(description, labels, features, alpha0)
        for labels in label_sets
        if len(labels.rows) >= FEWEST_LABELS and np.count_nonzero(labels.targets.sum(axis=0)) > 1
    )


def _fit(description: PoolDescription, labels: LabelSet, features: Features, alpha0: float | None) -> FittedHead:
    random = np.random.default_rng(0)
    sample = np.sort(random.permutation(len(description))[:SAMPLE])
    teach = _Teacher(description, sample, features(sample), features(labels.rows), alpha0)
    fold = random.permutation(len(labels.rows)) % FOLDS
    honest = np.zeros(labels.targets.shape, np.float32)
    for held_out in (fold == f for f in range(FOLDS)):
        honest[held_out] = teach.head(labels, ~held_out).probabilities(teach.labelled[held_out])
    everything = np.ones(len(labels.rows), bool)
    targets = labels.targets.astype(np.float32)
    return FittedHead(labels.name, labels.classes, teach.head(labels, everything), labels.rows, targets, honest)


@dataclass(frozen=True)
class _Teacher:
    description: PoolDescription
    sample: NDArray[np.int64]
    sampled: NDArray[np.float32]
    labelled: NDArray[np.float32]
    alpha0: float | None

    def head(self, labels: LabelSet, used: NDArray[np.bool_]) -> ClassHead:
        """Learns from the used labels and what they alone make of the sample; the other labelled items are left out."""
        given = replace(labels, rows=labels.rows[used], targets=labels.targets[used])
        store = fit_store(self.description, given, alpha0=self.alpha0)
        unlabelled = ~np.isin(self.sample, labels.rows)
        rows = self.sample[unlabelled]
        spread = probabilities(store, self.description.take(rows), rows)
        lesson = Lesson(
            features=np.concatenate([self.labelled[used], self.sampled[unlabelled]]),
            p=np.concatenate([given.targets.astype(np.float32), spread]),
            labelled=np.arange(int(used.sum()) + len(spread)) < used.sum(),
        )
        return ClassHead.fit(lesson)


def heads_state(heads: Sequence[FittedHead]) -> dict[str, NDArray[np.generic]]:
    """Arrays of all heads; nothing for none."""
    names = json.dumps([[head.name, list(head.classes)] for head in heads]).encode()
    arrays: dict[str, NDArray[np.generic]] = {"names": np.frombuffer(names, np.uint8).copy()}
    for place, fitted in enumerate(heads):
        own: dict[str, NDArray[np.generic]] = dict(fitted.head.arrays())
        own |= {"rows": fitted.rows, "targets": fitted.targets, "honest": fitted.honest}
        arrays |= {f"{place}.{name}": value for name, value in own.items()}
    return arrays


def restore_heads(state: Mapping[str, NDArray[np.generic]]) -> tuple[FittedHead, ...]:
    """The heads that gave `state`. Raises KeyError or ValueError when it is not one."""
    heads = []
    for place, (name, classes) in enumerate(json.loads(state["names"].tobytes())):
        own = {key.removeprefix(f"{place}."): value for key, value in state.items() if key.startswith(f"{place}.")}
        if "targets" not in own:  # of a version that did not keep them: the next training fits the head anew
            continue
        rows, targets = own["rows"].astype(np.int64), own["targets"].astype(np.float32)
        honest = own["honest"].astype(np.float32)
        heads.append(FittedHead(name, tuple(classes), ClassHead.of_arrays(own), rows, targets, honest))
    return tuple(heads)
