"""Peak memory of the worker's whole job on 100,000 x 384 vectors, against its budget of 1 GB.

python -m benchmarks.worker_memory [--items 100000] [--dimensions 384]

The tasks hold vectors as lists of numbers, as a pipeline would send them.
They are written by another process, so that what is measured is the worker alone: read, encode, create, train,
describe, publish.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from ml_backend.config import Settings
from ml_backend.data.media import MediaFetcher
from ml_backend.engine.engine import Engine
from ml_backend.engine.freed_memory import GIVEN_BACK
from ml_backend.engine.project import ProjectEngine
from ml_backend.store import projects, tasks
from ml_backend.store.database import Database

UID = "1.1700000000"
CONFIG = """<View><Text name="text" value="$text"/><Choices name="kind" toName="text">
<Choice value="a"/><Choice value="b"/></Choices></View>"""
BUDGET_MB = 1024
GROUPS = 300


def fill(home: Path, items: int, dimensions: int) -> None:
    """A project whose tasks hold vectors in a few hundred groups."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(GROUPS, dimensions))
    db = Database.open(home)
    for start in range(0, items, 5000):
        n = min(5000, items - start)
        x = centres[rng.integers(0, GROUPS, n)] + 0.5 * rng.normal(size=(n, dimensions))
        rows = [(start + i + 1, {"text": "", "embedding": np.round(v, 4).tolist()}) for i, v in enumerate(x)]
        with db.write() as session:
            project = projects.ensure(session, UID)
            projects.configure(session, project, label_config=CONFIG)
            projects.touch_data(session, project, tasks.upsert_many(session, project, rows), time.time())
    db.close()


def work(home: Path) -> None:
    """What the worker does with the project, and what it took."""
    settings = Settings(home=home)
    db = Database.open(home)
    engine = Engine(db, settings, lambda _project: MediaFetcher())
    worker = ProjectEngine(db, settings, engine.readers)
    while worker.due(UID):
        started = time.time()
        worker.run(UID)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"step of {time.time() - started:.0f} s, peak so far {peak:.0f} MB (budget {BUDGET_MB} MB)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=384)
    parser.add_argument("--home", type=Path, help="worker side: the filled folder")
    args = parser.parse_args()
    if args.home:
        work(args.home)
        return
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), args.items, args.dimensions)
        command = [sys.executable, "-m", "benchmarks.worker_memory", "--home", folder]
        subprocess.run(command, check=True, env={**os.environ, **GIVEN_BACK})


if __name__ == "__main__":
    main()
