"""Data-set files for `lantern simulate` and `lantern propagate`: .npz, .jsonl, .csv.

.npz: `x` (N, D) numbers, or uint8 pictures (N, H, W[, C]) with 0..255, and/or `text`; optional `y`, `split`, `id`.
.jsonl and .csv: `text` | `embedding` | `image` in each row; optional `label`, `split`, `id` (dataset_rows.py).
Arrays of Python objects (pickle) are never loaded: a file with them is refused.
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from ml_backend.data.encoders.vector import DAMAGED_ARRAY
from ml_backend.data.pictures import MAX_SIDE
from ml_backend.errors import InputError

POOL_SPLITS = ("train", "val", "")
"""Splits that are the pool to label from; a row without a split counts as one of them."""
OOS_PREFIX = "oos_"
"""Splits that begin so hold what belongs to no class; their labels are dropped on reading, so nobody can learn from
them.
"""
MAX_LABEL_CHARACTERS = 500
NOT_KNOWN = "nan"
"""A label that pandas and numpy write for none."""

DAMAGED_ARCHIVE = (*DAMAGED_ARRAY, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError)
"""What numpy and zipfile raise of a damaged file; RuntimeError of archives that are encrypted or packed otherwise."""

Strings = NDArray[np.str_]


@dataclass(frozen=True)
class Dataset:
    """Items of one file. At least one of x, images and text is there; all that is there has N entries, in the file's
    order.

    x: (N, D) float32, finite. images: (N, C, H, W) uint8. text: N texts, "" where a row has none. y: (N,) labels; "" =
    not known. split: (N,); "" = not said. keys: (N,) the file's `id`s. Each None if the file has no such column.
    name: of the data. file: name of the file with its ending, "" if it came from none.
    """

    name: str
    x: NDArray[np.float32] | None = None
    images: NDArray[np.uint8] | None = None
    text: Sequence[str] | None = None
    y: Strings | None = None
    split: Strings | None = None
    keys: Strings | None = None
    file: str = ""

    @property
    def where(self) -> str:
        """What a message about it begins with."""
        return self.file or self.name

    def __len__(self) -> int:
        if self.x is not None:
            return len(self.x)
        return len(self.images) if self.images is not None else len(self.text or ())

    @property
    def pool_rows(self) -> NDArray[np.int64]:
        """Row numbers to label from: splits train and val, or no split."""
        if self.split is None:
            return np.arange(len(self), dtype=np.int64)
        return np.flatnonzero(np.isin(self.split, POOL_SPLITS)).astype(np.int64)


def read_dataset(path: Path) -> Dataset:
    """The data set in a file. Raises InputError, naming the row or column and what is expected there."""
    from ml_backend.data.dataset_rows import read_table

    readers = {".npz": _read_npz, ".jsonl": read_table, ".csv": read_table}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path.name}: unknown kind of file; expected {', '.join(readers)}")
    try:
        if not path.is_file():
            raise InputError(f"{path}: is a folder, not a file" if path.is_dir() else f"{path}: there is no such file")
        return hide_oos_labels(reader(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error


def hide_oos_labels(dataset: Dataset) -> Dataset:
    """The same without the labels of rows in oos_* splits."""
    if dataset.y is None or dataset.split is None:
        return dataset
    hidden = np.char.startswith(dataset.split, OOS_PREFIX)
    y = np.where(hidden, "", dataset.y)
    return replace(dataset, y=y)


def _read_npz(path: Path) -> Dataset:
    arrays = _load_arrays(path)
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"{path.name}: arrays differ in length: {', '.join(f'{k} {v:,}' for k, v in lengths.items())}")
    if not {"x", "text"} & set(arrays):
        raise InputError(f"{path.name}: has no array `x` or `text`")
    if min(lengths.values()) == 0:
        raise InputError(f"{path.name}: holds no rows")
    x = arrays.get("x")
    is_picture = x is not None and x.ndim > 2
    return Dataset(
        name=path.stem,
        x=check_vectors(x, path.name) if x is not None and not is_picture else None,
        images=check_pictures(x, path.name) if x is not None and is_picture else None,
        text=[str(t) for t in _strings(arrays, "text", path.name)] if "text" in arrays else None,
        y=labels(_strings(arrays, "y", path.name), path.name) if "y" in arrays else None,
        split=_strings(arrays, "split", path.name) if "split" in arrays else None,
        keys=_strings(arrays, "id", path.name) if "id" in arrays else None,
        file=path.name,
    )


def _load_arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    arrays: dict[str, NDArray[np.generic]] = {}
    try:
        opened = np.load(path, allow_pickle=False)
        if not isinstance(opened, NpzFile):
            raise InputError(f"{path.name}: is a single array, not an .npz archive: save it with np.savez(path, x=...)")
        with opened as file:
            for name in ("x", "text", "y", "split", "id"):
                if name in file:
                    arrays[name] = _load_one(file, name, path.name)
    except DAMAGED_ARCHIVE as error:
        # numpy's own words advise to load it with pickle
        raise InputError(f"{path.name}: is no .npz file, or damaged: save it with np.savez(path, x=...)") from error
    for name, array in arrays.items():
        if array.ndim == 0:
            raise InputError(f"{path.name}: `{name}` is a single value, expected one entry a row")
    return arrays


def _load_one(file: Mapping[str, NDArray[np.generic]], name: str, file_name: str) -> NDArray[np.generic]:
    try:
        array = file[name]
    except ValueError as error:
        raise InputError(
            f"{file_name}: `{name}` cannot be read without pickle, which is refused ({str(error)[:100]}): "
            f"save texts with np.array({name}, dtype=str) and numbers with a number dtype"
        ) from error
    if not isinstance(array, np.ndarray):  # of a member that does not begin as an array does, numpy gives the bytes
        raise InputError(f"{file_name}: `{name}` is no array, or damaged: save it with np.savez(path, {name}=...)")
    return array


def _strings(arrays: Mapping[str, NDArray[np.generic]], name: str, file_name: str) -> Strings:
    array = arrays[name]
    if array.ndim != 1:
        raise InputError(f"{file_name}: `{name}` has shape {array.shape}, expected (N,)")
    if array.dtype.kind == "S":
        return np.char.decode(array.astype(np.bytes_), "utf-8", "replace")
    if array.dtype.kind not in "Uiufb":
        raise InputError(f"{file_name}: `{name}` is of type {array.dtype}, expected texts or numbers")
    return array.astype(np.str_)


def labels(values: Strings, file_name: str) -> Strings:
    """Labels as they are; refuses texts that are too long to be one. "nan" from a float column means: not known."""
    lengths = np.char.str_len(values)
    if lengths.max(initial=0) > MAX_LABEL_CHARACTERS:
        raise InputError(
            f"{file_name}: the label of row {int(lengths.argmax())} has {int(lengths.max()):,} characters; "
            "is it the text?"
        )
    return np.where(np.char.lower(values) == NOT_KNOWN, "", values)


def check_vectors(x: NDArray[np.generic], file_name: str) -> NDArray[np.float32]:
    """(N, D) finite numbers as float32. Raises InputError naming the first row that is not."""
    if x.ndim != 2 or x.shape[1] < 2 or x.dtype.kind not in "fiu":
        raise InputError(
            f"{file_name}: `x` has shape {x.shape} and type {x.dtype}, expected numbers (N, D) with D of at least 2, "
            "or uint8 pictures"
        )
    with np.errstate(over="ignore"):
        vectors = x.astype(np.float32, copy=False)
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        raise InputError(f"{file_name}: row {bad[0]} of `x` holds NaN or infinity ({len(bad):,} such rows)")
    return vectors


def check_pictures(x: NDArray[np.generic], file_name: str) -> NDArray[np.uint8]:
    """(N, H, W) or (N, H, W, C) uint8 -> (N, C, H, W). Raises InputError."""
    if x.dtype != np.uint8:
        raise InputError(f"{file_name}: pictures in `x` are of type {x.dtype}, expected uint8 with 0..255")
    pictures = x[:, None] if x.ndim == 3 else np.moveaxis(x, -1, 1) if x.ndim == 4 else None
    if pictures is None or pictures.shape[1] not in (1, 3):
        raise InputError(f"{file_name}: `x` has shape {x.shape}, expected (N, H, W) or (N, H, W, C) with C 1 or 3")
    if not 2 <= min(pictures.shape[2:]) <= max(pictures.shape[2:]) <= MAX_SIDE:
        raise InputError(f"{file_name}: pictures are {x.shape[2]} x {x.shape[1]} pixels, expected 2..{MAX_SIDE} a side")
    return np.ascontiguousarray(pictures).astype(np.uint8, copy=False)
