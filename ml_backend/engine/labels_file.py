"""A file of labels for the rows of a data set: .csv with a header or .jsonl, columns `id` (or `row`) and `label`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ml_backend.core.labels import LabelSet
from ml_backend.data.dataset import MAX_LABEL_CHARACTERS, NOT_KNOWN, Dataset
from ml_backend.data.rows import read_rows
from ml_backend.errors import InputError

ID, ROW, LABEL = "id", "row", "label"
LABEL_SET = "label"

CSV = ".csv"
KINDS = (CSV, ".jsonl")
MOST_DIGITS = 18
"""Of a row number: far more than any file has rows, and few enough for Python to read."""


@dataclass(frozen=True)
class GivenLabel:
    """row: of the data set, from 0. label: not empty."""

    row: int
    label: str


def read_labels(path: Path, dataset: Dataset) -> list[GivenLabel]:
    """Labels in the file's order; a row may be labelled several times (several annotators).

    `id` is the data set's own `id` where it has one, else the row number from 0; `row` is always the row number, and is
    read where the line has no `id` or the data set none. Raises InputError naming the line and column.
    """
    if path.suffix.lower() not in KINDS:
        raise InputError(f"{path.name}: unknown kind of file for labels; expected {', '.join(KINDS)}")
    row_of = _rows_by_key(dataset)
    given = []
    for place, line in read_rows(path):
        where = f"{path.name}: {place}"
        _check_columns(line, f"{path.name}: the header" if path.suffix.lower() == CSV else where)
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
        if not key:
            raise InputError(f"{dataset.where}: row {row} has no `id`, and others have one")
        if key in rows:
            raise InputError(f"{dataset.where}: rows {rows[key]} and {row} have the same `id` {key!r}")
        rows[key] = row
    return rows


def _row(line: Mapping[str, object], where: str, dataset: Dataset, row_of: Mapping[str, int] | None) -> int:
    column = ID if ID in line and (row_of is not None or ROW not in line) else ROW
    text = str(line[column]).strip()
    if column == ID and row_of is not None:
        if text not in row_of:
            raise InputError(f"{where}: `{ID}` {text!r} is no `{ID}` in {dataset.where}")
        return row_of[text]
    if not text.isdecimal() or len(text) > MOST_DIGITS or int(text) >= len(dataset):
        raise InputError(
            f"{where}: `{column}` {text[:80]!r} is no row number of {dataset.where} (0..{len(dataset) - 1})"
        )
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
    if text.lower() == NOT_KNOWN:
        raise InputError(f"{where}: `{LABEL}` is {text!r}, which means that it is not known: leave the line out")
    if "\n" in text or "\r" in text:
        raise InputError(f"{where}: `{LABEL}` holds a line break: is a quote around it closed?")
    if not text or len(text) > MAX_LABEL_CHARACTERS:
        raise InputError(f"{where}: `{LABEL}` has {len(text):,} characters, expected 1..{MAX_LABEL_CHARACTERS}")
    return text
