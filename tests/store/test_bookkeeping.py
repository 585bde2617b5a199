"""Runs, leases, publications, pushes and counters: who does what, and what came of it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ml_backend.store import counters, leases, projects, publications, pushes, runs
from ml_backend.store.database import Database
from ml_backend.store.tables import Project, Publication, Push


def test_a_lease_is_held_by_one_until_it_expires(db: Database, project: Project) -> None:
    with db.write() as session:
        assert leases.acquire(session, project, "a", 10.0, now=100.0)
        assert not leases.acquire(session, project, "b", 10.0, now=109.0)
        assert leases.acquire(session, project, "a", 10.0, now=105.0), "one's own may be taken again"
        assert leases.holder(session, project, now=114.0) == "a"
        assert leases.holder(session, project, now=115.0) is None
        assert leases.acquire(session, project, "b", 10.0, now=115.0)
        assert not leases.renew(session, project, "a", 10.0, now=116.0)
        assert leases.renew(session, project, "b", 10.0, now=120.0)
        assert leases.holder(session, project, now=129.0) == "b"


def test_a_lease_of_before_the_clock_was_put_back_is_over(db: Database, project: Project) -> None:
    with db.write() as session:
        assert leases.acquire(session, project, "killed", 60.0, now=10_000.0)
        assert not leases.acquire(session, project, "next", 60.0, now=9_990.0), "a clock that is set right by seconds"
        assert leases.acquire(session, project, "next", 60.0, now=1_000.0)


def test_a_lease_is_given_back_by_its_owner_only(db: Database, project: Project) -> None:
    with db.write() as session:
        leases.acquire(session, project, "a", 10.0, now=0.0)
        leases.release(session, project, "b")
        assert leases.holder(session, project, now=1.0) == "a"
        leases.release(session, project, "a")
        assert leases.acquire(session, project, "b", 10.0, now=1.0)
        assert not leases.renew(session, project, "a", 10.0, now=1.0)


def test_leases_of_two_projects_are_apart(db: Database, project: Project) -> None:
    with db.write() as session:
        other = projects.ensure(session, 99)
        assert leases.acquire(session, project, "a", 10.0, now=0.0)
        assert leases.acquire(session, other, "b", 10.0, now=0.0)


def test_a_run_goes_from_queued_to_done(db: Database, project: Project) -> None:
    with db.write() as session:
        run = runs.create(session, project, {"epochs": 2}, now=1.0)
    assert run.status == runs.Status.QUEUED
    with db.write() as session:
        assert runs.start(session, run, now=2.0)
        runs.epoch(session, run.id, {"total": 3.0}, phase="phase 1")
        runs.epoch(session, run.id, {"total": 2.0})
    with db.write() as session:
        runs.finish(session, run.id, 4, now=3.0)
    with db.read() as session:
        done = runs.newest(session, project)
        assert runs.unfinished(session, project) is None
    assert done is not None
    assert (done.status, done.publication_number, done.phase) == ("done", 4, "phase 1")
    assert done.epochs == [{"total": 3.0}, {"total": 2.0}]
    assert (done.created_at, done.started_at, done.finished_at) == (1.0, 2.0, 3.0)


def test_a_run_that_kills_its_worker_three_times_is_failed(db: Database, project: Project) -> None:
    with db.write() as session:
        runs.create(session, project, {}, now=1.0)
    for attempt in (1, 2, 3):
        with db.write() as session:
            left = runs.unfinished(session, project)
            assert left is not None
            assert runs.start(session, left, now=2.0)
            runs.epoch(session, left, {"total": 1.0})
            assert (left.attempts, len(left.epochs)) == (attempt, 1)
    with db.write() as session:
        left = runs.unfinished(session, project)
        assert left is not None
        assert not runs.start(session, left, now=3.0)
        assert runs.unfinished(session, project) is None
        assert left.status == runs.Status.FAILED
        assert "3 times" in (left.error or "")


def test_a_run_that_is_over_is_not_begun_again(db: Database, project: Project) -> None:
    with db.write() as session:
        run = runs.create(session, project, {}, now=1.0)
        runs.start(session, run, now=1.0)
        runs.fail(session, run, "the loss is not finite", now=2.0)
        assert not runs.start(session, run, now=3.0)
        assert (run.status, run.error) == ("failed", "the loss is not finite")


def test_runs_are_begun_in_the_order_they_were_asked_for(db: Database, project: Project) -> None:
    with db.write() as session:
        first, second = (runs.create(session, project, {"n": n}, now=1.0) for n in (1, 2))
        assert runs.unfinished(session, project) is first
        assert [run.id for run in runs.list_newest(session, project)] == [second.id, first.id]


def publish(session: Session, project: Project, model_path: str = "m") -> Publication:
    return publications.add(
        session,
        project,
        model_version=f"v{publications.next_number(session, project)}",
        data_version=1,
        labels_version=1,
        model_path=model_path,
        description_path="d",
        trained=True,
        now=1.0,
    )


def test_publications_count_up_and_the_newest_counts(db: Database, project: Project) -> None:
    with db.write() as session:
        assert publications.newest(session, project) is None
        assert [publish(session, project).number for _ in range(5)] == [1, 2, 3, 4, 5]
        newest = publications.newest(session, project)
        assert newest is not None
        assert newest.model_version == "v5"
        previous = publications.previous(session, project, newest.number)
        assert previous is not None
        assert previous.number == 4
        assert publications.previous(session, project, 1) is None


def test_pruning_keeps_the_newest_and_no_number_comes_twice(db: Database, project: Project) -> None:
    with db.write() as session:
        for _ in range(5):
            publish(session, project)
        assert [p.number for p in publications.prune(session, project, keep=2)] == [5, 4]
        assert [p.number for p in publications.list_all(session, project)] == [5, 4]
        assert [p.number for p in publications.prune(session, project, keep=0)] == [5], "the one that counts stays"
        assert publish(session, project).number == 6


def test_numbers_of_two_projects_are_apart(db: Database, project: Project) -> None:
    with db.write() as session:
        publish(session, project)
        assert publish(session, projects.ensure(session, 99)).number == 1


def test_old_pushes_are_forgotten_but_for_what_is_left_to_do(db: Database, project: Project) -> None:
    with db.write() as session:
        shown = pushes.start(session, project, model_version="v1", now=1.0)
        pushes.finish(session, shown, now=1.0)
        for number in range(2, 2 * pushes.KEPT):
            push = pushes.start(session, project, model_version=f"v{number}", now=1.0)
            pushes.fail(session, push, "Label Studio is down", now=1.0)
            pushes.set_old_versions(session, push, ["v0"] if number == 5 else [])
        kept = session.scalars(select(Push.number).order_by(Push.number)).all()
        assert list(kept) == [1, 5, *range(pushes.KEPT, 2 * pushes.KEPT)]
        assert [push.number for push in pushes.with_old_versions(session, project)] == [5]


def test_a_push_counts_what_was_sent_and_what_label_studio_made(db: Database, project: Project) -> None:
    with db.write() as session:
        push = pushes.start(session, project, model_version="v1", now=1.0, publication_number=1, old_versions=["v0"])
        pushes.progress(session, push, sent=100, created=100)
    with db.write() as session:
        pushes.progress(session, push, sent=50, created=49)
        pushes.fail(session, push, "Label Studio is down", now=2.0)
        second = pushes.start(session, project, model_version="v2", now=3.0)
        assert pushes.unfinished(session, project) == [second]
        pushes.finish(session, second, now=4.0)
    with db.write() as session:
        newest = pushes.newest(session, project)
        failed = pushes.newest(session, project, pushes.State.FAILED)
        assert newest is not None
        assert failed is not None
        assert (newest.number, newest.state) == (2, "done")
        assert (failed.number, failed.sent, failed.created, failed.error) == (1, 150, 149, "Label Studio is down")
        assert pushes.with_old_versions(session, project) == [failed]
        pushes.set_old_versions(session, failed, [])
        assert pushes.with_old_versions(session, project) == []


def test_counters_add_up_and_are_apart(db: Database, project: Project) -> None:
    with db.write() as session:
        counters.add(session, "webhooks", project=project)
        counters.add(session, "webhooks", 4, project)
        counters.add(session, "webhooks")
    with db.read() as session:
        assert counters.read(session, project) == {"webhooks": 5}
        assert counters.read(session) == {"webhooks": 1}
        assert counters.total(session) == {"webhooks": 6}


def test_a_run_that_waits_is_stopped_at_once_and_one_that_runs_is_told(db: Database, project: Project) -> None:
    with db.write() as session:
        assert runs.request_stop(session, project, now=1.0) is None
        waiting = runs.create(session, project, {}, now=1.0)
        assert runs.request_stop(session, project, now=2.0) is waiting
        assert (waiting.status, waiting.finished_at) == ("done", 2.0)
        running = runs.create(session, project, {}, now=3.0)
        runs.start(session, running, now=4.0)
        assert not runs.stop_asked(session, running.id)
        runs.request_stop(session, project, now=5.0)
        assert runs.stop_asked(session, running.id)
        assert running.status == "running"


def test_runs_with_a_model_can_be_brought_back_until_it_is_given_up(db: Database, project: Project) -> None:
    with db.write() as session:
        made = [runs.create(session, project, {}, now=1.0) for _ in range(3)]
        for run, path in zip(made, ("m1", None, "m3"), strict=True):
            runs.finish(session, run, 1, 2.0, model_path=path, effect={"changed": 1} if path else None)
        assert [run.model_path for run in runs.restorable(session, project)] == ["m3", "m1"]
        assert runs.newest_measured(session, project) is made[2]
        runs.forget_model(session, made[2])
        assert [run.model_path for run in runs.restorable(session, project)] == ["m1"]
    with db.read() as session:
        measured = runs.newest_measured(session, project)
        assert measured is not None
        assert measured.effect == {"changed": 1}


def test_a_run_is_found_in_its_own_project_only(db: Database, project: Project) -> None:
    with db.write() as session:
        run = runs.create(session, project, {}, now=1.0)
        assert runs.get(session, project, run.id) is run
        assert runs.get(session, projects.ensure(session, 99), run.id) is None
