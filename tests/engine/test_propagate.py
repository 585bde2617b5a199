"""`propagate`: every record comes back once, in order, with a label; bad input is named by file, line and column."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.data.dataset import Dataset
from ml_backend.engine.labels_file import GivenLabel, label_set_of, read_labels
from ml_backend.engine.pool import PoolSettings
from ml_backend.engine.propagate_file import COLUMNS, WRITERS, PropagateOptions, propagate_file
from ml_backend.errors import InputError
from tests.engine.labelled_blobs import blob_dataset

OPTIONS = PropagateOptions(epochs=1, pool=PoolSettings(n_components=8, latent_dim=4, device="cpu"))
N, PER_CLASS = 80, 4


def write_rows(path: Path, rows: list[dict[str, object]]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return path


def vectors(path: Path, *, ids: bool = False, test: int = 0) -> tuple[Path, list[str]]:
    """A file of vectors without labels, and the truth."""
    data = blob_dataset(n=N, test=test)
    assert data.x is not None
    assert data.y is not None
    columns: dict[str, NDArray[np.generic]] = {"x": data.x}
    if ids:
        columns["id"] = np.array([f"item {i}" for i in range(N + test)])
    if data.split is not None:
        columns["split"] = data.split
    np.savez(path, allow_pickle=False, **columns)
    return path, data.y.tolist()


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_labels_spread_over_the_file_by_row_number(tmp_path: Path) -> None:
    data, truth = vectors(tmp_path / "data.npz", test=20)
    given = {row: truth[row] for row in range(4 * PER_CLASS)}
    labels = write_rows(tmp_path / "labels.csv", [{"row": row, "label": label} for row, label in given.items()])
    summary = propagate_file(data, labels, tmp_path / "out.csv", OPTIONS)
    rows = read_csv(tmp_path / "out.csv")
    assert list(rows[0]) == ["row", *COLUMNS]
    assert [row["row"] for row in rows] == [str(i) for i in range(N + 20)]
    assert summary.records == N + 20
    assert summary.labelled == len(given)
    assert summary.classes == 4
    assert np.mean([row["label"] == label for row, label in zip(rows, truth, strict=True)]) > 0.9
    predicted = [row for number, row in enumerate(rows) if number not in given]
    assert {int(row["nearest"]) for row in predicted} <= set(given)
    assert np.mean([truth[int(row["nearest"])] == row["label"] for row in predicted]) > 0.9
    for number, row in enumerate(rows):
        assert row["given"] == ("true" if number in given else "false")
        assert (row["suspicion"] != "") == (number in given)
        assert (row["nearest"] == "") == (number in given)
        assert all(
            0.0 <= float(row[name]) <= 1.0 for name in ("confidence", "s_ood", "evidence", "ambiguity", "novelty")
        )
        assert float(row["aleatoric"]) > 0.0


def test_what_is_predicted_in_groups_without_a_label_is_counted(tmp_path: Path) -> None:
    data, truth = vectors(tmp_path / "data.npz")
    given = [row for row in range(N) if truth[row] in ("ant", "dog")][: 8 * PER_CLASS]
    labels = write_rows(tmp_path / "labels.csv", [{"row": row, "label": truth[row]} for row in given])
    summary = propagate_file(data, labels, tmp_path / "out.csv", OPTIONS)
    rows = read_csv(tmp_path / "out.csv")
    alone = [i for i, row in enumerate(rows) if row["label"] and i not in given and float(row["evidence"]) < 1 / 3]
    assert summary.guessed == len(alone) > N // 3
    assert np.mean([truth[i] in ("bee", "cat") for i in alone]) > 0.9


def test_jsonl_with_ids_a_wrong_label_stands_but_is_suspected(tmp_path: Path) -> None:
    data, truth = vectors(tmp_path / "data.npz", ids=True)
    rows = [{"id": f"item {row}", "label": truth[row]} for row in range(0, N, 2)]
    wrong = "ant" if truth[0] != "ant" else "bee"
    rows[0]["label"] = wrong
    labels = write_rows(tmp_path / "labels.jsonl", [dict(row) for row in rows])
    propagate_file(data, labels, tmp_path / "out.jsonl", OPTIONS)
    read = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert [row["id"] for row in read] == [f"item {i}" for i in range(N)]
    assert read[0]["label"] == wrong
    assert read[0]["given"] is True
    assert read[0]["confidence"] == 1.0
    suspicions = [row["suspicion"] for row in read if row["given"]]
    assert suspicions[0] == max(suspicions) > np.median(suspicions)
    assert read[1]["suspicion"] is None
    assert read[1]["given"] is False
    assert read[1]["nearest"] in {row["id"] for row in rows}


def test_halves_of_characters_in_ids_and_labels_lose_no_work(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.eye(4, dtype=np.float32), id=np.array(["a", "b", "c", "d\udce9"]))
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"id": "a", "label": "x\\ud800"}\n{"id": "b", "label": "y"}\n', "ascii")
    propagate_file(tmp_path / "data.npz", labels, tmp_path / "out.csv", OPTIONS)
    rows = read_csv(tmp_path / "out.csv")
    assert [row["id"] for row in rows] == ["a", "b", "c", "d?"]
    assert [row["label"] for row in rows[:2]] == ["x?", "y"]


def test_what_was_never_seen_gets_no_label_but_keeps_one_that_was_given(tmp_path: Path) -> None:
    data, truth = vectors(tmp_path / "data.npz")
    labels = write_rows(tmp_path / "labels.csv", [{"row": row, "label": truth[row]} for row in range(0, N, 4)])
    wary = replace(OPTIONS, pool=replace(OPTIONS.pool, never_seen_level=0.5))
    summary = propagate_file(data, labels, tmp_path / "out.csv", wary)
    rows = read_csv(tmp_path / "out.csv")
    strange = [row for row in rows if row["never_seen"] == "true"]
    assert 0 < len(strange) == summary.never_seen < N - N // 4
    assert {(row["label"], row["confidence"]) for row in strange} == {("", "")}
    assert all(row["nearest"] and row["s_ood"] for row in strange)
    assert all(row["label"] and row["confidence"] for row in rows if row["never_seen"] == "false")
    assert any(float(row["novelty"]) <= 0.5 for row in rows if row["given"] == "true")


def test_a_record_without_text_comes_back_without_scores(tmp_path: Path) -> None:
    texts = ["battery is low", "disk is full", " ", "battery empty, charge it", "disk nearly full"] * 4
    data = write_rows(tmp_path / "data.csv", [{"text": text} for text in texts])
    labels = write_rows(tmp_path / "labels.csv", [{"row": 0, "label": "battery"}, {"row": 1, "label": "disk"}])
    summary = propagate_file(data, labels, tmp_path / "out.csv", OPTIONS)
    rows = read_csv(tmp_path / "out.csv")
    assert summary.unreadable == 4
    assert len(rows) == 20
    assert all(rows[2][name] == "" for name in COLUMNS if name != "reason")
    assert "missing or empty" in rows[2]["reason"]
    assert not any(row["reason"] for row in rows if row["label"])
    unread = write_rows(tmp_path / "unread.csv", [{"row": 2, "label": "disk"}])
    with pytest.raises(InputError, match="row 2 "):
        propagate_file(data, unread, tmp_path / "out.csv", OPTIONS)


def test_annotators_of_a_row_share_one_count() -> None:
    given = [GivenLabel(5, "b"), GivenLabel(2, "a"), GivenLabel(5, "a"), GivenLabel(5, "b")]
    labels = label_set_of(given, {2: 0, 5: 1})
    assert labels.classes == ("a", "b")
    assert labels.rows.tolist() == [0, 1]
    assert labels.targets == pytest.approx(np.array([[1.0, 0.0], [1 / 3, 2 / 3]]))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.csv", "id,label\n3,a\n4\n", r"l\.csv: line 3 has another number of columns"),
        ("l.csv", "name,label\n3,a\n", r"l\.csv: the header: has no column `id`"),
        ("l.csv", "id,label\n3,a\n99,a\n", r"line 3: `id` '99' is no row number of few \(0\.\.3\)"),
        ("l.csv", "row,label\n-1,a\n", r"line 2: `row` '-1'"),
        ("l.csv", "id,label\n1,  \n", r"line 2: `label` has 0 characters"),
        ("l.csv", "id,label\n1," + "x" * 600 + "\n", r"line 2: `label` has 600 characters"),
        ("l.csv", "id,class\n1,a\n", r"l\.csv: the header: has no column `label`; it has class, id"),
        ("l.jsonl", '{"id": 1}\n', r"line 1: has no column `label`"),
        ("l.csv", "id,label\n", r"holds no labels"),
        ("l.jsonl", '{"id": 1, "label": "a"}\n{"id": 2, ', r"l\.jsonl: line 2 is no JSON"),
        ("l.jsonl", "[1]\n", r"line 1 is no JSON object"),
        ("l.jsonl", '{"id": 1, "label": ["a"]}\n', r"line 1: `label`"),
        ("l.jsonl", '{"id": 1, "label": true}\n', r"line 1: `label`"),
        ("l.txt", "1 a\n", r"expected \.csv, \.jsonl"),
        ("l.csv", b"id,label\n1,\xff\xfe\n", r"l\.csv: line 2 is not UTF-8 \(byte 0xff .*save it as UTF-8"),
        ("l.csv", 'id,label\n0,a\n1,"b\n2,c\n', r"l\.csv: line 3 is no CSV: .*quote"),
        ("l.csv", 'id,label\n0,a\n1,"b\n2,"c"\n', r"l\.csv: line 3 is no CSV: .*quote"),
        ("l.csv", 'id,label\n0,"a\n1,b"\n', r"l\.csv: line 2: `label` holds a line break"),
        ("l.csv", "id,label,Label\n0,a,b\n", r"l\.csv: the header names the column `label` 2 times"),
        ("l.csv", "id,label\n" + "9" * 5000 + ",a\n", r"line 2: `id` '9{80}' is no row number"),
        ("l.csv", "id,label\n1,nan\n", r"line 2: `label` is 'nan', .*leave the line out"),
        ("l.jsonl", '{"id": 1, "label": NaN}\n', r"line 1: `label` is 'nan'"),
    ],
)
def test_bad_labels_are_named(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=message):
        read_labels(path, Dataset("few", x=np.eye(4, dtype=np.float32)))


def test_ids_must_be_known_and_distinct(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "labels.csv", [{"id": "c", "label": "x"}])
    x = np.eye(2, dtype=np.float32)
    with pytest.raises(InputError, match=r"line 2: `id` 'c' is no `id` in few"):
        read_labels(path, Dataset("few", x=x, keys=np.array(["a", "b"])))
    with pytest.raises(InputError, match=r"rows 0 and 1 have the same `id` 'a'"):
        read_labels(path, Dataset("few", x=x, keys=np.array(["a", "a"])))
    with pytest.raises(InputError, match=r"few: row 1 has no `id`"):
        read_labels(path, Dataset("few", x=x, keys=np.array(["c", ""])))


def test_of_an_id_and_a_row_number_the_id_counts_where_the_data_have_ids(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "labels.csv", [{"row": 0, "id": "7", "label": "x"}])
    x = np.eye(2, dtype=np.float32)
    assert read_labels(path, Dataset("few", x=x, keys=np.array(["a", "7"]))) == [GivenLabel(1, "x")]
    assert read_labels(path, Dataset("few", x=x)) == [GivenLabel(0, "x")]


def test_a_missing_labels_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: cannot be read"):
        read_labels(tmp_path / "none.csv", Dataset("few", x=np.eye(2, dtype=np.float32)))


@pytest.mark.parametrize(
    ("output", "message"),
    [("out.txt", "unknown kind"), ("no/such/out.csv", "folder"), (f"{'o' * 300}.csv", "cannot be written: File name")],
)
def test_an_output_that_cannot_be_written_stops_before_the_work(tmp_path: Path, output: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        propagate_file(tmp_path / "missing.npz", tmp_path / "missing.csv", tmp_path / output, OPTIONS)


def test_an_input_is_never_overwritten(tmp_path: Path) -> None:
    data = write_rows(tmp_path / "data.csv", [{"text": "disk full"}])
    labels = write_rows(tmp_path / "labels.csv", [{"id": 0, "label": "disk"}])
    (tmp_path / "link.csv").symlink_to(data)
    (tmp_path / "hard.csv").hardlink_to(data)
    for output in (data, labels, tmp_path / "." / "data.csv", tmp_path / "link.csv", tmp_path / "hard.csv"):
        with pytest.raises(InputError, match="is read as well"):
            propagate_file(data, labels, output, OPTIONS)
    assert data.read_text("utf-8").split() == ["text", "disk", "full"]


def test_a_failed_write_leaves_the_old_output_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, truth = vectors(tmp_path / "data.npz")
    labels = write_rows(tmp_path / "labels.csv", [{"id": row, "label": truth[row]} for row in range(8)])
    output = tmp_path / "out.csv"
    output.write_text("of yesterday", "utf-8")

    def full_disk(file: IO[str], _rows: object, _key: str) -> None:
        file.write("half a row")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(WRITERS, ".csv", full_disk)
    with pytest.raises(InputError, match="No space left"):
        propagate_file(data, labels, output, OPTIONS)
    assert output.read_text("utf-8") == "of yesterday"
    assert {path.name for path in tmp_path.iterdir()} == {"data.npz", "labels.csv", "out.csv"}
