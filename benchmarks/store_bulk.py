"""How long bulk changes of the store take, and one webhook's transaction. Run: python -m benchmarks.store_bulk

Bulk changes hold the write lock, so a webhook waits as long as the longest of them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ml_backend.store import annotations as annotation_rows
from ml_backend.store import artifacts, projects, tasks
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.database import Database

WEBHOOKS = 300


@contextmanager
def timed(what: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    print(f"{what:<44} {time.perf_counter() - started:7.2f} s")


def annotation(number: int, choice: str, updated_at: float) -> AnnotationRow:
    result = [{"id": "abc", "type": "choices", "from_name": "kind", "to_name": "text", "value": {"choices": [choice]}}]
    return AnnotationRow(number, number, "1", result, False, updated_at)


def bulk(db: Database, n: int) -> None:
    rows = [(i, {"text": f"the text of task number {i}, as long as a notification is"}) for i in range(n)]
    for what in ("new", "unchanged"):
        with timed(f"tasks.upsert_many, {n:,} {what}"), db.write() as session:
            project = projects.ensure(session, 1)
            projects.touch_data(session, project, tasks.upsert_many(session, project, rows), 1.0)
    with timed("tasks.replace_all, unchanged"), db.write() as session:
        tasks.replace_all(session, projects.ensure(session, 1), rows, 1)
    for what in ("new", "unchanged"):
        exported = [annotation(i, "a", 1.0) for i in range(n)]
        with timed(f"annotations.replace_all, {n:,} {what}"), db.write() as session:
            project = projects.ensure(session, 1)
            changed = annotation_rows.replace_all(session, project, exported, 9.0, since_version=project.labels_version)
            projects.touch_labels(session, project, changed, 1.0)
    with db.read() as session:
        project = projects.ensure(session, 1)
        with timed("tasks.live"):
            tasks.live(session, project)
        with timed("annotations.live"):
            annotation_rows.live(session, project)


def webhooks(db: Database) -> None:
    taken = []
    for n in range(WEBHOOKS):
        started = time.perf_counter()
        with db.write() as session:
            project = projects.ensure(session, 1)
            changed = annotation_rows.apply(session, project, annotation(n, "b", 2.0))
            projects.touch_labels(session, project, changed, 2.0)
        taken.append(1_000 * (time.perf_counter() - started))
    print(f"one label, durable: p50 {np.percentile(taken, 50):.1f} ms, p99 {np.percentile(taken, 99):.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    n = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        db = Database.open(Path(folder) / "home")
        bulk(db, n)
        webhooks(db)
        x = np.random.default_rng(0).random((n, 384), dtype=np.float32)
        with timed(f"artifacts.publish, {x.nbytes >> 20} MiB"):
            path = artifacts.publish(Path(folder) / "artifacts", "pool", manifest={}, tensors={"x": x})
        with timed("artifacts.load"):
            artifacts.load(path)
        db.close()


if __name__ == "__main__":
    main()
