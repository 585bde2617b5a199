"""Finished work on disk: one (data, method, seed) cell holds every budget, and is never done twice."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_backend.engine.simulation.methods import Cell
from ml_backend.engine.simulation.oracle import AskedLabels


@dataclass(frozen=True)
class CellKey:
    """What was run. settings: everything that the figures depend on; another value is another cell."""

    data: str
    method: str
    seed: int
    settings: Mapping[str, object]

    @property
    def digest(self) -> str:
        """Of the settings."""
        text = json.dumps(self.settings, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.data}/{self.method}.seed{self.seed}.{self.digest}"


@dataclass(frozen=True)
class SavedBudget:
    """figures: the numbers of one budget. curves: what plots need: confidence, correct, known_*, unknown_*."""

    figures: dict[str, float | int | None]
    labels: AskedLabels
    curves: dict[str, NDArray[np.generic]]


class CellStore:
    """A folder of cells. A cell is there as a whole or not at all, whenever the run was stopped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, key: CellKey) -> bool:
        """Whether the cell is done."""
        return self._path(key, "json").is_file()

    def save(self, key: CellKey, cells: Sequence[Cell]) -> None:
        """All budgets of one cell; the .json last, since it is what says that the cell is done."""
        self._path(key, "json").parent.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {
            f"{cell.budget}.{name}": values for cell in cells for name, values in _curves(cell).items()
        }
        with (partial := self._path(key, "npz.partial")).open("wb") as file:
            np.savez_compressed(file, **arrays)
        partial.replace(self._path(key, "npz"))
        content = {"data": key.data, "method": key.method, "seed": key.seed, "settings": key.settings}
        content["budgets"] = [
            {"figures": _figures(cell), "rows": cell.labels.rows, "answers": cell.labels.answers} for cell in cells
        ]
        partial = self._path(key, "json.partial")
        with partial.open("w", encoding="utf-8") as text:
            json.dump(content, text)
            text.flush()
            os.fsync(text.fileno())
        partial.replace(self._path(key, "json"))

    def load(self, key: CellKey) -> dict[int, SavedBudget]:
        """Budget -> what was saved."""
        content = json.loads(self._path(key, "json").read_text("utf-8"))
        with np.load(self._path(key, "npz"), allow_pickle=False) as arrays:
            curves = {name: arrays[name] for name in arrays.files}
        return {
            saved["figures"]["budget"]: SavedBudget(
                saved["figures"],
                AskedLabels(tuple(saved["rows"]), tuple(saved["answers"])),
                _of_budget(curves, saved["figures"]["budget"]),
            )
            for saved in content["budgets"]
        }

    def _path(self, key: CellKey, suffix: str) -> Path:
        return self._folder / f"{key.name}.{suffix}"


def _figures(cell: Cell) -> dict[str, float | int | None]:
    return {
        "budget": cell.budget,
        "seconds": round(cell.seconds, 3),
        "peak_mb": round(cell.peak_mb, 1),
        **asdict(cell.graded.figures),
    }


def _curves(cell: Cell) -> dict[str, NDArray[np.generic]]:
    graded = cell.graded
    scores = {
        f"{side}_{name}": values.astype(np.float32)
        for side, named in (("known", graded.known), ("unknown", graded.unknown))
        for name, values in named.items()
    }
    return {"confidence": graded.confidence.astype(np.float32), "correct": graded.correct, **scores}


def _of_budget(curves: Mapping[str, NDArray[np.generic]], budget: int) -> dict[str, NDArray[np.generic]]:
    start = f"{budget}."
    return {name.removeprefix(start): values for name, values in curves.items() if name.startswith(start)}
