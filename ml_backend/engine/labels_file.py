"""A file of labels for the rows of a data set: .csv with a header or .jsonl, columns `id` (or `row`) and `label`."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ml_backend.core.labels import LabelSet
from ml_backend.data.dataset import MAX_LABEL_CHARACTERS, Dataset, not_utf_8
from ml_backend.errors import InputError

ID, ROW, LABEL = "id", "row", "label"
LABEL_SET = "label"

Line = tuple[int, Mapping[str, object]]
"""Line number in the file, from 1, and its columns."""


@dataclass(frozen=True)
class GivenLabel:
    """row: of the data set, from 0. label: not empty."""

    row: int
    label: str


def read_labels(path: Path, dataset: Dataset) -> list[GivenLabel]:
    """Labels in the file's order; a row may be labelled several times (several annotators).

    `id` is the data set's own `id` where it has one, else the row number from 0; `row` is always the row number.
    Raises InputError naming the line and column.
    """
    row_of = _rows_by_key(dataset)
    given = []
    for number, line in _lines(path):
        where = f"{path.name}: line {number}"
        given.append(GivenLabel(_row(line, where, dataset, row_of), _label(line, where)))
    if not given:
        raise InputError(f"{path.name}: holds no labels")
    return given


def label_set_of(given: list[GivenLabel], row_of: Mapping[int, int]) -> LabelSet:
    """As the model takes them. row_of: row of the data set -> row of the pool; the annotators of a row share one count.

    given: at least one, each with a row in row_of.
    """
    classes = tuple(sorted({label.label for label in given}))
    position = {name: place for place, name in enumerate(classes)}
    rows = sorted({row_of[label.row] for label in given})
    place_of = {row: place for place, row in enumerate(rows)}
    counts = np.zeros((len(rows), len(classes)))
    for label in given:
        counts[place_of[row_of[label.row]], position[label.label]] += 1.0
    return LabelSet(LABEL_SET, classes, np.array(rows, np.int64), counts / counts.sum(axis=1, keepdims=True))


def _rows_by_key(dataset: Dataset) -> Mapping[str, int] | None:
    if dataset.keys is None:
        return None
    rows: dict[str, int] = {}
    for row, key in enumerate(dataset.keys.tolist()):
        if key in rows:
            raise InputError(f"{dataset.where}: rows {rows[key]} and {row} have the same `id` {key!r}")
        rows[key] = row
    return rows


def _row(line: Mapping[str, object], where: str, dataset: Dataset, row_of: Mapping[str, int] | None) -> int:
    _check_columns(line, where)
    column = ROW if ROW in line else ID
    text = str(line[column]).strip()
    if column == ID and row_of is not None:
        if text not in row_of:
            raise InputError(f"{where}: `{ID}` {text!r} is no `{ID}` in {dataset.where}")
        return row_of[text]
    if not text.isdecimal() or int(text) >= len(dataset):
        raise InputError(f"{where}: `{column}` {text!r} is no row number of {dataset.where} (0..{len(dataset) - 1})")
    return int(text)


def _check_columns(there: Iterable[str], where: str) -> None:
    columns = sorted(there)
    shown = ", ".join(columns) or "none"
    if ID not in columns and ROW not in columns:
        raise InputError(f"{where}: has no column `{ID}` (or `{ROW}`); it has {shown}")
    if LABEL not in columns:
        raise InputError(f"{where}: has no column `{LABEL}`; it has {shown}")


def _label(line: Mapping[str, object], where: str) -> str:
    value = line.get(LABEL)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InputError(f"{where}: `{LABEL}` is neither a text nor a number")
    text = str(value).strip()
    if not text or len(text) > MAX_LABEL_CHARACTERS:
        raise InputError(f"{where}: `{LABEL}` has {len(text):,} characters, expected 1..{MAX_LABEL_CHARACTERS}")
    return text


def _lines(path: Path) -> Iterator[Line]:
    readers = {".csv": _csv_lines, ".jsonl": _json_lines}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path.name}: unknown kind of file for labels; expected {', '.join(readers)}")
    try:
        yield from reader(path)
    except UnicodeDecodeError as error:
        raise InputError(not_utf_8(path, error)) from error
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read: {error.strerror or error}") from error
    except csv.Error as error:
        raise InputError(f"{path.name}: cannot be read: {error}") from error


def _csv_lines(path: Path) -> Iterator[Line]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        _check_columns(reader.fieldnames, f"{path.name}: the header")
        for line in reader:
            if None in line or None in line.values():
                raise InputError(f"{path.name}: line {reader.line_num} has another number of columns than the header")
            yield reader.line_num, line


def _json_lines(path: Path) -> Iterator[Line]:
    with path.open(encoding="utf-8-sig") as file:
        for number, text in enumerate(file, start=1):
            if not text.strip():
                continue
            try:
                line = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise InputError(f"{path.name}: line {number} is no JSON: {str(error)[:200]}") from error
            if not isinstance(line, dict):
                raise InputError(f"{path.name}: line {number} is no JSON object")
            yield number, line
