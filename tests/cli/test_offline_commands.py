"""lantern simulate and lantern propagate, as a person types them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from ml_backend.cli import command_line, main
from ml_backend.cli.command_line import BAD_INPUT
from ml_backend.cli.tables import simulation_table
from ml_backend.engine.simulation import SimulationResult, SimulationRow
from tests.engine.labelled_blobs import blob_dataset


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LANTERN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(command_line, "configure_logging", lambda *_: None)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    dataset = blob_dataset(n=60)
    assert dataset.x is not None
    assert dataset.y is not None
    np.savez(tmp_path / "blobs.npz", x=dataset.x, y=dataset.y)
    return tmp_path / "blobs.npz"


def test_simulate_prints_a_table_and_writes_json(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = data.with_name("figures.json")
    assert main(["simulate", str(data), "--budgets", "8", "--seeds", "1", "--json", str(target)]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].startswith("blobs: pool 60")
    assert [line.split()[1] for line in lines[3:]] == [row["method"] for row in json.loads(target.read_text())["rows"]]
    shares = [int(line.split(" %  seed 0: ")[0]) for line in said.err.splitlines()]
    assert shares == sorted(set(shares)), "in a pipeline's log a line for each tenth, not one for each step"
    assert (shares[0], shares[-1]) == (0, 100)


@pytest.mark.slow
def test_propagate_says_what_it_wrote(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, output = data.with_name("labels.csv"), data.with_name("out.csv")
    labels.write_text("id,label\n0,ant\n1,bee\n2,cat\n3,dog\n", "utf-8")
    assert main(["propagate", str(data), "--labels", str(labels), "--output", str(output)]) == 0
    said = capsys.readouterr()
    assert "60 records; 4 with a label, of 4 classes;" in said.out
    assert "predicted in groups without a label of their own (evidence below 1/3): " in said.out
    assert "warning" not in said.err
    steps = [line.split(" %  ")[1] for line in said.err.splitlines()]
    assert list(dict.fromkeys(steps)) == ["encoding", "first model", "training", "spreading", "writing"]
    with output.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 60


@pytest.mark.slow
def test_propagate_warns_of_labels_that_are_all_of_one_class(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, output = data.with_name("labels.csv"), data.with_name("out.csv")
    labels.write_text("id,label\n0,ant\n1,ant\n", "utf-8")
    assert main(["propagate", str(data), "--labels", str(labels), "--output", str(output)]) == 0
    said = capsys.readouterr()
    assert "2 with a label, of 1 class;" in said.out
    assert "one class" in said.err
    assert "confidence is 1" in said.err


@pytest.mark.parametrize("budgets", ["0", "a", "10,-3", ","])
def test_budgets_must_be_numbers(data: Path, budgets: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["simulate", str(data), f"--budgets={budgets}"])
    assert ended.value.code == BAD_INPUT
    assert "--budgets" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["simulate", "propagate"])
def test_a_device_that_is_not_there_is_named(data: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    more = [] if command == "simulate" else ["--labels", str(data), "--output", str(data.with_name("out.csv"))]
    assert main([command, str(data), *more, "--device", "cuda:99"]) == BAD_INPUT
    assert "CUDA" in capsys.readouterr().err


def test_bad_input_is_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(tmp_path / "none.npz")]) == BAD_INPUT
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_folders_in_place_of_files_are_named_before_the_work(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = data.with_name("folder.csv")
    folder.mkdir()
    for argv in (
        ["simulate", str(folder)],
        ["simulate", str(data), "--json", str(folder)],
        ["propagate", str(data), "--labels", "missing.csv", "--output", str(folder)],
    ):
        assert main(argv) == BAD_INPUT
        assert f"{folder}: is a folder" in capsys.readouterr().err


def test_simulate_never_overwrites_its_data(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = data.read_bytes()
    assert main(["simulate", str(data), "--budgets", "8", "--seeds", "1", "--json", str(data)]) == BAD_INPUT
    assert f"{data}: is read as well" in capsys.readouterr().err
    assert data.read_bytes() == before


def test_one_item_is_nothing_to_simulate(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.csv"
    path.write_text("text,label\nthe battery is low,a\n", "utf-8")
    assert main(["simulate", str(path)]) == BAD_INPUT
    said = capfd.readouterr().err.splitlines()
    assert said == ["lantern: one: one item in the pool leaves nothing to predict: give more"]


def test_a_file_without_labels_is_named_with_its_ending(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "nolabel.csv"
    path.write_text("text\n" + "a short letter\n" * 20, "utf-8")
    assert main(["simulate", str(path)]) == BAD_INPUT
    assert "nolabel.csv: has no labels" in capsys.readouterr().err


def test_the_table_shows_mean_and_spread_of_the_seeds() -> None:
    rows = tuple(
        SimulationRow(
            method="lantern", budget=10, seed=seed, accuracy_pool=accuracy, accuracy_test=None, auroc_novelty=0.5,
            auroc_s_ood=None, fpr95=None, ece=0.1, seconds=2.0, peak_mb=100.0 + seed,
        )
        for seed, accuracy in enumerate((0.7, 0.8, 0.9))
    )  # fmt: skip
    table = simulation_table(SimulationResult("d", {"items": {"pool": 9}, "encoder": "vector", "seeds": 3}, rows))
    last = table.splitlines()[-1].split()
    assert last[:5] == ["10", "lantern", "0.800", "±0.100", "-"]
    assert last[-1] == "102"
