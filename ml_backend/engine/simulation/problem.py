"""A data set as a labelling problem: a pool without labels, what is held back for scoring, and the truth apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_backend.data.cache import EmbeddingCache
from ml_backend.data.dataset import OOS_PREFIX, Dataset, Strings
from ml_backend.data.encoders import EncoderOptions, build_encoder
from ml_backend.data.encoding import encode_records
from ml_backend.data.label_config import TaskInput
from ml_backend.data.records import Record
from ml_backend.data.source import Source, encoder_kind
from ml_backend.errors import ConfigError, InputError

TEST_SPLIT = "test"
OOD_SPLIT = "oos_test"
LABELS_SHOWN = 10
"""Labels listed in an error message."""

Items = NDArray[Any]
"""(n, D) float32 vectors or (n, C, H, W) uint8 pictures."""


@dataclass(frozen=True)
class Problem:
    """pool, test, ood: items; test and ood may be empty. encoder: what made them of the file.

    pool_truth, test_truth: labels, "" = not known; for the oracle and the grader only. unreadable: rows left out, for
    the encoder found nothing in them.
    """

    name: str
    encoder: str
    pool: Items
    test: Items
    ood: Items
    pool_truth: Strings
    test_truth: Strings
    unreadable: int = 0


@dataclass(frozen=True)
class Readable:
    """x: items of those rows of the file that could be encoded, rows: their numbers. encoder: its name.

    unreadable: row -> reason, of all other rows.
    """

    x: Items
    rows: NDArray[np.int64]
    encoder: str
    unreadable: Mapping[int, str] = field(default_factory=dict)


def make_problem(
    dataset: Dataset,
    *,
    encoder: str | None = None,
    ood_labels: tuple[str, ...] = (),
    oos_in_pool: bool = False,
    options: EncoderOptions | None = None,
    cache: Path | None = None,
) -> Problem:
    """Splits train and val (or no split) are the pool, test is held back, oos_test is out of distribution.

    ood_labels: items with these labels leave pool and test and take oos_test's place. oos_in_pool: puts oos_train and
    oos_val into the pool, where the person skips them. Raises InputError when there is nothing to ask or no such label.
    """
    if dataset.y is None:
        raise InputError(f"{dataset.where}: has no labels (`y` or `label`), so nobody can answer for the person")
    readable = read_items(dataset, encoder, options=options, cache=cache)
    rows, y = readable.rows, dataset.y[readable.rows]
    split = dataset.split[rows] if dataset.split is not None else np.full(len(rows), "")
    outside = _chosen(y, ood_labels, dataset.where)
    in_pool = np.isin(rows, dataset.pool_rows) & ~outside
    if oos_in_pool:
        in_pool |= np.char.startswith(split, OOS_PREFIX) & (split != OOD_SPLIT)
    in_test = (split == TEST_SPLIT) & ~outside & (y != "")
    in_ood = outside if ood_labels else split == OOD_SPLIT
    if not np.any(y[in_pool] != ""):
        raise InputError(f"{dataset.where}: no item of the pool (splits train and val, or no split) has a label")
    return Problem(
        name=dataset.name,
        encoder=readable.encoder,
        pool=readable.x[in_pool],
        test=readable.x[in_test],
        ood=readable.x[in_ood],
        pool_truth=y[in_pool],
        test_truth=y[in_test],
        unreadable=len(dataset) - len(rows),
    )


def read_items(
    dataset: Dataset,
    encoder: str | None = None,
    *,
    options: EncoderOptions | None = None,
    cache: Path | None = None,
) -> Readable:
    """The file's vectors, else its pictures, else its encoded texts; or what the encoder asked for reads.

    Raises ConfigError when the file lacks what the encoder reads, InputError when nothing was readable.
    """
    kind = encoder_kind(encoder) if encoder else None
    everything = np.arange(len(dataset), dtype=np.int64)
    if dataset.x is not None and kind in (None, "vector"):
        return Readable(dataset.x, everything, "vector")
    if dataset.images is not None and kind in (None, "image"):
        return Readable(dataset.images, everything, "pixels")
    if dataset.text is None or kind not in (None, "text"):
        raise ConfigError(f"{dataset.where}: has no {kind} column, which the encoder {encoder!r} reads")
    maker = build_encoder(encoder or "text", options)
    source = Source(encoder or "text", "text", (TaskInput("text", "text", "text"),))
    records = [Record(row, {"text": text}) for row, text in enumerate(dataset.text)]
    encoded = encode_records(maker, source, records, cache=EmbeddingCache(cache) if cache else None, fetch=None)
    if not encoded.kept:
        raise InputError(f"{dataset.where}: no text was readable: {next(iter(encoded.unreadable.values()))}")
    return Readable(encoded.x, np.array(encoded.kept, np.int64), maker.name, encoded.unreadable)


def _chosen(y: Strings, labels: tuple[str, ...], name: str) -> NDArray[np.bool_]:
    """(N,) the items with one of the labels, each of which must occur."""
    for label in labels:
        if not np.any(y == label):
            known = sorted(set(y.tolist()) - {""})
            shown = ", ".join(known[:LABELS_SHOWN]) + (", .." if len(known) > LABELS_SHOWN else "")
            raise InputError(f"{name}: no item has the label {label!r}; labels are {shown}")
    return np.asarray(np.isin(y, labels), np.bool_)
