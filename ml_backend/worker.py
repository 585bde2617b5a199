"""The one background process: for every project that is behind, sync -> encode -> train -> publish ->
lay out -> push.

Started by `lantern serve` (or alone: `python -m ml_backend.worker`). It holds no state that the database does not:
killed at any point, the project is only still behind, and the next worker goes on. SIGTERM ends a training run within
its epoch and publishes it.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from ml_backend.config import Settings
from ml_backend.engine.cache_duty import CacheDuty
from ml_backend.engine.engine import Engine
from ml_backend.engine.heartbeat import ProjectLease
from ml_backend.engine.layout_duty import LayoutDuty
from ml_backend.engine.layout_process import start_layout_process
from ml_backend.engine.old_acts_duty import OldActsDuty
from ml_backend.engine.project import ProjectEngine
from ml_backend.errors import LanternError, LeaseLost
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.duties import label_studio_duties
from ml_backend.label_studio.media_access import fetcher_factory
from ml_backend.label_studio.sheet_duty import SheetDuty
from ml_backend.logs import configure_logging
from ml_backend.store import projects
from ml_backend.store.database import Database

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5
FIRST_BACKOFF_SECONDS = 2.0
LONGEST_BACKOFF_SECONDS = 120.0
NICENESS = 10

Step = tuple[str, str]
"""(project, what is done about it: the name of a duty, or LEASE)"""
LEASE = "the lease"


class Duty(Protocol):
    """Brings one aspect of a project up to date."""

    def due(self, uid: str) -> bool:
        """Whether the project is behind in this aspect: a few cheap reads, asked twice a second."""

    def run(self, uid: str) -> None:
        """Bring it up to date; called with the project's lease held."""


@dataclass
class Worker:
    """Goes round the projects and runs the duties, in order, on each. A duty that fails on a project waits, longer each
    time; the others go on.
    """

    db: Database
    duties: Sequence[Duty]
    lease: ProjectLease
    stop: threading.Event = field(default_factory=threading.Event)
    _failures: dict[Step, int] = field(default_factory=dict)
    _not_before: dict[Step, float] = field(default_factory=dict)

    def run(self) -> None:
        """Until `stop` is set."""
        while not self.stop.is_set():
            if not self.round():
                self.stop.wait(IDLE_SECONDS)

    def round(self) -> bool:
        """Every project once; True when any duty did something."""
        with self.db.read() as session:
            uids = [project.uid for project in projects.list_all(session)]
        visited = [self._visit(uid) for uid in uids if not self.stop.is_set()]
        return any(visited)

    def _visit(self, uid: str) -> bool:
        with self._on_its_own((uid, LEASE)):
            if any(self._is_due(uid, duty) for duty in self.duties):
                return self._work(uid)
        return False

    def _work(self, uid: str) -> bool:
        with self.lease.on(uid) as held:
            if not held:
                return False
            for duty in self.duties:
                self.lease.check()
                if not self.stop.is_set() and self._is_due(uid, duty):
                    with self._on_its_own((uid, _name(duty))):
                        duty.run(uid)
                        self._failures.pop((uid, _name(duty)), None)
        self._failures.pop((uid, LEASE), None)
        return True

    def _is_due(self, uid: str, duty: Duty) -> bool:
        step = uid, _name(duty)
        if any(time.monotonic() < self._not_before.get(one, 0.0) for one in (step, (uid, LEASE))):
            return False
        with self._on_its_own(step):
            if duty.due(uid):
                return True
        return False

    @contextmanager
    def _on_its_own(self, step: Step) -> Iterator[None]:
        """A failure in here makes the step wait and ends no other. But a lost lease ends the visit: what would follow
        is its new owner's.
        """
        try:
            yield
        except Exception as error:
            if isinstance(error, LeaseLost) and step[1] != LEASE:
                raise
            self._failed(step, error)

    def _failed(self, step: Step, error: Exception) -> None:
        """Nothing gets further up: this is the process's outermost boundary, and a defect met in one project must not
        stop the others.
        """
        failures = self._failures[step] = self._failures.get(step, 0) + 1
        wait = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** (failures - 1))
        self._not_before[step] = time.monotonic() + wait
        why = f"{type(error).__name__}: {error}"
        log.warning("project %s: %s waits %.0f s after failure %d: %s", *step, wait, failures, why)
        if not isinstance(error, LanternError):
            log.error("that was unexpected", exc_info=error)


def _name(duty: Duty) -> str:
    return type(duty).__name__


def build_worker(settings: Settings, stop: threading.Event) -> Worker:
    """A worker on the settings' data folder. Raises ConfigError or StoreError when that cannot work."""
    db = Database.open(settings.home)
    connections = Connections(settings)
    engine = Engine(db, settings, fetcher_factory(settings, connections))
    lease = ProjectLease(db, f"{socket.gethostname()}:{os.getpid()}")
    work = ProjectEngine(db, settings, engine.readers, should_stop=stop.is_set, check_lease=lease.check)
    lay_out = LayoutDuty(db, settings, start_layout_process)
    reconcile, push, clean = label_studio_duties(db, settings, connections, engine, lease.check)
    sheets = SheetDuty(db, settings, connections)
    tidy = (clean, OldActsDuty(db), CacheDuty(db, settings, engine.readers))
    return Worker(db, (reconcile, work, lay_out, sheets, push, *tidy), lease, stop)


def main() -> int:
    """Until SIGTERM or SIGINT; returns the exit status."""
    settings = Settings.from_environment(os.environ)
    configure_logging(settings.log_level, settings.secrets())
    os.nice(NICENESS)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    build_worker(settings, stop).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
