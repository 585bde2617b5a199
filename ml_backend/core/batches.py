"""A pool of raw items as batches of preprocessed tensors, without ever copying the pool."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ml_backend.core.representation import Backbone


class PoolBatches:
    """Rows of x as (inputs, base) on a device.

    The base representation (N, F) is computed once; whitened vectors are kept too, images are standardised on the fly.
    """

    def __init__(self, backbone: Backbone, x: NDArray[np.generic], device: torch.device) -> None:
        self._backbone = backbone
        self._x = x
        self._device = device
        self._inputs: Tensor | None = None
        keep_inputs = backbone.image is None
        if keep_inputs:
            self._inputs = torch.empty(len(x), *backbone.input_shape)
        self._base = torch.empty(len(x), backbone.base_dim)
        with torch.no_grad():
            for start in range(0, len(x), backbone.rows_at_once):
                rows = slice(start, start + backbone.rows_at_once)
                inputs = backbone.inputs(torch.from_numpy(np.ascontiguousarray(x[rows])).to(device))
                self._base[rows] = backbone.base(inputs).cpu()
                if self._inputs is not None:
                    self._inputs[rows] = inputs.cpu()

    def __len__(self) -> int:
        return len(self._x)

    @property
    def base(self) -> Tensor:
        """(N, F) on the CPU."""
        return self._base

    def take(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """(inputs, base) of the rows, in that order."""
        base = self._base[rows].to(self._device)
        if self._inputs is not None:
            return self._inputs[rows].to(self._device), base
        return self._backbone.inputs(torch.from_numpy(self._x[rows]).to(self._device)), base

    def chunks(self) -> Iterator[tuple[NDArray[np.int64], Tensor, Tensor]]:
        """(rows, inputs, base) over the whole pool in order."""
        size = self._backbone.rows_at_once
        for start in range(0, len(self), size):
            rows = np.arange(start, min(start + size, len(self)))
            yield rows, *self.take(rows)
