"""Several processes, killed processes, full disks and folders without rights."""

from __future__ import annotations

import multiprocessing
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from ml_backend.store import annotations as annotation_rows
from ml_backend.store import artifacts, projects
from ml_backend.store.database import Database
from tests.store import children

pytestmark = pytest.mark.slow

T = TypeVar("T")
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=SPAWN) as executor:
        yield executor


def in_one_process(function: Callable[..., T], *args: object) -> T:
    """In a process that is used for nothing else: it may lose rights or fork."""
    with ProcessPoolExecutor(1, mp_context=SPAWN) as executor:
        return executor.submit(function, *args).result(timeout=120)


@pytest.mark.slow
def test_two_processes_that_read_then_write_never_find_it_locked(tmp_path: Path, pool: ProcessPoolExecutor) -> None:
    homes = [tmp_path, tmp_path]  # both also make and migrate it at the same time
    assert list(pool.map(children.read_then_write, homes, [500, 500])) == [500, 500]
    with Database.open(tmp_path).read() as session:
        assert projects.ensure(session, 12).labels_changed == 1_000, "no update was lost"


def test_two_processes_never_hold_one_lease(tmp_path: Path, pool: ProcessPoolExecutor) -> None:
    db = Database.open(tmp_path)
    uids = [f"{n}.1" for n in range(1, 101)]
    with db.write() as session:
        for uid in uids:
            projects.ensure(session, uid)
    one, other = pool.map(children.take_leases, [tmp_path] * 2, ["a", "b"], [uids, uids[::-1]])
    assert not one & other
    assert one | other == set(uids)


def test_a_label_that_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    reading, writing = SPAWN.Pipe(duplex=False)
    process = SPAWN.Process(target=children.acknowledge_labels, args=(tmp_path, writing))
    process.start()
    try:
        acknowledged = 0
        while acknowledged < 100:
            assert reading.poll(60), "the writer says nothing"
            acknowledged = reading.recv()
    finally:
        process.kill()
        process.join()
    while reading.poll():
        acknowledged = reading.recv()
    with Database.open(tmp_path).read() as session:
        stored = annotation_rows.count_labels(session, projects.ensure(session, 12))
    assert stored in (acknowledged, acknowledged + 1), "the last one may be committed and not yet told"
    connection = sqlite3.connect(tmp_path / "lantern.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.slow
def test_readers_and_two_publishers_of_one_name_see_whole_artifacts(tmp_path: Path, pool: ProcessPoolExecutor) -> None:
    root, stop = tmp_path / "root", tmp_path / "stop"
    artifacts.publish(root, "model", manifest={"value": 0}, tensors={"a": np.zeros(9, int), "b": np.zeros(9, int)})
    publishers = [pool.submit(children.publish_until, stop, root, writer) for writer in (1, 2)]
    try:
        seen: set[int] = set()
        deadline = time.monotonic() + 60
        while len(seen) < 10:
            assert time.monotonic() < deadline, seen
            assert not any(publisher.done() for publisher in publishers)
            seen.add(children.load_whole(root / "model"))
    finally:
        stop.touch()
        last = [publisher.result(timeout=60) for publisher in publishers]
    assert children.load_whole(root / "model") in last
    assert {p.name for p in root.iterdir()} == {"model", ".lock"}


@pytest.mark.slow
@pytest.mark.parametrize("first", [True, False])
def test_a_publisher_that_dies_at_any_step_leaves_the_old_or_the_new(tmp_path: Path, first: bool) -> None:
    outcomes = in_one_process(children.die_at_each_step, tmp_path, "model", first)
    before = "nothing" if first else "old"
    turn = outcomes.index("new")
    assert turn > 10
    assert outcomes == [before] * turn + ["new"] * (len(outcomes) - turn)


def test_a_full_disk_leaves_the_published_artifact_and_no_litter(tmp_path: Path) -> None:
    artifacts.publish(tmp_path, "model", manifest={"is": "old"}, tensors={"x": np.zeros(3)})
    assert in_one_process(children.publish_with_full_disk, tmp_path) == "StoreError"
    assert artifacts.load(tmp_path / "model").manifest == {"is": "old"}
    assert {p.name for p in tmp_path.iterdir()} == {"model", ".lock"}


def test_a_full_disk_fails_one_transaction_and_the_next_goes_on(tmp_path: Path) -> None:
    assert in_one_process(children.write_with_full_disk, tmp_path) == ("StoreError", 1)


def test_a_folder_without_rights_gets_a_clear_word() -> None:
    folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to other users: another error
    try:
        folder.chmod(0o555)
        errors = in_one_process(children.as_nobody, folder)
    finally:
        shutil.rmtree(folder)
    assert errors.pop("file") == f"InputError: {folder / 'out.csv'}: may not be written"
    for error in errors.values():
        assert error.startswith("StoreError")
        assert "Permission denied" in error
    assert "LANTERN_HOME" in errors["database"]
