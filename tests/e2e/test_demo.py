"""`make demo` as a newcomer runs it: to the end, and a second time with Ctrl-C."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ml_backend.demo.ports import free_port

ROOT = Path(__file__).parents[2]
LABELS = 10
SECONDS = 900.0
PROJECT = re.compile(r"^== (.+): (http://localhost:\d+/projects/\d+)/data$", re.MULTILINE)


@dataclass(frozen=True)
class Demo:
    """How the demo is started, and where its output goes."""

    folder: Path
    port: int
    label_studio_port: int

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "ml_backend.demo", "--folder", str(self.folder), "--labels", str(LABELS)]
        command += ["--port", str(self.port), "--label-studio-port", str(self.label_studio_port), *arguments]
        with self.output.open("wb") as output:
            return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)

    @property
    def output(self) -> Path:
        return self.folder.parent / "output.txt"

    @property
    def text(self) -> str:
        return self.output.read_text("utf-8")

    def answers(self, port: int) -> bool:
        try:
            return httpx.get(f"http://localhost:{port}/health", timeout=2.0).is_success
        except httpx.TransportError:
            return False


@pytest.fixture(scope="class")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return Demo(tmp_path_factory.mktemp("demo") / ".demo", free_port(), free_port())


class TestDemo:
    steps = True
    projects: dict[str, str]

    def test_once_ends_with_status_0_and_a_summary(self, demo: Demo) -> None:
        process = demo.start("--once")
        try:
            status = process.wait(SECONDS)
        finally:
            process.kill()
        text = demo.text
        assert status == 0, text
        TestDemo.projects = dict(PROJECT.findall(text))
        assert set(TestDemo.projects) == {"Handwritten digits", "Device notifications"}
        assert text.count(f"{LABELS} by Lantern's queue") == 2
        for predicted, others in re.findall(r"now predicted +([\d,]+) of the other ([\d,]+) tasks", text):
            assert int(predicted.replace(",", "")) > int(others.replace(",", "")) / 5
        accuracies = [float(found) for found in re.findall(r"accuracy +([\d.]+)% of [\d,]+ against", text)]
        assert len(accuracies) == 2
        # chance is 10 % for digits and 6 % for notifications
        assert min(accuracies) > 30.0
        assert len(re.findall(r"never seen +\d+ outliers found by novelty", text)) == 2
        assert len(re.findall(r"unlabelled groups [\d,]+ tasks found by evidence", text)) == 2
        assert len(re.findall(r"^ +0\.\d+  task \d+: .+\n +\w.*\.$", text, re.MULTILINE)) == 10
        assert f"http://localhost:{demo.label_studio_port}   log in as demo@lantern.local, password " in text
        assert f"http://localhost:{demo.port} " in text
        assert text.rstrip().endswith("Both are stopped; `make demo` starts them again, with these labels.")
        assert not demo.answers(demo.port)
        assert not demo.answers(demo.label_studio_port)

    def test_the_second_run_reuses_all_and_ctrl_c_stops_both(self, demo: Demo) -> None:
        process = demo.start()
        try:
            deadline = time.monotonic() + SECONDS
            while "stop them with Ctrl-C" not in demo.text:
                assert process.poll() is None, demo.text
                assert time.monotonic() < deadline, demo.text
                time.sleep(0.5)
            assert dict(PROJECT.findall(demo.text)) == TestDemo.projects
            assert demo.text.count(f"{LABELS} by Lantern's queue, {LABELS} of them in earlier runs") == 2
            assert demo.answers(demo.port)
            assert demo.answers(demo.label_studio_port)
            process.send_signal(signal.SIGINT)
            assert process.wait(120) == 0, demo.text
        finally:
            process.kill()
        assert not demo.answers(demo.port)
        assert not demo.answers(demo.label_studio_port)
