"""Data sets in rows: .jsonl (one JSON object a line) and .csv (with a header)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_backend.data.dataset import MAX_LABEL_CHARACTERS, Dataset, Strings, labels
from ml_backend.data.encoders.pixels import PixelsEncoder
from ml_backend.data.encoders.vector import VectorEncoder
from ml_backend.data.encoding import encode_records
from ml_backend.data.label_config import TaskInput
from ml_backend.data.media import MediaFetcher
from ml_backend.data.records import Record
from ml_backend.data.rows import Row, read_rows
from ml_backend.data.source import Source, SourceKind
from ml_backend.errors import InputError


def read_table(path: Path) -> Dataset:
    """A .csv or .jsonl file. A column that any row has is asked of every row, but for `label` and `split`. Raises
    InputError naming the line.
    """
    return _dataset(path, list(read_rows(path)))


def _dataset(path: Path, rows: list[Row]) -> Dataset:
    if not rows:
        raise InputError(f"{path.name}: holds no rows")
    columns = {column for _, row in rows for column in row}
    if not columns & {"text", "embedding", "image"}:
        raise InputError(
            f"{path.name}: has no column text, embedding or image; it has {', '.join(sorted(columns)[:10]) or 'none'}"
        )
    return Dataset(
        name=path.stem,
        x=_vectors(path, rows) if "embedding" in columns else None,
        images=_images(path, rows) if "image" in columns else None,
        text=_texts(path, rows) if "text" in columns else None,
        y=labels(_strings(path, rows, "label", MAX_LABEL_CHARACTERS), path.name) if "label" in columns else None,
        split=_strings(path, rows, "split") if "split" in columns else None,
        keys=_strings(path, rows, "id") if "id" in columns else None,
        file=path.name,
    )


def _strings(path: Path, rows: Sequence[Row], column: str, most: int | None = None) -> Strings:
    """most: characters, looked at before the array is made, which gives every row the room of the longest."""
    values = []
    for where, row in rows:
        value = row.get(column)
        if value is not None and not isinstance(value, str | int | float):
            raise InputError(f"{path.name}: {where}: `{column}` is neither a text nor a number")
        text = "" if value is None else str(value).strip()
        if most is not None and len(text) > most:
            raise InputError(f"{path.name}: {where}: `{column}` has {len(text):,} characters; is it the text?")
        values.append(text)
    return np.array(values, dtype=np.str_)


def _texts(path: Path, rows: Sequence[Row]) -> list[str]:
    texts = []
    for where, row in rows:
        text = row.get("text")
        if not isinstance(text, str):
            raise InputError(f"{path.name}: {where}: `text` is missing or no text")
        texts.append(text)
    if not any(text.strip() for text in texts):
        raise InputError(f"{path.name}: the column `text` is empty in every row")
    return texts


def _vectors(path: Path, rows: Sequence[Row]) -> NDArray[np.float32]:
    x = _encode(path, rows, "embedding", "vector")
    return x.astype(np.float32, copy=False)


def _images(path: Path, rows: Sequence[Row]) -> NDArray[np.uint8]:
    x = _encode(path, rows, "image", "image")
    return x.astype(np.uint8, copy=False)


def _encode(path: Path, rows: Sequence[Row], column: str, kind: SourceKind) -> NDArray[np.float32] | NDArray[np.uint8]:
    """Reads a column with the code that reads tasks, but here one bad row stops the run: a file can be mended."""
    encoder = VectorEncoder() if kind == "vector" else PixelsEncoder()
    source = Source(encoder.name, kind, (TaskInput(column, kind, column),))
    records = [Record(where, row) for where, row in rows]
    encoded = encode_records(encoder, source, records, cache=None, fetch=MediaFetcher(local_root=path.parent))
    for position, reason in encoded.unreadable.items():
        raise InputError(
            f"{path.name}: {rows[position][0]}: `{column}`: {reason} ({len(encoded.unreadable):,} such rows)"
        )
    return encoded.x
