"""What the demo's projects consist of."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from ml_backend.data.label_config import parse_label_config
from ml_backend.data.media import read_data_uri
from ml_backend.data.pictures import to_png
from ml_backend.data.task_text import KEY_FIELD
from ml_backend.demo.dataset_subject import dataset_subject
from ml_backend.demo.odd_pictures import make_odd_pictures
from ml_backend.demo.subjects import Subject, digits, notifications
from ml_backend.demo.workspace import Made, Workspace
from ml_backend.errors import InputError
from ml_backend.label_studio.ring_field import ring_field


@pytest.fixture(scope="module", params=[digits, notifications], ids=["digits", "notifications"])
def subject(request: pytest.FixtureRequest) -> Subject:
    made: Subject = request.param()
    return made


def test_the_truth_stays_outside_the_tasks(subject: Subject) -> None:
    assert len(subject.data) == len(subject.truths)
    allowed = {one.field for one in parse_label_config(subject.label_config).inputs}
    assert {name for data in subject.data for name in data} - {KEY_FIELD} == allowed


def test_every_answer_is_a_choice_of_the_label_config(subject: Subject) -> None:
    classes = {c.name: set(c.classes) for c in parse_label_config(subject.label_config).controls}
    assert subject.control in classes
    for truth in subject.truths:
        assert all(set(chosen) <= classes[name] for name, chosen in truth.answers.items())


def test_there_is_something_to_find(subject: Subject) -> None:
    groups, outliers = sum(t.group for t in subject.truths), sum(t.outlier for t in subject.truths)
    assert 30 <= groups <= len(subject.truths) / 5
    assert 5 <= outliers <= 30
    assert not any(t.group and t.outlier for t in subject.truths)


def test_a_subject_is_the_same_every_time() -> None:
    assert notifications().fingerprint == notifications().fingerprint
    assert notifications().fingerprint != digits().fingerprint


def test_odd_pictures_differ_from_each_other() -> None:
    names, pictures = make_odd_pictures((1, 16, 16), 12, seed=0)
    assert len(names) == 12
    assert len({to_png(picture) for picture in pictures}) == 12
    assert all(picture.dtype == np.uint8 and picture.shape == (1, 16, 16) for picture in pictures)


def test_label_studio_can_show_every_picture() -> None:
    """Its labelling screen refuses picture files of fewer than 100 bytes."""
    sizes = [len(read_data_uri(str(data["image"]))) for data in digits().data]
    assert min(sizes) >= 100


def test_pictures_in_the_form_of_mnist(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    x, y = generator.integers(0, 256, (200, 28, 28), dtype=np.uint8), np.arange(200) % 10
    split = np.where(np.arange(200) < 150, "train", "test")
    np.savez(tmp_path / "mnist.npz", x=x, y=y, split=split)
    subject = dataset_subject(tmp_path / "mnist.npz", 50)
    (control,) = parse_label_config(subject.label_config).controls
    assert control.classes == tuple("0123456789")
    assert len(subject.data) == 50
    assert "50 of the 200 rows" in subject.note
    assert str(subject.data[0]["image"]).startswith("data:image/png;base64,")
    assert set(subject.truths[0].answers) == {control.name}
    assert ring_field(subject.data) == KEY_FIELD


def test_texts_of_a_csv(tmp_path: Path) -> None:
    with (tmp_path / "logs.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["text", "label"], ["disk full", "storage"], ["mast lost", "network"], ["?", ""]])
    subject = dataset_subject(tmp_path / "logs.csv")
    assert subject.data == ({"text": "disk full"}, {"text": "mast lost"}, {"text": "?"})
    assert [truth.answers for truth in subject.truths] == [{"topic": ("storage",)}, {"topic": ("network",)}, {}]
    assert parse_label_config(subject.label_config).controls[0].classes == ("network", "storage")


@pytest.mark.parametrize(
    ("name", "title"), [("t.csv", "t.csv"), ("abc.csv", "abc"), (f"{'x' * 60}.csv", "x" * 50), ("ü.jsonl", "ü.jsonl")]
)
def test_whatever_the_file_is_called_label_studio_takes_the_title(tmp_path: Path, name: str, title: str) -> None:
    rows = [{"text": "disk full", "label": "storage"}, {"text": "mast lost", "label": "network"}]
    lines = [json.dumps(row) for row in rows] if name.endswith("l") else ["text,label", "disk full,storage", "up,net"]
    (tmp_path / name).write_text("\n".join(lines))
    assert dataset_subject(tmp_path / name).title == title


def test_vectors_of_a_jsonl(tmp_path: Path) -> None:
    rows = [{"embedding": [0.1, 0.2, 1 / 3], "label": 10}, {"embedding": [1.0, 0.0, 0.5], "label": 9}]
    (tmp_path / "v.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    subject = dataset_subject(tmp_path / "v.jsonl")
    assert subject.data[0]["embedding"] == [0.1, 0.2, 0.33333]
    assert parse_label_config(subject.label_config).controls[0].classes == ("9", "10")


def test_a_file_without_labels_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.zeros((5, 4), np.float32))
    with pytest.raises(InputError, match="has no labels"):
        dataset_subject(tmp_path / "x.npz")


def test_a_file_with_one_label_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.zeros((5, 4), np.float32), y=np.zeros(5, int))
    with pytest.raises(InputError, match="1 different labels"):
        dataset_subject(tmp_path / "x.npz")


def test_the_workspace_knows_a_project_by_its_content(tmp_path: Path) -> None:
    workspace, subject = Workspace(tmp_path), notifications()
    assert workspace.made(subject) is None
    workspace.remember(subject, Made(7, (1, 2, 3)))
    assert Workspace(tmp_path).made(subject) == Made(7, (1, 2, 3))
    assert workspace.made(dataclasses.replace(subject, data=subject.data[1:])) is None
    workspace.clear()
    assert workspace.made(subject) is None
