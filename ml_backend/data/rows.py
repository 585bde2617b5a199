"""Files of rows: .csv (with a header) and .jsonl (one JSON object a line), read so that no row is lost unseen."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

from ml_backend.errors import InputError

MAX_FIELD_CHARACTERS = 1_000_000
"""Longest cell of a .csv; an embedding of 16,384 numbers fits."""
READ_ONCE = frozenset({"id", "row", "label", "split", "text", "embedding", "image"})
"""Columns that mean something here: of two with one name nobody knows which is meant."""

Row = tuple[str, Mapping[str, object]]
"""Where it begins ("line 12"), and its columns."""


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a .csv or .jsonl file; empty lines are skipped. Raises InputError naming the line."""
    rows = _csv_rows if path.suffix.lower() == ".csv" else _json_rows
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from rows(path, file)
    except UnicodeDecodeError as error:
        raise InputError(_not_utf_8(path)) from error
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read: {error.strerror or error}") from error


def _json_rows(path: Path, lines: TextIO) -> Iterator[Row]:
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


def _csv_rows(path: Path, file: TextIO) -> Iterator[Row]:
    """Strict: a quote that nobody closes would else take the rows below it into its cell."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    reader = csv.reader(file, strict=True)
    header: list[str] = []
    while True:
        where = f"line {reader.line_num + 1}"
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise InputError(f"{path.name}: {where} is no CSV: {error}; is each quote in a cell doubled?") from error
        if cells is None:
            return
        if not header:
            header = [name.strip().lower() for name in cells]
            _check_header(path, header)
        elif cells:
            if len(cells) != len(header):
                raise InputError(f"{path.name}: {where} has another number of columns than the header")
            yield where, dict(zip(header, cells, strict=True))


def _check_header(path: Path, header: list[str]) -> None:
    if len(header) == 1 and ";" in header[0]:
        raise InputError(f"{path.name}: its columns are separated by semicolons: save it with commas")
    for name in sorted(READ_ONCE):
        if header.count(name) > 1:
            raise InputError(f"{path.name}: the header names the column `{name}` {header.count(name)} times")


def _not_utf_8(path: Path) -> str:
    """What is wrong with a file in another character encoding, and what to do. No character holds a line break's
    byte, so each line can be judged alone.
    """
    where, byte = "the file", ""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                where, byte = f"line {number}", f" (byte 0x{line[error.start]:02x} is no character there)"
                break
    return f"{path.name}: {where} is not UTF-8{byte}: save it as UTF-8"
