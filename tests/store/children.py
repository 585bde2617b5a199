"""What other processes do in the tests: importable, so that a spawned process finds it."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from ml_backend.errors import CheckpointError, LanternError
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import artifacts, files, leases, projects
from ml_backend.store.database import Database
from tests.store.events import said

DIED = 77
VALUES_PER_WRITER = 1_000_000


def read_then_write(home: Path, times: int) -> int:
    """Reads a count and writes it larger, in one transaction each; a deferred transaction fails at this."""
    db = Database.open(home)
    for _ in range(times):
        with db.write() as session:
            project = projects.ensure(session, 12)
            project.labels_changed = project.labels_changed + 1
    db.close()
    return times


def take_leases(home: Path, owner: str, uids: list[str]) -> set[str]:
    """Tries for the lease on each project; those that it got."""
    db = Database.open(home)
    got = set()
    for uid in uids:
        with db.write() as session:
            if leases.acquire(session, projects.ensure(session, uid), owner, 60.0, time.time()):
                got.add(uid)
    return got


def acknowledge_labels(home: Path, pipe: Connection) -> None:
    """Stores one label after the other and tells each once it is committed, until it is killed."""
    db = Database.open(home)
    number = 0
    while True:
        number += 1
        with db.write() as session:
            annotation_rows.apply(session, projects.ensure(session, 12), said(number, "a", float(number)))
        pipe.send(number)


def publish_until(stop: Path, root: Path, writer: int) -> int:
    """Publishes one name again and again; every tensor of one publication has the same value. The last value."""
    value = writer * VALUES_PER_WRITER
    while not stop.exists():
        value += 1
        tensor = np.full(2_000, value, dtype=np.int64)
        artifacts.publish(root, "model", manifest={"value": value}, tensors={"a": tensor, "b": tensor})
    return value


def load_whole(path: Path) -> int:
    """The value of the publication that was loaded; raises CheckpointError when it is a mixture."""
    artifact = artifacts.load(path)
    values = {artifact.manifest["value"], *artifact.tensors["a"].tolist(), *artifact.tensors["b"].tolist()}
    if len(values) != 1:
        raise CheckpointError(f"a mixture of {values}")
    return int(values.pop())


def die_at_each_step(root: Path, name: str, first: bool) -> list[str]:
    """Publishes "new" over "old" (or over nothing when `first`), dying before the 1st, 2nd, ... change of a file.

    Returns what could be loaded after each death; the last entry is of the run that was not interrupted.
    """
    outcomes = []
    for step in range(1, 200):
        folder = root / str(step)
        if not first:
            artifacts.publish(folder, name, manifest={"is": "old"}, tensors={"x": np.zeros(100)})
        folder.mkdir(parents=True, exist_ok=True)
        status = _in_child(partial(_publish_until, folder, name, step))
        outcomes.append(_loaded(folder / name))
        _recover(folder, name)
        if status == 0:
            return outcomes
        assert status == DIED, f"step {step} ended with {status}"
    raise AssertionError("publishing never ended")


def publish_with_full_disk(root: Path) -> str:
    """No file may grow over 64 KiB: the error of publishing more than that."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, resource.RLIM_INFINITY))
    try:
        artifacts.publish(root, "model", manifest={"is": "new"}, tensors={"x": np.zeros(100_000)})
    except LanternError as error:
        return type(error).__name__
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return "no error"


def write_with_full_disk(home: Path) -> tuple[str, int]:
    """The database cannot grow: the error of a large import, and how many labels there are once there is room again."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    db = Database.open(home)
    limit = (home / "lantern.db-wal").stat().st_size + 65_536
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    outcome = "no error"
    try:
        with db.write() as session:
            project = projects.ensure(session, 12)
            annotation_rows.apply_many(session, project, [said(n, "a" * 500, 1.0) for n in range(5_000)])
    except LanternError as error:
        outcome = type(error).__name__
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    with db.write() as session:
        project = projects.ensure(session, 12)
        annotation_rows.apply(session, project, said(1, "a", 1.0))
        return outcome, annotation_rows.count_labels(session, project)


def as_nobody(folder: Path) -> dict[str, str]:
    """The errors that a user without rights on the folder gets."""

    def attempt(action: Callable[[], object]) -> str:
        try:
            action()
        except LanternError as error:
            return f"{type(error).__name__}: {error}"
        return "no error"

    if os.geteuid() == 0:
        os.setuid(65534)
    return {
        "database": attempt(lambda: Database.open(folder)),
        "new database": attempt(lambda: Database.open(folder / "deeper")),
        "artifact": attempt(lambda: artifacts.publish(folder, "a", manifest={}, tensors={})),
        "file": attempt(lambda: files.check_writable(folder / "out.csv")),
    }


def _in_child(action: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        action()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _publish_until(folder: Path, name: str, step: int) -> None:
    """Dies before the step-th change of the folder: an audit hook hears of each open, mkdir, rename and remove."""
    changes = 0

    def count(event: str, args: tuple[object, ...]) -> None:
        nonlocal changes
        if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree", "fcntl.flock"):
            changes += 1
            if changes == step:
                os._exit(DIED)

    sys.addaudithook(count)
    artifacts.publish(folder, name, manifest={"is": "new"}, tensors={"x": np.ones(100)})
    changes = -1_000_000


def _loaded(path: Path) -> str:
    try:
        artifact = artifacts.load(path)
    except CheckpointError:
        return "nothing"
    whole = {"old": 0.0, "new": 1.0}[artifact.manifest["is"]]
    assert artifact.tensors["x"].tolist() == [whole] * 100
    return str(artifact.manifest["is"])


def _recover(folder: Path, name: str) -> None:
    """The next publication works, and the leftovers are gone."""
    artifacts.publish(folder, name, manifest={"is": "old"}, tensors={"x": np.zeros(100)})
    assert _loaded(folder / name) == "old"
    assert {p.name for p in folder.iterdir()} == {name, ".lock"}, list(folder.iterdir())
    assert len(list((folder / name).iterdir())) == 2
