"""`propagate`: spreads the labels of a few rows of a file over all its rows, and writes what is known of each."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.description import PoolDescription
from ml_backend.core.hyperparameters import RunConfig, usual_epochs
from ml_backend.core.neighbourhood import NO_ROW
from ml_backend.core.query import FEW_LABELS
from ml_backend.data.dataset import Dataset, read_dataset
from ml_backend.data.encoders import EncoderOptions
from ml_backend.engine.labels_file import GivenLabel, label_set_of, read_labels
from ml_backend.engine.pool import Pool, PoolSettings, Propagation, apply_store, propagate
from ml_backend.engine.simulation.problem import Readable, read_items
from ml_backend.errors import InputError
from ml_backend.store.files import check_writable

TRAINING_RUNS = 2
DIGITS = 6
"""Decimals in the output."""
COLUMNS = (
    "label", "confidence", "given", "never_seen", "s_ood", "evidence", "ambiguity", "novelty", "aleatoric", "suspicion",
    "nearest", "reason",
)  # fmt: skip

Progress = Callable[[str, float], None]
"""Called with what is being done and the share that is done, 0..1."""
OutputRow = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class PropagateOptions:
    """encoder: None = `x` of the file, else its text through the default encoder. epochs: of each training run; None =
    as suit the pool's size.
    """

    encoder: str | None = None
    seed: int = 0
    epochs: int | None = None
    pool: PoolSettings = field(default_factory=PoolSettings)
    encoder_options: EncoderOptions | None = field(default=None, repr=False)
    cache: Path | None = None
    """File that remembers encoded texts; None = none."""


@dataclass(frozen=True)
class PropagationSummary:
    """records: rows written. labelled: rows with a label given. classes: different labels. guessed: rows with a
    predicted label whose group has no label of its own. never_seen: rows unlike everything else. unreadable: rows that
    the encoder could not read; they have no label and no scores.
    """

    records: int
    labelled: int
    classes: int
    guessed: int
    never_seen: int
    unreadable: int


def propagate_file(
    data: Path, labels: Path, output: Path, options: PropagateOptions, *, progress: Progress | None = None
) -> PropagationSummary:
    """Writes one row a record of `data`, in its order, to `output` (.csv or .jsonl).

    Columns: `id` (the file's own) or `row` (number from 0); `label`: the person's where one was given (confidence: the
    share of the annotators who gave it), else the predicted one with its calibrated confidence; `given`; `never_seen`:
    unlike everything else, so label and confidence are empty; the scores; `suspicion`, of given labels only: HIGH = the
    other labels contradict it; `nearest`, of all other records: the labelled one that is nearest along the neighbour
    graph, by its `id` or row number, None where none is within reach; `reason`: why a record could not be read, which
    leaves all else empty.

    Splits train and val (or no split) and every labelled row are the pool; other rows are answered as new ones.
    Raises InputError, naming file, line and column, on input that cannot be used; nothing is written then.
    """
    report = progress or (lambda _what, _share: None)
    _check_output(output, data, labels)
    dataset = read_dataset(data)
    given = read_labels(labels, dataset)
    report("encoding", 0.0)
    readable = read_items(dataset, options.encoder, options=options.encoder_options, cache=options.cache)
    rows = _answers(dataset, readable, given, options, report)
    report("writing", 0.9)
    _write(output, rows, "row" if dataset.keys is None else "id")
    return PropagationSummary(
        records=len(rows),
        labelled=len({label.row for label in given}),
        classes=len({label.label for label in given}),
        guessed=sum(_guessed(row) for row in rows),
        never_seen=sum(row["never_seen"] is True for row in rows),
        unreadable=len(dataset) - len(readable.rows),
    )


def _answers(
    dataset: Dataset, readable: Readable, given: list[GivenLabel], options: PropagateOptions, report: Progress
) -> list[OutputRow]:
    labelled_rows = {label.row for label in given}
    missing = labelled_rows - set(readable.rows.tolist())
    if missing:
        raise InputError(f"{dataset.where}: row {min(missing)} has a label, but nothing readable to learn from")
    in_pool = np.isin(readable.rows, dataset.pool_rows) | np.isin(readable.rows, list(labelled_rows))
    pool_rows, other_rows = readable.rows[in_pool], readable.rows[~in_pool]
    label_set = label_set_of(given, {row: place for place, row in enumerate(pool_rows.tolist())})
    report("first model", 0.2)
    pool = Pool.create(readable.x[in_pool], options.pool, seed=options.seed)
    for run in range(TRAINING_RUNS):
        report("training", 0.3 + 0.5 * run / TRAINING_RUNS)
        config = RunConfig(
            epochs=options.epochs or usual_epochs(len(pool)),
            seed=options.seed + run,
            prior=options.pool.prior,
            device=options.pool.device,
        )
        pool.train(config, [label_set])
    report("spreading", 0.8)
    description = pool.describe()
    spread = propagate(description, label_set, alpha0=options.pool.alpha0)
    answers: list[OutputRow] = [dict.fromkeys(COLUMNS, None) for _ in range(len(dataset))]
    level = options.pool.never_seen_level
    keys = dataset.keys.tolist() if dataset.keys is not None else list(range(len(dataset)))
    pool_keys = [keys[row] for row in pool_rows.tolist()]
    _fill(answers, pool_rows, description, spread, pool_keys, level)
    if len(other_rows):
        others = pool.describe_new(readable.x[~in_pool])
        _fill(answers, other_rows, others, apply_store(spread.store, others, rows=None), pool_keys, level)
    _fill_given(answers, pool_rows, spread)
    for row, reason in readable.unreadable.items():
        answers[row]["reason"] = reason
    name = "row" if dataset.keys is None else "id"
    return [{name: key, **answer} for key, answer in zip(keys, answers, strict=True)]


def _fill(
    answers: list[OutputRow],
    rows: NDArray[np.int64],
    description: PoolDescription,
    spread: Propagation,
    pool_keys: Sequence[object],
    never_seen_level: float,
) -> None:
    for place, row in enumerate(rows.tolist()):
        never_seen = bool(description.novelty[place] <= never_seen_level)
        answers[row].update(
            label=None if never_seen else spread.classes[spread.label[place]],
            confidence=None if never_seen else _rounded(spread.confidence[place]),
            given=False,
            never_seen=never_seen,
            s_ood=_rounded(spread.s_ood[place]),
            evidence=_rounded(spread.evidence[place]),
            ambiguity=_rounded(spread.ambiguity[place]),
            novelty=_rounded(description.novelty[place]),
            aleatoric=_rounded(description.aleatoric[place]),
            nearest=pool_keys[nearest] if (nearest := int(spread.nearest_labelled[place])) != NO_ROW else None,
        )


def _fill_given(answers: list[OutputRow], pool_rows: NDArray[np.int64], spread: Propagation) -> None:
    """A person's word stands."""
    store = spread.store
    for place, pool_row in enumerate(store.rows.tolist()):
        said = int(store.targets[place].argmax())
        answers[int(pool_rows[pool_row])].update(
            label=store.classes[said],
            confidence=_rounded(store.targets[place, said]),
            given=True,
            never_seen=False,
            suspicion=_rounded(store.suspicion[place]),
            nearest=None,
        )


def _guessed(row: OutputRow) -> bool:
    evidence = row["evidence"]
    return row["given"] is False and row["label"] is not None and isinstance(evidence, float) and evidence < FEW_LABELS


def _rounded(value: np.floating) -> float:
    return round(float(value), DIGITS)


def _check_output(path: Path, *inputs: Path) -> None:
    """Before the work, not after it."""
    if path.suffix.lower() not in WRITERS:
        raise InputError(f"{path.name}: unknown kind of output; expected {', '.join(WRITERS)}")
    check_writable(path, *inputs)


def _write(path: Path, rows: list[OutputRow], key: str) -> None:
    """All or nothing: a reader never sees half a file."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        # ids of an .npz may hold halves of characters, which nothing can write: no reason to lose the work
        with partial.open("w", encoding="utf-8", errors="replace", newline="") as file:
            WRITERS[path.suffix.lower()](file, rows, key)
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _write_csv(file: IO[str], rows: list[OutputRow], key: str) -> None:
    writer = csv.DictWriter(file, [key, *COLUMNS])
    writer.writeheader()
    writer.writerows(_words(row) for row in rows)


def _words(row: OutputRow) -> dict[str, object]:
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in row.items()}


def _write_jsonl(file: IO[str], rows: list[OutputRow], key: str) -> None:
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


WRITERS = {".csv": _write_csv, ".jsonl": _write_jsonl}
