"""A pool of items in memory: index -> describe -> train -> describe. Labels and scores are in `propagation.py`.

Shared by the persisted project, `lantern simulate` and `lantern propagate`. A pool can be described as soon as it is
created.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.copies import equal_rows
from ml_backend.core.description import PoolDescription
from ml_backend.core.hyperparameters import ModelConfig, RunConfig
from ml_backend.core.labels import LabelSet
from ml_backend.core.model import ComponentModel, EpochReport, TrainingData, TrainingReport
from ml_backend.core.novelty import own_p_values
from ml_backend.core.scores import typicality
from ml_backend.data.index import NeighbourIndex, linked_back
from ml_backend.engine.freed_memory import freed_memory_kept
from ml_backend.engine.heads import Features, FittedHead, fit_heads, heads_state, restore_heads
from ml_backend.engine.label_store import LabelStore, fit_store
from ml_backend.engine.pool_reference import PoolReference
from ml_backend.engine.pool_settings import PoolSettings
from ml_backend.engine.propagation import (
    Propagation,
    TaskScores,
    apply_store,
    combine,
    propagate,
    rank,
)
from ml_backend.errors import CheckpointError, ConfigError, InputError

__all__ = [
    "LabelStore",
    "Pool",
    "PoolSettings",
    "Propagation",
    "TaskScores",
    "apply_store",
    "combine",
    "fit_store",
    "propagate",
    "rank",
]

CONFIG_KEY = "pool.config"
MODEL_PREFIX = "model."
HEADS_PREFIX = "heads."
PROBE_ROWS = 64
"""Items whose features tell whether a training has moved the space in which neighbours are sought."""
DIRECTION_ROWS = 16_384
"""Items whose features exist as float32 at a time."""

Progress = Callable[[str, float], None]
"""Called with a step's name and the share of it that is done, 0..1."""


class Pool:
    """Items x, their neighbours and the model; rows are never renumbered. Not thread-safe while it trains."""

    def __init__(
        self,
        x: NDArray[np.generic],
        settings: PoolSettings,
        model: ComponentModel,
        neighbours: NDArray[np.int32],
        similarities: NDArray[np.float32],
        index: NeighbourIndex | None,
    ) -> None:
        self.x = x
        self.settings = settings
        self.model = model
        self._neighbours, self._similarities = neighbours, similarities
        self._index = index
        self._reference: PoolReference | None = None
        self._heads: tuple[FittedHead, ...] = ()
        self._taught: tuple[LabelSet, ...] | None = None
        self._first_new: int | None = None
        self._copies: NDArray[np.int32] | None = None
        self._directions: NDArray[np.float16] | None = None

    def __len__(self) -> int:
        return len(self.x)

    @classmethod
    def create(
        cls,
        x: NDArray[np.generic],
        settings: PoolSettings,
        *,
        seed: int,
        should_stop: Callable[[], bool] | None = None,
        progress: Progress | None = None,
    ) -> Pool:
        """Fit a new model to x (N, D) floats or (N, C, H, W) uint8, N >= 1, and find the neighbours.

        Raises InputError on shapes, NaN or an empty pool.
        """
        if not len(x):
            raise InputError("a pool needs at least one item")
        report = progress or (lambda _step, _share: None)
        report("components", 0.0)
        config = settings.model_config(x)
        with freed_memory_kept() if config.is_image else nullcontext():
            model = ComponentModel.create(config, x, seed=seed, device=settings.device, should_stop=should_stop)
        report("neighbours", 0.0)
        pool = cls(x, settings, model, np.empty((0, 0), np.int32), np.empty((0, 0), np.float32), None)
        pool._find_neighbours()
        report("neighbours", 1.0)
        return pool

    def train(
        self,
        run: RunConfig,
        label_sets: Sequence[LabelSet] = (),
        *,
        on_epoch: Callable[[EpochReport], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> TrainingReport:
        """1-5 epochs in place; components keep their ids. Labels are those of this pool's rows."""
        self._index = None
        probe = self.model.features(self.x[:PROBE_ROWS])
        data = TrainingData(self.x, self._neighbours, tuple(label_sets), self.settings.alpha0, self._first_new)
        try:
            return self.model.train(data, run, on_epoch=on_epoch, should_stop=should_stop)
        finally:
            self._reference, self._first_new = None, None
            self.teach(label_sets)
            if not np.array_equal(probe, self.model.features(self.x[:PROBE_ROWS])):
                self._find_neighbours()

    def teach(self, label_sets: Sequence[LabelSet]) -> None:
        """Labels, of this pool's rows, that the heads learn from when the pool is described next."""
        self._taught = tuple(label_sets)

    def describe(self) -> PoolDescription:
        """What the present model says of every row. The first time after a training or `teach` this fits the heads."""
        encoding = self.model.encode(self.x, temperature=self.settings.temperature, of_pool=True)
        reference = self._reference = PoolReference.fit(self._neighbours, self._similarities, encoding)
        combined = reference.novelty.score(reference.traits(self._neighbours, self._similarities, encoding))
        description = PoolDescription(
            responsibilities=encoding.responsibilities,
            neighbours=self._neighbours,
            similarities=self._similarities,
            density=typicality(self._similarities),
            novelty=own_p_values(combined),
            aleatoric=encoding.aleatoric,
            component_cosines=self.model.component_cosines(),
            copies=self._known_copies(),
            directions=self._known_directions(),
        )
        features = _features_of(self.model, self.x)
        if self._taught is not None:
            self._heads = fit_heads(description, self._taught, features, self.settings.alpha0)
            self._taught = None
        heads = {head.name: head.answers(features, len(self), of_pool=True) for head in self._heads}
        return replace(description, heads=heads)

    def describe_new(self, x_new: NDArray[np.generic]) -> PoolDescription:
        """The same of items outside the pool: neighbours and p-values are among the pool. x_new: (n, ...), n >= 1."""
        if not len(x_new):
            raise InputError("there is nothing to describe")
        if self._reference is None:
            encoding = self.model.encode(self.x, of_pool=True)
            self._reference = PoolReference.fit(self._neighbours, self._similarities, encoding)
        encoding = self.model.encode(x_new, temperature=self.settings.temperature)
        neighbours, similarities = self._ready_index().search(self.model.features(x_new), self.settings.neighbours)
        return PoolDescription(
            responsibilities=encoding.responsibilities,
            neighbours=neighbours,
            similarities=similarities,
            density=typicality(similarities, self._reference.mean_similarity),
            novelty=self._reference.novelty.p_values(self._reference.traits(neighbours, similarities, encoding)),
            aleatoric=encoding.aleatoric,
            heads={
                head.name: head.answers(_features_of(self.model, x_new), len(x_new), of_pool=False)
                for head in self._heads
            },
        )

    def similar(self, row: int, k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The k rows most like one, nearest first, itself excluded: (k',) int32 and cosines, k' <= k.

        The first call after a training makes the index, unless `prepare_search` has.
        """
        near, cosine = self._ready_index().search(self.model.features(self.x[row : row + 1]), k + 1)
        other = (near[0] != row) & (near[0] >= 0)
        return near[0][other][:k], cosine[0][other][:k]

    def prepare_search(self) -> None:
        """Make the index that `similar` searches: seconds for a large pool."""
        self._ready_index()

    def extend(self, x_new: NDArray[np.generic]) -> None:
        """Append items without training; the rows before keep their numbers and may get new ones as neighbours."""
        if not len(x_new):
            return
        first, index = len(self.x), self._ready_index()
        self._first_new = first if self._first_new is None else self._first_new
        features = self.model.features(x_new)
        index.add(features)
        self.x = np.concatenate([self.x, x_new])
        near, similar = index.neighbours(features, self.settings.neighbours, first_row=first)
        self._neighbours, self._similarities = linked_back(self._neighbours, self._similarities, near, similar)
        self._reference = self._copies = None
        if self._directions is not None:
            self._directions = np.concatenate([self._directions, features.astype(np.float16)])

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Everything but x and the settings, as arrays without NaN."""
        config = json.dumps(asdict(self.model.config)).encode()
        arrays: dict[str, NDArray[np.generic]] = {MODEL_PREFIX + n: v for n, v in self.model.state().items()}
        arrays[CONFIG_KEY] = np.frombuffer(config, np.uint8).copy()
        arrays |= {HEADS_PREFIX + n: v for n, v in heads_state(self._heads).items()}
        arrays["pool.neighbours"], arrays["pool.similarities"] = self._neighbours, self._similarities
        arrays["pool.first_new"] = np.array(len(self) if self._first_new is None else self._first_new)
        return arrays

    @classmethod
    def restore(cls, x: NDArray[np.generic], settings: PoolSettings, state: Mapping[str, NDArray[np.generic]]) -> Pool:
        """The pool that gave `state`, with the x it had. Raises CheckpointError when they do not fit."""
        try:
            fields = json.loads(state[CONFIG_KEY].tobytes())
            config = ModelConfig(**{**fields, "input_shape": tuple(fields["input_shape"])})
            neighbours = state["pool.neighbours"].astype(np.int32, copy=False)
            similarities = state["pool.similarities"].astype(np.float32, copy=False)
            first_new = int(state["pool.first_new"].item())
            heads = restore_heads(
                {n.removeprefix(HEADS_PREFIX): v for n, v in state.items() if n.startswith(HEADS_PREFIX)}
            )
        except (KeyError, ValueError, TypeError, ConfigError) as error:
            raise CheckpointError(f"the pool's state cannot be read: {error}") from error
        if len(neighbours) != len(x) or config.input_shape != x.shape[1:]:
            raise CheckpointError(
                f"the state is of {len(neighbours)} items of shape {config.input_shape}, x is {x.shape}"
            )
        model = ComponentModel.restore(config, _below(state, MODEL_PREFIX), device=settings.device)
        pool = cls(x, settings, model, neighbours, similarities, None)
        pool._heads = heads
        pool._first_new = first_new if first_new < len(x) else None
        return pool

    def _ready_index(self) -> NeighbourIndex:
        if self._index is None:
            self._index = NeighbourIndex(_Features(self.model, self.x))
        return self._index

    def _known_copies(self) -> NDArray[np.int32]:
        if self._copies is None:
            self._copies = equal_rows(self.x)
        return self._copies

    def _known_directions(self) -> NDArray[np.float16]:
        """As long as the features stay where they are, they are read once."""
        if self._directions is None:
            rows = _Features(self.model, self.x)
            blocks = (rows[i : i + DIRECTION_ROWS] for i in range(0, len(self), DIRECTION_ROWS))
            self._directions = np.concatenate([block.astype(np.float16) for block in blocks])
        return self._directions

    def _find_neighbours(self) -> None:
        """The index is as large as x: it goes again, and is made anew when new items come."""
        self._index = self._directions = None
        rows = _Features(self.model, self.x)
        self._neighbours, self._similarities = NeighbourIndex(rows).neighbours(rows, self.settings.neighbours)


class _Features:
    """The pool's features, block by block: the whole float matrix never exists beside faiss's own copy.

    Pictures' are few numbers each, from many; an index asks for all of them five times, so they are kept.
    """

    def __init__(self, model: ComponentModel, x: NDArray[np.generic]) -> None:
        self._model, self._x = model, x
        self._rows = model.features(x) if model.config.is_image else None
        self.shape = (len(x), model.features(x[:1]).shape[1])

    def __len__(self) -> int:
        return len(self._x)

    def __getitem__(self, rows: slice) -> NDArray[np.float32]:
        return self._model.features(self._x[rows]) if self._rows is None else self._rows[rows]


def _features_of(model: ComponentModel, x: NDArray[np.generic]) -> Features:
    return lambda rows: model.class_features(x[rows])


def _below(state: Mapping[str, NDArray[np.generic]], prefix: str) -> dict[str, NDArray[np.generic]]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
