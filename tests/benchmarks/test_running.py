"""The benchmark does no cell twice, never shows figures of other settings, and survives being killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from benchmarks.label_efficiency.__main__ import main
from benchmarks.label_efficiency.bench import Bench, draw_pool
from benchmarks.label_efficiency.experiments import EXPERIMENTS, Case
from benchmarks.label_efficiency.jobs import run_tasks
from benchmarks.label_efficiency.plan import BUDGETS, LANTERN_SOURCES, Plan
from benchmarks.label_efficiency.running import DataResult, load_result, run_cell
from benchmarks.label_efficiency.sources import code_digest
from benchmarks.label_efficiency.store import CellKey, SavedCell, Store
from ml_backend.data.encoders.words import WordLlamaEncoder
from ml_backend.engine.simulation import LoopSettings, SimulationOptions, simulate
from ml_backend.engine.simulation.problem import Problem
from ml_backend.errors import InputError
from tests.benchmarks.small import CHEAP, LOOP, save_blobs
from tests.engine.labelled_blobs import blob_problem

DEADLINE_SECONDS = 90.0
LEFT_BEHIND_SECONDS = 20.0


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return save_blobs(tmp_path)


def run(data: Path, plan: Plan) -> DataResult:
    """Every cell of the plan."""
    bench = Bench(data, Store(data.with_name("cells")), plan.loop)
    for method in plan.methods:
        for seed in range(plan.seeds):
            run_cell(bench, plan, method, seed)
    return load_result(bench, plan)


def done(data: Path) -> set[str]:
    """Names of the finished cells."""
    return {path.name for path in data.with_name("cells").glob("main/blobs/*.json")}


def test_a_finished_cell_is_read_back_as_it_was_and_done_no_more(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(budgets=(6, 12), seeds=2, methods=CHEAP)
    first = run(data, plan)
    monkeypatch.setattr(Bench, "problem", lambda *_: pytest.fail("the data are read again"))
    again = run(data, plan)
    assert again.cells.keys() == first.cells.keys() == {(method, seed) for method in CHEAP for seed in (0, 1)}
    saved = again.cells["random+knn", 1][12]
    assert saved.figures == first.cells["random+knn", 1][12].figures
    assert len(saved.labels) == 12
    assert {"confidence", "correct", "known_novelty", "unknown_novelty"} <= set(saved.curves)


def test_other_settings_are_other_cells(data: Path) -> None:
    plan = Plan(budgets=(6,), seeds=1, methods=("random+knn",))
    run(data, plan)
    run(data, replace(plan, budgets=(6, 7)))
    assert len(done(data)) == 2


@pytest.mark.parametrize("method", ["lantern", "lantern+knn", "random+knn"])
def test_other_data_of_the_same_name_are_other_cells(data: Path, method: str) -> None:
    plan, store = Plan.of(data.stem, loop=LOOP), Store(data.with_name("cells"))
    case = Case("case", {})
    before = {plan.key(Bench(data, store), method, 0).path, EXPERIMENTS["mislabel"].key(Bench(data, store), case).path}
    save_blobs(data.parent, n=61)
    after = {plan.key(Bench(data, store), method, 0).path, EXPERIMENTS["mislabel"].key(Bench(data, store), case).path}
    assert len(before | after) == 4
    data.unlink()
    with pytest.raises(InputError, match=f"{data.name}: cannot be read"):
        plan.key(Bench(data, store), method, 0)


@pytest.mark.parametrize("method", ["lantern", "lantern+knn", "random+knn"])
def test_another_text_encoder_makes_other_cells_of_texts_and_of_nothing_else(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("loghub_mac", "my_messages", "clinc150", "mnist")
    paths = {name: tmp_path / f"{name}.csv" for name in names}
    for path in paths.values():
        path.write_text("text\nthe same\n", "utf-8")
    store = Store(tmp_path / "cells")
    before = {name: Plan.of(name).key(Bench(paths[name], store), method, 0).path for name in names}
    monkeypatch.setattr(WordLlamaEncoder, "name", "another version")
    after = {name: Plan.of(name).key(Bench(paths[name], store), method, 0).path for name in names}
    assert [name for name in names if after[name] != before[name]] == ["loghub_mac", "my_messages"]


@pytest.mark.slow
def test_baselines_get_the_labels_that_lantern_asked_for(data: Path) -> None:
    plan = Plan(budgets=(8,), seeds=1, methods=("lantern+knn", "lantern"), loop=LOOP)
    result = run(data, plan)
    assert result.cells["lantern+knn", 0][8].labels == result.cells["lantern", 0][8].labels
    run(data, replace(plan, loop=replace(LOOP, batch=3)))
    assert len(done(data)) == 4


@pytest.mark.slow
def test_the_simulation_of_the_product_shows_the_same_figures(data: Path) -> None:
    methods = ("lantern+knn", "random+logreg")
    benched = run(data, Plan(budgets=(6, 12), seeds=2, methods=("lantern", *methods), loop=LOOP))
    simulated = simulate(data, SimulationOptions(budgets=(6, 12), seeds=2, baselines=methods, loop=LOOP))
    assert len(simulated.rows) == 3 * 2 * 2
    for found in simulated.rows:
        figures = benched.cells[found.method, found.seed][found.budget].figures
        for name in ("accuracy_pool", "accuracy_test", "auroc_novelty", "auroc_s_ood", "fpr95", "ece"):
            assert getattr(found, name) == figures[name], (found.method, found.seed, found.budget, name)


def test_a_method_may_have_budgets_of_its_own(data: Path) -> None:
    plan = Plan(budgets=(6,), seeds=1, methods=CHEAP, extra={"random+knn": (9,)})
    result = run(data, plan)
    assert set(result.cells["random+knn", 0]) == {6, 9}
    assert set(result.cells["random+logreg", 0]) == {6}


def test_a_cell_that_was_cut_off_is_not_there(tmp_path: Path) -> None:
    store, key = Store(tmp_path), CellKey("kind", "data", "name", {"a": 1})
    store.save(key, SavedCell({"figure": 1.5}, {"curve": np.arange(3)}, {"rows": [1, 2]}))
    loaded = store.load(key)
    assert (loaded.figures, loaded.extra) == ({"figure": 1.5}, {"rows": [1, 2]})
    assert loaded.arrays["curve"].tolist() == [0, 1, 2]
    assert not store.has(replace(key, settings={"a": 2}))
    json_file = tmp_path / f"{key.path}.json"
    json_file.rename(json_file.with_suffix(".json.partial"))
    assert not store.has(key)


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(data: Path) -> None:
    """Killed as soon as the first cell is there; the second run leaves that one alone."""
    out = data.with_name("report")
    methods = ("random+logreg", "random+knn", "random+labelspreading", "random+poisson")
    argv = ["--data", str(data), "--out", str(out), "--only", "main", "--budgets", "6", "--methods", *methods]
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.label_efficiency", *argv, "--jobs", "1"])
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (finished := list(out.glob("cells/main/blobs/*.json"))):
        assert time.monotonic() < deadline
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = {path: path.stat().st_mtime_ns for path in finished}
    assert main([*argv, "--jobs", "1"]) == 0
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())
    rows = json.loads((out / "results.json").read_text("utf-8"))["data"]["blobs"]["rows"]
    assert {(row["method"], row["seed"]) for row in rows} == {(name, seed) for name in methods for seed in range(3)}


@dataclass(frozen=True)
class Sleeping:
    """A task that outlasts the test, and says when it has begun."""

    def __call__(self, store: Store, loop: LoopSettings) -> str:
        (store.folder / str(os.getpid())).touch()
        time.sleep(10 * DEADLINE_SECONDS)
        return ""


def sleep_side_by_side(folder: Path) -> None:
    """Two processes that sleep."""
    tasks: list[Any] = [Sleeping(), Sleeping()]
    list(run_tasks(tasks, Store(folder), LOOP, jobs=2))


@pytest.mark.slow
def test_a_killed_run_leaves_no_process_behind(tmp_path: Path) -> None:
    code = f"from tests.benchmarks import test_running as t; t.sleep_side_by_side(t.Path({str(tmp_path)!r}))"
    process = psutil.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(begun := list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    workers = [psutil.Process(int(path.name)) for path in begun]
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=LEFT_BEHIND_SECONDS)
    for worker in alive:
        worker.kill()
    assert len(workers) == 2
    assert not alive


@pytest.mark.slow
def test_processes_side_by_side_do_the_same(data: Path) -> None:
    alone, together = data.with_name("alone"), data.with_name("together")
    figures = []
    for out, jobs in ((alone, "1"), (together, "2")):
        argv = ["--data", str(data), "--out", str(out), "--only", "main", "--budgets", "6", "--seeds", "2"]
        assert main([*argv, "--methods", *CHEAP, "--jobs", jobs]) == 0
        rows = json.loads((out / "results.json").read_text("utf-8"))["data"]["blobs"]["rows"]
        figures.append({(row["method"], row["seed"]): row["accuracy_test"] for row in rows})
    assert figures[0] == figures[1]


@pytest.mark.slow
def test_the_command_writes_report_and_plots(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = data.with_name("report")
    argv = ["--data", str(data), "--out", str(out), "--only", "main", "--budgets", "6", "--seeds", "1", "--jobs", "1"]
    assert main([*argv, "--methods", *CHEAP]) == 0
    assert str(out / "report.md") in capsys.readouterr().out
    rows = json.loads((out / "results.json").read_text("utf-8"))["data"]["blobs"]["rows"]
    assert {(row["method"], row["seed"], row["budget"]) for row in rows} == {(name, 0, 6) for name in CHEAP}
    assert {path.name for path in (out / "plots").iterdir()} == {
        f"blobs.{name}.png" for name in ("accuracy", "unknown", "calibration", "cost")
    }
    assert main([*argv, "--methods", "magic"]) == 1
    assert "magic" in capsys.readouterr().err


def test_known_data_have_their_own_plan_and_the_pool_is_cut_alike() -> None:
    assert Plan.of("clinc150").budgets == BUDGETS["clinc150"]
    assert Plan.of("loghub_mac").seeds == 5
    assert Plan.of("mnist", budgets=[20, 10], seeds=1).budgets == (10, 20)
    problem: Problem = blob_problem(n=80)[0]
    cut = draw_pool(problem, 30)
    assert len(cut.pool) == len(cut.pool_truth) == 30
    assert np.array_equal(cut.pool, draw_pool(problem, 30).pool)
    assert draw_pool(problem, 80) is problem


def test_the_code_that_counts_is_what_lantern_imports_and_nothing_of_the_server() -> None:
    lantern = code_digest(*LANTERN_SOURCES)
    assert lantern == code_digest(*LANTERN_SOURCES, "ml_backend.engine.pool", "ml_backend.core.model")
    assert lantern == code_digest(*LANTERN_SOURCES, index := "ml_backend.data.index")
    assert code_digest(index) != code_digest()
    assert lantern == code_digest(*LANTERN_SOURCES, "ml_backend.store.tasks")
    assert lantern != code_digest(*LANTERN_SOURCES, "ml_backend.engine.project")
