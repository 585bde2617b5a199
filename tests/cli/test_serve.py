"""`lantern serve` as a process: starts, restarts its worker, stops, leaves nothing behind (fault tests 27, 28)."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
import requests

from ml_backend.cli import main
from ml_backend.processes import HEALTHY_SECONDS, LONGEST_WAIT_SECONDS, Restarts
from tests.server_process import Server, eventually, free_port, running_server


def test_a_busy_port_is_named_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ml_backend.cli.command_line.configure_logging", lambda *_: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port), "--home", str(tmp_path)]) == 2
    shown = capsys.readouterr().err
    assert str(port) in shown
    assert "--port" in shown


def test_an_unusable_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ml_backend.cli.command_line.configure_logging", lambda *_: None)
    (tmp_path / "file").write_text("not a folder")
    assert main(["serve", "--port", "59123", "--home", str(tmp_path / "file")]) == 1
    assert "LANTERN_HOME" in capsys.readouterr().err


def test_a_device_that_is_not_there_is_named_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ml_backend.cli.command_line.configure_logging", lambda *_: None)
    monkeypatch.setenv("LANTERN_DEVICE", "cuda:99")
    assert main(["serve", "--port", str(free_port()), "--home", str(tmp_path / "home")]) == 2
    assert "device 'cuda:99': PyTorch sees" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("LANTERN_LOCAL_FILES", "/no/such/folder", "LANTERN_LOCAL_FILES=/no/such/folder"),
        ("LANTERN_ENCODER", "magic", "LANTERN_ENCODER: encoder 'magic'"),
        ("LANTERN_ENCODER", "sentence-transformers", "LANTERN_ENCODER: encoder 'sentence-transformers'"),
        ("LANTERN_ENCODER", "openai:some-model", "LANTERN_EMBEDDINGS_URL"),
    ],
)
def test_what_tasks_could_not_be_read_with_is_named_before_anything_starts(
    name: str,
    value: str,
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("ml_backend.cli.command_line.configure_logging", lambda *_: None)
    monkeypatch.setenv(name, value)
    assert main(["serve", "--port", str(free_port()), "--home", str(tmp_path / "home")]) == 2
    assert named in capsys.readouterr().err
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("module", ["ml_backend.serve", "ml_backend.web.gunicorn_config"])
def test_the_processes_that_only_watch_others_stay_small(module: str) -> None:
    """faiss hangs in a fork of a process that has searched, and torch alone takes 300 MB and seconds of the start."""
    code = f"import sys, {module}; print(sorted({{'torch', 'faiss', 'flask'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout == "[]\n"


def test_restarts_wait_longer_each_time_and_forget_after_a_healthy_life() -> None:
    restarts = Restarts()
    waits = [restarts.died(0.1) for _ in range(10)]
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == LONGEST_WAIT_SECONDS
    assert restarts.died(HEALTHY_SECONDS) == 1
    assert restarts.next_start is not None
    restarts.started()
    assert restarts.next_start is None


@pytest.mark.slow
def test_serve_lives_and_stops(tmp_path: Path) -> None:
    with running_server(tmp_path / "home", {"LOG_LEVEL": "DEBUG"}) as server:
        assert server.get("/ready").json()["ready"]
        family = psutil.Process(server.process.pid).children(recursive=True)
        worker = server.child("ml_backend.worker")
        # It nices itself once it has started; the web server keeps its rank.
        eventually(lambda: worker.nice() > server.child("gunicorn").nice(), 60)
        worker.kill()
        eventually(lambda: _is_replaced(server, worker.pid), 60)
        family += psutil.Process(server.process.pid).children(recursive=True)

        answers: list[int] = []
        asking = threading.Thread(target=_keep_asking, args=(server.url, answers))
        asking.start()
        eventually(lambda: 200 in answers)
        assert server.stop() == 0
        asking.join(timeout=30)
        assert set(answers) <= {200, 503}
        assert 503 in answers
        eventually(lambda: not any(process.is_running() for process in family))
    log = server.log.read_text()
    assert "the worker ended with status -9" in log
    assert "only this machine can reach Lantern" in log
    assert "ML_BLOCK_LOCAL_IP=false" in log


@pytest.mark.slow
def test_a_second_server_says_which_other_works_with_its_folder(tmp_path: Path) -> None:
    first_home, second_home = tmp_path / "home", tmp_path / "link"
    second_home.symlink_to(first_home)
    said = "another `lantern serve` works with this data folder already"
    with (
        running_server(first_home, {}) as first,
        running_server(second_home, {}, log=tmp_path / "second.log") as second,
    ):
        assert said not in first.log.read_text()
        assert said in second.log.read_text()
        assert f"process {first.process.pid} on" in second.log.read_text()
        assert first.url in second.log.read_text()
        first.stop(signal.SIGKILL)
        with running_server(second_home, {}, log=tmp_path / "third.log") as third:
            assert f"process {first.process.pid} on" not in third.log.read_text()
            assert f"process {second.process.pid} on" in third.log.read_text()
            assert third.stop() == second.stop() == 0
    assert [path.name for path in (first_home / "servers").iterdir()] == [".lock"]


@pytest.mark.slow
def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    with running_server(tmp_path / "home", {}) as server:
        family = psutil.Process(server.process.pid).children(recursive=True)
        assert len(family) >= 3
        server.stop(signal.SIGKILL)
        eventually(lambda: not any(process.is_running() for process in family))


@pytest.mark.slow
def test_senders_that_fall_silent_hold_nobody_up_and_files_are_the_owners_only(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    guarded = {"THREADS": "5", "BASIC_AUTH_USER": "u", "BASIC_AUTH_PASS": "p"}
    with running_server(home, guarded) as server, contextlib.ExitStack() as silent:
        port = int(server.url.rpartition(":")[2])
        for begun in (b"GET / HTTP/1.1\r\nHost: x\r\n", b"POST /webhook HTTP/1.1\r\nContent-Length: 99\r\n\r\n{") * 5:
            silent.enter_context(socket.create_connection(("127.0.0.1", port))).sendall(begun)
        eventually(lambda: _is_healthy(server), 60)
        eventually((home / "encodings.db").exists, 60)
        made = [path for path in home.iterdir() if path != server.log]
        assert [str(path) for path in made if path.stat().st_mode & 0o077] == []


def _is_healthy(server: Server) -> bool:
    try:
        return requests.get(f"{server.url}/health", timeout=2).ok
    except requests.RequestException:
        return False


def _is_replaced(server: Server, old: int) -> bool:
    try:
        now: int = server.child("ml_backend.worker").pid
    except (StopIteration, psutil.NoSuchProcess):
        return False
    return now != old


def _keep_asking(url: str, answers: list[int]) -> None:
    """Until the server no longer takes connections."""
    while True:
        try:
            answers.append(requests.get(url + "/ready", timeout=5).status_code)
        except requests.RequestException:
            return
