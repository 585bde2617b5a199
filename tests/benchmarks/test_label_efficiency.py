"""The benchmark does no cell twice, never shows figures of other settings, and pairs its differences by seed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.label_efficiency.__main__ import main
from benchmarks.label_efficiency.cells import CellStore, SavedBudget
from benchmarks.label_efficiency.plan import BUDGETS, Plan, draw_pool
from benchmarks.label_efficiency.report import paired_difference, to_json, to_markdown
from benchmarks.label_efficiency.running import DataResult, run_data
from ml_backend.engine.pool import PoolSettings
from ml_backend.engine.simulation import LoopSettings
from ml_backend.engine.simulation.oracle import AskedLabels
from tests.engine.labelled_blobs import blob_dataset, blob_problem

CHEAP = ("random+logreg", "random+knn")
LOOP = LoopSettings(epochs=1, batch=6, pool=PoolSettings(n_components=8, latent_dim=4, device="cpu"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    dataset = blob_dataset(n=60, test=20, oos=10)
    assert dataset.x is not None
    assert dataset.y is not None
    assert dataset.split is not None
    np.savez(tmp_path / "blobs.npz", x=dataset.x, y=dataset.y, split=dataset.split)
    return tmp_path / "blobs.npz"


def run(data: Path, plan: Plan) -> tuple[DataResult, list[str]]:
    said: list[str] = []
    return run_data(data, plan, CellStore(data.with_name("cells")), said.append), said


def test_a_finished_cell_is_skipped_and_read_back_as_it_was(data: Path) -> None:
    plan = Plan(budgets=(6, 12), seeds=2, methods=CHEAP)
    first, said = run(data, plan)
    assert len(said) == 4
    assert not any("before" in line for line in said)
    data.unlink()  # finished work needs no data any more
    again, said = run(data, plan)
    assert all("before" in line for line in said)
    assert to_json([again]) == to_json([first])
    saved = again.cells["random+knn", 1][12]
    assert len(saved.labels) == 12
    assert {"confidence", "correct", "known_novelty", "unknown_novelty"} <= set(saved.curves)


def test_a_cell_that_was_stopped_is_done_again(data: Path) -> None:
    plan = Plan(budgets=(6,), seeds=1, methods=CHEAP)
    first, _ = run(data, plan)
    [half] = data.with_name("cells").glob("blobs/random+knn*.json")
    half.rename(half.with_suffix(".json.partial"))
    again, said = run(data, plan)
    assert ["before" in line for line in said] == [True, False]
    assert again.cells["random+knn", 0][6].labels == first.cells["random+knn", 0][6].labels


def test_other_settings_are_other_cells(data: Path) -> None:
    plan = Plan(budgets=(6,), seeds=1, methods=("random+knn",))
    run(data, plan)
    _, said = run(data, replace(plan, budgets=(6, 7)))
    assert "before" not in said[0]


def test_baselines_get_the_labels_that_lantern_asked_for(data: Path) -> None:
    plan = Plan(budgets=(8,), seeds=1, methods=("lantern+knn", "lantern"), loop=LOOP)
    result, _ = run(data, plan)
    assert result.cells["lantern+knn", 0][8].labels == result.cells["lantern", 0][8].labels
    other = Plan(budgets=(8,), seeds=1, methods=("lantern+knn",), loop=replace(LOOP, batch=3))
    _, said = run(data, other)
    assert not any("before" in line for line in said)


def saved(budget: int, accuracy: float) -> dict[int, SavedBudget]:
    figures = {"budget": budget, "seconds": 1.0, "peak_mb": 9.0, "accuracy_pool": accuracy, "accuracy_test": None}
    figures |= {"auroc_novelty": None, "auroc_s_ood": None, "fpr95": None, "fpr95_s_ood": None, "ece": 0.1}
    return {budget: SavedBudget(figures, AskedLabels(), {})}


def test_differences_are_paired_by_seed() -> None:
    ours, theirs = (0.9, 0.7, 0.8), (0.8, 0.6, 0.75)
    cells = {("lantern", seed): saved(5, value) for seed, value in enumerate(ours)}
    cells |= {("random+knn", seed): saved(5, value) for seed, value in enumerate(theirs)}
    result = DataResult("d", Plan(budgets=(5,), seeds=3, methods=("lantern", "random+knn")), cells)
    found = paired_difference(result, "random+knn", "accuracy_pool", 5)
    differences = np.subtract(ours, theirs)
    assert found == pytest.approx((differences.mean(), differences.std(ddof=1) / 3**0.5))
    assert paired_difference(result, "random+knn", "accuracy_test", 5) is None
    text = to_markdown([result])
    assert "| `random+knn` | 0.717 ± 0.104 | +0.083 ± 0.017 |" in text
    assert "Inductive" not in text


def test_the_command_writes_report_and_plots(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = data.with_name("report")
    argv = ["--data", str(data), "--out", str(out), "--budgets", "6", "--seeds", "1", "--methods", *CHEAP]
    assert main(argv) == 0
    assert str(out / "report.md") in capsys.readouterr().out
    rows = json.loads((out / "report.json").read_text("utf-8"))["data"]["blobs"]["rows"]
    assert {(row["method"], row["seed"], row["budget"]) for row in rows} == {(name, 0, 6) for name in CHEAP}
    assert {path.name for path in (out / "plots").iterdir()} == {
        f"blobs.{name}.png" for name in ("accuracy", "unknown", "calibration", "cost")
    }
    assert main([*argv[:-2], "magic"]) == 1
    assert "magic" in capsys.readouterr().err


def test_known_data_have_their_own_plan_and_the_pool_is_cut_alike() -> None:
    assert Plan.of("clinc150").budgets == BUDGETS["clinc150"]
    assert Plan.of("loghub_mac").seeds == 5
    assert Plan.of("mnist", budgets=[20, 10], seeds=1).budgets == (10, 20)
    problem, _ = blob_problem(n=80)
    cut = draw_pool(problem, 30)
    assert len(cut.pool) == len(cut.pool_truth) == 30
    assert np.array_equal(cut.pool, draw_pool(problem, 30).pool)
    assert draw_pool(problem, 80) is problem
