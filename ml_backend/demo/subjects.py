"""What the demo's projects are about: their tasks, and the truth, which never enters a task."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ml_backend.data.digits import load_digits_dataset
from ml_backend.data.notifications import make_notifications
from ml_backend.data.pictures import to_data_uri
from ml_backend.data.task_text import KEY_FIELD
from ml_backend.demo.odd_pictures import make_odd_pictures

CONFIGS = Path(__file__).parents[2] / "labeling_configs"
"""Of the checkout: the demo runs from one."""

GROUP_DIGIT = "7"
N_ODD_PICTURES = 12
N_NOTIFICATIONS = 1500

Data = Mapping[str, object]


@dataclass(frozen=True)
class Truth:
    """What a person would answer. answers: control -> choices; empty = the person would not know.

    shown: the task in a few words. outlier: it belongs to no kind. group: of the kind that the demo's person leaves
    out, to show how Lantern tells a kind that nobody has labelled yet from an outlier.
    """

    answers: Mapping[str, tuple[str, ...]]
    shown: str
    outlier: bool = False
    group: bool = False


@dataclass(frozen=True)
class Subject:
    """One project of the demo. control: the question whose accuracy is measured. group: what the kind left out is
    called, "" if none is. labels: how many the demo's person gives. note: what to know about the data."""

    key: str
    title: str
    label_config: str
    control: str
    data: tuple[Data, ...]
    truths: tuple[Truth, ...]
    labels: int
    group: str = ""
    note: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever the tasks or the label config do."""
        text = json.dumps([self.label_config, self.data], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def digits() -> Subject:
    """scikit-learn's 1,797 handwritten digits, with a few pictures that are no digits."""
    dataset = load_digits_dataset()
    assert dataset.images is not None
    assert dataset.y is not None
    names, odd = make_odd_pictures(dataset.images[0].shape, N_ODD_PICTURES, seed=0)
    truths = [Truth({"digit": (str(y),)}, f"a handwritten {y}", group=y == GROUP_DIGIT) for y in dataset.y]
    truths += [Truth({}, name, outlier=True) for name in names]
    pictures = [*dataset.images, *odd]
    order = np.random.default_rng(0).permutation(len(pictures))
    return Subject(
        key="digits",
        title="Handwritten digits",
        label_config=(CONFIGS / "image_classification.xml").read_text("utf-8"),
        control="digit",
        data=tuple({"image": to_data_uri(pictures[i]), KEY_FIELD: f"item-{i}"} for i in order),
        truths=tuple(truths[i] for i in order),
        labels=40,
        group=f"the digit {GROUP_DIGIT}",
        note=f"{len(odd)} of the pictures are no digits",
    )


def notifications() -> Subject:
    """Made device notifications: two questions, rare oddities, and a small kind that the first labels leave out."""
    made = make_notifications(N_NOTIFICATIONS)
    truths = tuple(
        Truth(
            {"kind": (one["label"],), "tags": tuple(one["tags"])} if not one["rare"] else {},
            f'"{one["text"]}"',
            outlier=one["rare"],
            group=one["group"],
        )
        for one in made
    )
    left_out = sorted({one["label"] for one in made if one["group"]})
    return Subject(
        key="notifications",
        title="Device notifications",
        label_config=(CONFIGS / "notification_triage.xml").read_text("utf-8"),
        control="kind",
        data=tuple({"text": one["text"]} for one in made),
        truths=truths,
        labels=40,
        group=f"the kind {', '.join(left_out)}",
        note=f"{sum(t.outlier for t in truths)} of the texts are of no kind",
    )
