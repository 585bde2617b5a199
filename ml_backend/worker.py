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
from collections.abc import Sequence
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
from ml_backend.errors import LanternError
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


class Duty(Protocol):
    """Brings one aspect of a project up to date."""

    def due(self, uid: str) -> bool:
        """Whether the project is behind in this aspect: a few cheap reads, asked twice a second."""

    def run(self, uid: str) -> None:
        """Bring it up to date; called with the project's lease held."""


@dataclass
class Worker:
    """Goes round the projects and runs the duties, in order, on each; a project that fails waits, the others go on."""

    db: Database
    duties: Sequence[Duty]
    lease: ProjectLease
    stop: threading.Event = field(default_factory=threading.Event)
    _failures: dict[str, int] = field(default_factory=dict)
    _not_before: dict[str, float] = field(default_factory=dict)

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
        if time.monotonic() < self._not_before.get(uid, 0.0):
            return False
        try:
            did = self._work(uid)
        except LanternError as error:
            self._back_off(uid, f"{type(error).__name__}: {error}")
            return False
        except Exception:
            # The process's outermost boundary: a defect met in one project must not stop the others.
            log.exception("project %s: a step failed unexpectedly", uid)
            self._back_off(uid, "see the traceback above")
            return False
        self._failures.pop(uid, None)
        return did

    def _work(self, uid: str) -> bool:
        if not any(duty.due(uid) for duty in self.duties):
            return False
        with self.lease.on(uid) as held:
            if not held:
                return False
            for duty in self.duties:
                self.lease.check()
                if not self.stop.is_set() and duty.due(uid):
                    duty.run(uid)
        return True

    def _back_off(self, uid: str, why: str) -> None:
        failures = self._failures[uid] = self._failures.get(uid, 0) + 1
        wait = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** (failures - 1))
        self._not_before[uid] = time.monotonic() + wait
        log.warning("project %s waits %.0f s after failure %d: %s", uid, wait, failures, why)


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
