"""A project of the demo from a file of the user's (--dataset): pictures, texts or vectors with known labels."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np
from defusedxml.ElementTree import fromstring

from ml_backend.data.dataset import Dataset, read_dataset
from ml_backend.data.pictures import to_data_uri
from ml_backend.data.task_text import KEY_FIELD
from ml_backend.demo.subjects import CONFIGS, Data, Subject, Truth
from ml_backend.errors import InputError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_TASKS = 2_500
"""Unless more are asked for: they make the demo longer, not better."""
DIGITS = frozenset("0123456789")
"""Classes that are their own keys; the others get Label Studio's, which count from 1."""
MAX_CLASSES = 300
DECIMALS = 5
TITLE_LENGTH = 3, 50
"""Characters of a project's title that Label Studio takes, at least and at most."""


def dataset_subject(path: Path, tasks: int = MAX_TASKS, *, seed: int = 0) -> Subject:
    """A project of at most `tasks` rows of the file's pool, drawn at random. Raises InputError for a file that cannot
    be used.
    """
    dataset = read_dataset(path)
    if dataset.y is None or not (dataset.y != "").any():
        raise InputError(f"{path.name}: has no labels (`y` or `label`): the demo's person answers with them")
    pool = dataset.pool_rows
    rows = np.sort(np.random.default_rng(seed).permutation(pool)[:tasks])
    labels = [str(dataset.y[row]) for row in rows]
    classes = sorted(set(labels) - {""}, key=_by_number)
    if not 2 <= len(classes) <= MAX_CLASSES:
        raise InputError(f"{path.name}: has {len(classes)} different labels, the demo takes 2 to {MAX_CLASSES}")
    config, control = _label_config(dataset, classes)
    data = [_task_data(dataset, int(row)) for row in rows]
    return Subject(
        key=f"dataset-{path.stem}",
        title=_title(path),
        label_config=config,
        control=control,
        data=tuple(data),
        truths=tuple(
            Truth({control: (label,)} if label else {}, _shown(dataset, int(row), label))
            for row, label in zip(rows, labels, strict=True)
        ),
        labels=max(40, 2 * len(classes)),
        note=f"{len(rows):,} of the {len(dataset):,} rows of {path.name}, drawn at random" if len(rows) < len(dataset)
        else f"all rows of {path.name}",
    )  # fmt: skip


def _title(path: Path) -> str:
    """As Label Studio takes it, by the file's name."""
    shortest, longest = TITLE_LENGTH
    return (path.stem if len(path.stem) >= shortest else path.name)[:longest]


def _label_config(dataset: Dataset, classes: Iterable[str]) -> tuple[str, str]:
    """The config of that kind of data in labeling_configs/ with the file's classes as choices; the control's name."""
    name = "image_classification" if dataset.images is not None else "vectors" if dataset.x is not None else None
    root = fromstring((CONFIGS / f"{name or 'text_classification'}.xml").read_text("utf-8"))
    choices: Element = next(root.iter("Choices"))
    for child in list(choices):
        choices.remove(child)
    choices.set("requiredMessage", "Choose one, or skip the task")
    for label in classes:
        hotkey = {"hotkey": label} if label in DIGITS else {}
        ElementTree.SubElement(choices, "Choice", {"value": label, **hotkey})
    for header in root.iter("Header"):
        header.set("value", "What is this?")
    return ElementTree.tostring(root, encoding="unicode"), choices.attrib["name"]


def _task_data(dataset: Dataset, row: int) -> Data:
    if dataset.images is not None:
        return {"image": to_data_uri(dataset.images[row]), KEY_FIELD: f"row-{row}"}
    text = str(dataset.text[row]) if dataset.text is not None else f"row {row}"
    if dataset.x is not None:
        return {"title": text, "embedding": [round(float(value), DECIMALS) for value in dataset.x[row]]}
    return {"text": text}


def _shown(dataset: Dataset, row: int, label: str) -> str:
    return f'"{dataset.text[row]}"' if dataset.text is not None else f"row {row} ({label or 'no label'})"


def _by_number(label: str) -> tuple[bool, float, str]:
    try:
        return False, float(label), label
    except ValueError:
        return True, 0.0, label
