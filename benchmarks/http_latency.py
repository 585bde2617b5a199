"""Latency of each route of a real `lantern serve` while its worker trains, next to the budgets.

python -m benchmarks.http_latency [--tasks 5000] [--requests 300] [--vectors]
Starts a server on a folder of its own, sends synthetic tasks and labels by webhook as Label Studio would, keeps the
worker training, and prints p50 and p99 in milliseconds. Label Studio itself is not needed.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import requests

from ml_backend.data.notifications import make_notifications

BUDGETS_MS = {"/health": 50.0, "/setup": 50.0, "/webhook": 100.0, "/predict (1,000 known)": 200.0}
"""From the issue: p99 while training, /predict for 1,000 tasks that the newest publication knows."""

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
PROJECT = {"id": 1, "created_at": CREATED.isoformat()}
UID = f"1.{int(CREATED.timestamp())}"
LABELLED = 60
TRAINING_STATES = ("running",)


@dataclass
class Workload:
    """Tasks with their true label, and the requests made of them."""

    tasks: list[dict[str, Any]]
    truth: list[str]
    config: str
    clock: Iterator[int] = field(default_factory=itertools.count)

    def annotation(self, row: int) -> dict[str, Any]:
        """An ANNOTATION_CREATED event: each call is newer than the last."""
        now = (CREATED + timedelta(seconds=next(self.clock))).isoformat()
        result = [{"from_name": "kind", "to_name": "item", "type": "choices", "value": {"choices": [self.truth[row]]}}]
        task = self.tasks[row]
        annotation = {"id": row + 1, "task": task["id"], "project": 1, "completed_by": 1, "result": result,
                      "was_cancelled": False, "created_at": now, "updated_at": now}  # fmt: skip
        return {"action": "ANNOTATION_CREATED", "annotation": annotation, "task": task, "project": PROJECT}


def make_workload(n: int, vectors: bool) -> Workload:
    """Notifications as text, or 384-dimensional vectors around one centre per label."""
    items = make_notifications(n, seed=0)
    truth = [str(item["label"]) for item in items]
    classes = sorted(set(truth))
    if vectors:
        rng = np.random.default_rng(0)
        centres = rng.normal(size=(len(classes), 384))
        x = np.stack([centres[classes.index(label)] for label in truth]) + rng.normal(size=(n, 384))
        data = [{"embedding": row} for row in np.round(x, 4).tolist()]
    else:
        data = [{"text": item["text"]} for item in items]
    choices = "".join(f'<Choice value="{name}"/>' for name in classes)
    value = "$embedding" if vectors else "$text"
    config = f'<View><Text name="item" value="{value}"/><Choices name="kind" toName="item">{choices}</Choices></View>'
    tasks = [{"id": i + 1, "project": 1, "data": one} for i, one in enumerate(data)]
    return Workload(tasks, truth, config)


class Client:
    """Calls the server and waits for its worker."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()

    def post(self, path: str, body: object) -> Any:
        """The parsed reply; raises for a status of 400 and above."""
        reply = self._session.post(self.url + path, json=body, timeout=100)
        reply.raise_for_status()
        return reply.json()

    def health(self) -> None:
        """GET /health."""
        self._session.get(self.url + "/health", timeout=10).raise_for_status()

    def status(self) -> dict[str, Any]:
        """What /status says of the project."""
        reply = self._session.get(self.url + "/status", params={"project": UID}, timeout=100)
        reply.raise_for_status()
        return dict(reply.json()["projects"][0])

    def training(self) -> bool:
        """Whether a training runs now."""
        run = self.status()["training"]
        return run is not None and run["status"] in TRAINING_STATES

    def wait(self, what: str, condition: Callable[[], bool], seconds: float = 600.0) -> None:
        """Poll until the condition holds."""
        started = time.monotonic()
        while not condition():
            if time.monotonic() - started > seconds:
                sys.exit(f"{what}: not within {seconds:.0f} s")
            time.sleep(0.2)
        print(f"{what}: {time.monotonic() - started:.1f} s", flush=True)


@contextmanager
def server() -> Iterator[Client]:
    """A `lantern serve` of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        environ = {**os.environ, "LANTERN_HOME": home, "PORT": str(port), "LOG_LEVEL": "WARNING",
                   "LANTERN_DEBOUNCE_SECONDS": "0", "START_TRAINING_EACH_N_UPDATES": "1000000"}  # fmt: skip
        with (Path(home) / "log").open("wb") as log:
            process = subprocess.Popen([sys.executable, "-m", "ml_backend.cli", "serve"], env=environ, stderr=log)
        try:
            client = Client(f"http://127.0.0.1:{port}")
            client.wait("server up", lambda: _is_up(client), 120)
            yield client
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
            print((Path(home) / "log").read_text(), file=sys.stderr)


def prepare(client: Client, work: Workload) -> None:
    """Tasks, a first model, and some labels."""
    client.post("/setup", {"project": UID, "schema": work.config, "hostname": "", "access_token": ""})
    for start in range(0, len(work.tasks), 1000):
        batch = work.tasks[start : start + 1000]
        client.post("/webhook", {"action": "TASKS_CREATED", "tasks": batch, "project": PROJECT})
    client.wait(f"first model of {len(work.tasks)} tasks", lambda: client.status()["publication"] is not None)
    for row in range(LABELLED):
        client.post("/webhook", work.annotation(row))


def measure(client: Client, work: Workload, n: int) -> tuple[dict[str, list[float]], float]:
    """Milliseconds of every request, and the share of rounds in which a training ran."""
    setup = {"project": UID, "schema": work.config, "hostname": "", "access_token": ""}
    predict = {"project": UID, "label_config": work.config, "tasks": work.tasks[:1000]}
    rows = itertools.cycle(range(LABELLED))
    calls: dict[str, tuple[int, Callable[[], object]]] = {
        "/health": (1, client.health),
        "/setup": (1, lambda: client.post("/setup", setup)),
        "/webhook": (1, lambda: client.post("/webhook", work.annotation(next(rows)))),
        "/predict (1,000 known)": (10, lambda: client.post("/predict", predict)),
    }
    client.post("/predict", predict)
    taken: dict[str, list[float]] = {name: [] for name in calls}
    trained = 0
    for i in range(n):
        if client.training():
            trained += 1
        else:
            client.post("/webhook", {"action": "START_TRAINING", "project": PROJECT})
        for name, (every, call) in calls.items():
            if i % every == 0:
                started = time.perf_counter()
                call()
                taken[name].append((time.perf_counter() - started) * 1e3)
    return taken, trained / n


def _is_up(client: Client) -> bool:
    try:
        client.health()
    except requests.RequestException:
        return False
    return True


def main() -> None:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=5000)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--vectors", action="store_true", help="384 floats a task instead of a text")
    args = parser.parse_args()
    work = make_workload(max(args.tasks, 1000), args.vectors)
    with server() as client:
        prepare(client, work)
        client.post("/webhook", {"action": "START_TRAINING", "project": PROJECT})
        client.wait("training started", client.training, 60)
        taken, share = measure(client, work, args.requests)
    print(f"\na training ran in {share:.0%} of the rounds; {os.cpu_count()} cores\n")
    print(f"{'route':<24}{'n':>5}{'p50 ms':>9}{'p99 ms':>9}{'budget':>9}")
    for name, values in taken.items():
        p50, p99 = np.percentile(values, [50, 99])
        verdict = "ok" if p99 < BUDGETS_MS[name] else "OVER"
        print(f"{name:<24}{len(values):>5}{p50:>9.1f}{p99:>9.1f}{BUDGETS_MS[name]:>9.0f}  {verdict}")


if __name__ == "__main__":
    main()
