"""What answering and pushing need of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ml_backend.data.label_config import LabelSchema
from ml_backend.engine.engine import IncomingTask
from ml_backend.engine.prediction import TaskPrediction


class PublishedView(Protocol):
    """The predictions of one publication under the labels of one moment; see ProjectView."""

    @property
    def number(self) -> int: ...

    @property
    def model_version(self) -> str: ...

    @property
    def labels_version(self) -> int: ...

    @property
    def schema(self) -> LabelSchema: ...

    @property
    def task_ids(self) -> NDArray[np.int64]: ...

    def predictions(self, task_ids: Sequence[int] | None = None) -> list[TaskPrediction]: ...


class Predictor(Protocol):
    """The engine, as a service and a push see it."""

    def view(self, uid: str) -> PublishedView | None: ...

    def predict(self, uid: str, tasks: Sequence[IncomingTask]) -> list[TaskPrediction]: ...
