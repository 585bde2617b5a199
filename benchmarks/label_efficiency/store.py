"""Finished work on disk: a cell is there as a whole or not at all, whenever a run stopped, and is never done twice."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class CellKey:
    """What was run: `name` of the set `kind` on `data`.

    settings: everything that the figures depend on; another value is another cell.
    """

    kind: str
    data: str
    name: str
    settings: Mapping[str, object]

    @property
    def digest(self) -> str:
        """Of the settings."""
        text = json.dumps(self.settings, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def path(self) -> str:
        """Of its files, without a suffix."""
        return f"{self.kind}/{self.data}/{self.name}.{self.digest}"


@dataclass(frozen=True)
class SavedCell:
    """figures: what a report shows. extra: what other cells need; both fit for JSON. arrays: what plots need."""

    figures: Mapping[str, Any]
    arrays: Arrays = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


class Store:
    """A folder of cells."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, key: CellKey) -> bool:
        """Whether the cell is done."""
        return self._path(key, "json").is_file()

    def save(self, key: CellKey, cell: SavedCell) -> None:
        """The .json last, since it is what says that the cell is done."""
        self._path(key, "json").parent.mkdir(parents=True, exist_ok=True)
        with (partial := self._path(key, "npz.partial")).open("wb") as file:
            arrays: dict[str, Any] = dict(cell.arrays)
            np.savez_compressed(file, **arrays)
        partial.replace(self._path(key, "npz"))
        content = {"settings": key.settings, "figures": cell.figures, "extra": cell.extra}
        with (partial := self._path(key, "json.partial")).open("w", encoding="utf-8") as text:
            json.dump(content, text)
            text.flush()
            os.fsync(text.fileno())
        partial.replace(self._path(key, "json"))

    def load(self, key: CellKey) -> SavedCell:
        """What was saved."""
        content = json.loads(self._path(key, "json").read_text("utf-8"))
        with np.load(self._path(key, "npz"), allow_pickle=False) as arrays:
            return SavedCell(content["figures"], {name: arrays[name] for name in arrays.files}, content["extra"])

    @contextmanager
    def claim(self, key: CellKey) -> Iterator[None]:
        """Two processes that need the same cell: the second waits until the first has done it."""
        path = self._path(key, "lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _path(self, key: CellKey, suffix: str) -> Path:
        return self.folder / f"{key.path}.{suffix}"
