"""Data sets in rows: .jsonl (one JSON object a line) and .csv (with a header)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_backend.data.dataset import Dataset, Strings, labels
from ml_backend.data.encoders.pixels import PixelsEncoder
from ml_backend.data.encoders.vector import VectorEncoder
from ml_backend.data.encoding import encode_records
from ml_backend.data.label_config import TaskInput
from ml_backend.data.media import MediaFetcher
from ml_backend.data.records import Record
from ml_backend.data.source import Source, SourceKind
from ml_backend.errors import InputError

MAX_FIELD_CHARACTERS = 1_000_000
"""Longest cell of a .csv; an embedding of 16,384 numbers fits."""

Row = tuple[str, Mapping[str, object]]
"""Where it is ("line 12"), and its columns."""


def read_jsonl(path: Path) -> Dataset:
    """One JSON object a line; empty lines are skipped. Raises InputError naming the line."""
    with path.open(encoding="utf-8-sig") as file:
        return _dataset(path, list(_json_rows(path, file)))


def read_csv(path: Path) -> Dataset:
    """A header and rows. Raises InputError naming the line."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            return _dataset(path, list(_csv_rows(path, file)))
        except csv.Error as error:
            raise InputError(f"{path.name}: is no .csv file: {error}") from error


def _json_rows(path: Path, lines: Iterator[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if "\\ud" in line.lower():  # halves of characters can be written in JSON, and in nothing else
                row = json.loads(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path.name}: line {number} is no JSON: {str(error)[:200]}") from error
        if not isinstance(row, dict):
            raise InputError(f"{path.name}: line {number} is no JSON object")
        yield f"line {number}", row


def _csv_rows(path: Path, file: Iterator[str]) -> Iterator[Row]:
    reader = csv.DictReader(file)
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    if len(reader.fieldnames) == 1 and ";" in reader.fieldnames[0]:
        raise InputError(f"{path.name}: its columns are separated by semicolons: save it with commas")
    for row in reader:
        if None in row or None in row.values():
            raise InputError(f"{path.name}: line {reader.line_num} has another number of columns than the header")
        yield f"line {reader.line_num}", row


def _dataset(path: Path, rows: list[Row]) -> Dataset:
    if not rows:
        raise InputError(f"{path.name}: holds no rows")
    columns = set(rows[0][1])
    if not columns & {"text", "embedding", "image"}:
        raise InputError(
            f"{path.name}: has no column text, embedding or image; it has {', '.join(sorted(columns)[:10]) or 'none'}"
        )
    return Dataset(
        name=path.stem,
        x=_vectors(path, rows) if "embedding" in columns else None,
        images=_images(path, rows) if "image" in columns else None,
        text=_texts(path, rows) if "text" in columns else None,
        y=labels(_strings(path, rows, "label"), path.name) if any("label" in row for _, row in rows) else None,
        split=_strings(path, rows, "split") if any("split" in row for _, row in rows) else None,
        keys=_strings(path, rows, "id") if "id" in columns else None,
        file=path.name,
    )


def _strings(path: Path, rows: Sequence[Row], column: str) -> Strings:
    values = []
    for where, row in rows:
        value = row.get(column)
        if value is not None and not isinstance(value, str | int | float):
            raise InputError(f"{path.name}: {where}: `{column}` is neither a text nor a number")
        values.append("" if value is None else str(value).strip())
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
