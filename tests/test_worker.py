"""The worker process: rounds, failures that stay with their project, and being killed in the middle of a training."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ml_backend.engine import heartbeat
from ml_backend.engine.heartbeat import ProjectLease
from ml_backend.errors import EncoderUnavailable, LeaseLost, StoreBusy, StoreError
from ml_backend.store import leases, projects, publications, runs, tasks
from ml_backend.store.database import Database
from ml_backend.store.tables import Lease
from ml_backend.worker import Worker

FIRST, SECOND = "1.1700000001", "2.1700000002"
CONFIG = """<View><Text name="text" value="$text"/><Choices name="kind" toName="text">
<Choice value="a"/><Choice value="b"/></Choices></View>"""
DEADLINE_SECONDS = 120.0


class Recorder:
    """A duty that is due until it has run once for a project, and fails for those named."""

    def __init__(self, failing: dict[str, Exception] | None = None) -> None:
        self.failing = failing or {}
        self.done: list[str] = []

    def due(self, uid: str) -> bool:
        return uid not in self.done

    def run(self, uid: str) -> None:
        if uid in self.failing:
            raise self.failing[uid]
        self.done.append(uid)


@pytest.fixture
def db(tmp_path: Path) -> Database:
    db = Database.open(tmp_path)
    with db.write() as session:
        for uid in (FIRST, SECOND):
            projects.ensure(session, uid)
    return db


@pytest.mark.parametrize("error", [StoreError("the disk is full"), ZeroDivisionError("a defect")])
def test_a_project_that_fails_waits_and_the_others_go_on(db: Database, error: Exception) -> None:
    duty = Recorder({FIRST: error})
    worker = Worker(db, [duty], ProjectLease(db, "me"))
    assert worker.round()
    assert duty.done == [SECOND]
    duty.failing.clear()
    assert not worker.round(), "it must wait before it tries again"


@pytest.mark.parametrize("error", [EncoderUnavailable("the embedding service is down"), ZeroDivisionError("a defect")])
def test_a_duty_that_fails_waits_and_those_behind_it_go_on(db: Database, error: Exception) -> None:
    class Behind(Recorder):
        pass

    failing, behind = Recorder({FIRST: error}), Behind()
    worker = Worker(db, [failing, behind], ProjectLease(db, "me"))
    assert worker.round()
    assert behind.done == [FIRST, SECOND]
    behind.done.clear()
    failing.failing.clear()
    assert worker.round()
    assert behind.done == [FIRST, SECOND], "also while the other one waits"
    assert failing.done == [SECOND]


def test_a_duty_that_cannot_say_whether_it_is_due_ends_no_other(db: Database) -> None:
    class Broken(Recorder):
        def due(self, uid: str) -> bool:
            raise ZeroDivisionError("a defect")

    behind = Recorder()
    assert Worker(db, [Broken(), behind], ProjectLease(db, "me")).round()
    assert behind.done == [FIRST, SECOND]


def test_nothing_due_means_no_lease_is_taken(db: Database) -> None:
    duty = Recorder()
    duty.done = [FIRST, SECOND]
    assert not Worker(db, [duty], ProjectLease(db, "me")).round()
    with db.read() as session:
        assert all(leases.holder(session, p, time.time()) is None for p in projects.list_all(session))


def test_a_project_that_another_worker_holds_is_left_alone(db: Database) -> None:
    with db.write() as session:
        assert leases.acquire(session, projects.ensure(session, FIRST), "somebody else", 60.0, time.time())
    duty = Recorder()
    Worker(db, [duty], ProjectLease(db, "me")).round()
    assert duty.done == [SECOND]


def test_the_lease_is_renewed_while_its_owner_works_and_given_back(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(heartbeat, "RENEW_EVERY_SECONDS", 0.05)
    with ProjectLease(db, "me").on(FIRST) as held:
        assert held
        begun = _expires_at(db)
        _wait_for(lambda: _expires_at(db) > begun, "the lease was never renewed")
    with db.read() as session:
        assert leases.holder(session, projects.ensure(session, FIRST), time.time()) is None


def test_a_busy_database_does_not_end_the_renewing(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(heartbeat, "RENEW_EVERY_SECONDS", 0.05)
    renew, failures = leases.renew, [StoreBusy("busy"), StoreBusy("busy")]

    def busy_at_first(*args: Any) -> bool:
        if failures:
            raise failures.pop()
        return renew(*args)

    monkeypatch.setattr(leases, "renew", busy_at_first)
    with ProjectLease(db, "me").on(FIRST):
        begun = _expires_at(db)
        _wait_for(lambda: _expires_at(db) > begun, "the lease was never renewed")
    assert not failures


@pytest.mark.parametrize("renewed_every", [0.05, 3600.0], ids=["heard from the thread", "found out after a sleep"])
def test_a_project_that_was_taken_over_is_let_go(
    db: Database, monkeypatch: pytest.MonkeyPatch, renewed_every: float
) -> None:
    monkeypatch.setattr(heartbeat, "LEASE_SECONDS", 0.2)
    monkeypatch.setattr(heartbeat, "RENEW_EVERY_SECONDS", renewed_every)
    lease, later = ProjectLease(db, "me"), Recorder()

    class Overtaken(Recorder):
        def run(self, uid: str) -> None:
            super().run(uid)
            with db.write() as session:
                project = projects.ensure(session, uid)
                leases.release(session, project, "me")
                assert leases.acquire(session, project, "somebody else", 60.0, time.time())
            _wait_for(lambda: _lost(lease), "the loss was not noticed")

    Worker(db, [Overtaken(), later], lease).round()
    assert later.done == [], "what it would have done is the new owner's"
    assert _lease_owner(db) == "somebody else"


def _lost(lease: ProjectLease) -> bool:
    try:
        lease.check()
    except LeaseLost:
        return True
    return False


@pytest.mark.slow
def test_a_worker_killed_in_a_training_loses_nothing_and_the_next_one_finishes_it(tmp_path: Path) -> None:
    db = Database.open(tmp_path)
    texts = ["battery low {}", "network lost {}", "payment refused {}", "disk full {}"]
    with db.write() as session:
        project = projects.ensure(session, FIRST)
        projects.configure(session, project, label_config=CONFIG)
        rows = [(i + 1, {"text": texts[i % 4].format(i)}) for i in range(2000)]
        projects.touch_data(session, project, tasks.upsert_many(session, project, rows), time.time())
    killed = _start(tmp_path)
    try:
        _wait_for(lambda: _run_status(db) == runs.Status.RUNNING, "no training began")
    finally:
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    assert _published(db) >= 1, "the pool is published before it is trained"
    with db.write() as session:
        # A dead worker's lease runs out by itself; the test does not wait a minute for it.
        leases.release(session, projects.ensure(session, FIRST), _lease_owner(db))
    again = _start(tmp_path)
    try:
        _wait_for(lambda: _run_status(db) == runs.Status.DONE, "the training was not finished")
    finally:
        again.send_signal(signal.SIGTERM)
        assert again.wait(timeout=30) == 0
    with db.read() as session:
        project = projects.ensure(session, FIRST)
        assert project.training_requested == project.training_done
        assert len(runs.list_newest(session, project)) == 1, "it is the same run, not another one"


def _start(home: Path) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "LANTERN_HOME": str(home), "LABEL_STUDIO_URL": "", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-m", "ml_backend.worker"], env=environ)


def _run_status(db: Database) -> str | None:
    with db.read() as session:
        run = runs.newest(session, projects.ensure(session, FIRST))
    return run.status if run else None


def _published(db: Database) -> int:
    with db.read() as session:
        newest = publications.newest(session, projects.ensure(session, FIRST))
    return newest.number if newest else 0


def _lease_owner(db: Database) -> str:
    with db.read() as session:
        return leases.holder(session, projects.ensure(session, FIRST), time.time()) or ""


def _expires_at(db: Database) -> float:
    with db.read() as session:
        lease = session.get(Lease, projects.ensure(session, FIRST).id)
    assert lease is not None
    return lease.expires_at


def _wait_for(condition: Callable[[], bool], why: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, why
        time.sleep(0.02)
