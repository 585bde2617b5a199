"""Carries what people did on the map to Label Studio, in the background and in their own name.

A person's token is in memory only, in the thread that sends for that person; after a restart what waits goes on as soon
as the person shows the token again. Nothing is sent twice: an entry is claimed in the database first, a new annotation
carries an id of which Label Studio takes one (a repeat is answered with 409), and everything else is a PATCH or a
DELETE, after a look at what is there. So a process may die at any point, and a reply may be lost.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from ml_backend.errors import LabelStudioAuthError, StoreError
from ml_backend.label_studio.delivery import Delivery, Outcome, Pause
from ml_backend.label_studio.people import SignedIn
from ml_backend.store import outbox, projects, senders
from ml_backend.store.database import Database
from ml_backend.store.tables import OutboxEntry, Project

log = logging.getLogger(__name__)

PARALLEL = 4
BATCH = 16
CLAIM_SECONDS = 60.0
"""After this long the claim of a process that died is free."""
PRESENT_SECONDS, BEAT_SECONDS = 30.0, 10.0
"""For how long it is believed that somebody sends, and how often a thread that waits says so again."""
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
STILL_SECONDS = 2.0
"""How long a thread with nothing to do waits for more before it ends and forgets the token."""
REFUSED = "Label Studio no longer takes your token: sign in again"


class Outbox:
    """The senders of one process, one for each person and project that has something waiting. Safe for threads."""

    def __init__(self, db: Database, *, on_refused: Callable[[SignedIn], None] = lambda _: None) -> None:
        self._db = db
        self._on_refused = on_refused
        self._lock = threading.Lock()
        self._senders: dict[tuple[int, int], Sender] = {}

    def wake(self, project: Project, signed_in: SignedIn) -> None:
        """Send what waits of this person, now."""
        key = project.id, signed_in.person.id
        with self._lock:
            sender = self._senders.get(key)
            if sender is not None and sender.nudge(signed_in):
                return
            sender = self._senders[key] = Sender(self._db, project, signed_in, self._on_refused, self._forget)
        sender.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Ends all threads after the calls that they are at."""
        with self._lock:
            senders = list(self._senders.values())
        for sender in senders:
            sender.stop()
        for sender in senders:
            sender.join(seconds)

    def _forget(self, ended: Sender) -> None:
        """The thread holds a token."""
        with self._lock:
            self._senders = {key: sender for key, sender in self._senders.items() if sender is not ended}


class Sender(threading.Thread):
    """Sends what one person has waiting in one project, then ends."""

    def __init__(
        self,
        db: Database,
        project: Project,
        signed_in: SignedIn,
        on_refused: Callable[[SignedIn], None],
        on_end: Callable[[Sender], None],
    ) -> None:
        super().__init__(name=f"outbox-{project.label_studio_id}-{signed_in.person.id}", daemon=True)
        self._db = db
        self._project = project
        self._signed_in = signed_in
        self._on_refused = on_refused
        self._on_end = on_end
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._wake = threading.Event()
        self._guard = threading.Lock()
        self._over = False
        self._stopping = False
        self._pauses = 0

    def nudge(self, signed_in: SignedIn) -> bool:
        """There may be more to send, with this token from now on; False when the thread has ended."""
        with self._guard:
            if self._over:
                return False
            self._signed_in = signed_in
            self._wake.set()
            return True

    def stop(self) -> None:
        """End after the calls that it is at."""
        self._stopping = True
        self._wake.set()

    def run(self) -> None:
        """Until nothing waits any more, the token is refused, or `stop` is called."""
        try:
            with ThreadPoolExecutor(PARALLEL, thread_name_prefix=self.name) as workers:
                while not self._stopping and self._step(workers):
                    pass
        except StoreError as error:
            log.error("project %s: the outbox cannot be read or written: %s", self._project.uid, error)
        except Exception:
            # The thread's outermost boundary: what waits is still there for the next one.
            log.exception("project %s: sending failed unexpectedly", self._project.uid)
        finally:
            with self._guard:
                self._over = True
            with suppress(StoreError), self._db.write() as session:
                outbox.give_back(session, self._project, self._owner)
                senders.leave(session, self._project, self._owner, time.time())
            self._on_end(self)

    def _step(self, workers: ThreadPoolExecutor) -> bool:
        """Send a few, or wait; False when there is nothing left to wait for."""
        self._wake.clear()
        signed_in, person = self._signed_in, self._signed_in.person.id
        now = time.time()
        with self._db.write() as session:
            entries = outbox.claim(session, self._project, person, self._owner, BATCH, CLAIM_SECONDS, now)
            senders.beat(session, self._project, person, self._owner, now + PRESENT_SECONDS)
        if not entries:
            return self._rest(person)
        delivery = Delivery(signed_in.api, self._project.label_studio_id)
        try:
            found = list(workers.map(lambda entry: None if self._stopping else delivery.deliver(entry), entries))
        except LabelStudioAuthError:
            self._refused(signed_in)
            return False
        # What was not tried any more is given back at the end.
        tried = [(entry, outcome) for entry, outcome in zip(entries, found, strict=True) if outcome is not None]
        outcomes = [outcome for _, outcome in tried]
        self._record([entry for entry, _ in tried], outcomes)
        pause = max((outcome.pause for outcome in outcomes), default=Pause.NONE)
        self._pauses = self._pauses + 1 if pause is Pause.EVERYTHING else 0
        if self._pauses:
            self._wait(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (self._pauses - 1)))
        return True

    def _rest(self, person: int) -> bool:
        with self._db.read() as session:
            due = outbox.next_try(session, self._project, person)
        if due is not None:
            self._wait(min(LONGEST_PAUSE_SECONDS, max(0.05, due - time.time())))
            return True
        if self._wake.wait(STILL_SECONDS):
            return True
        with self._guard:
            self._over = not self._wake.is_set()
            return not self._over

    def _wait(self, seconds: float) -> None:
        """Somebody waits for the labels meanwhile, and is told that they are not forgotten."""
        ends = time.monotonic() + seconds
        while not self._wake.wait(max(0.0, min(BEAT_SECONDS, ends - time.monotonic()))) and time.monotonic() < ends:
            with self._db.write() as session:
                until = time.time() + PRESENT_SECONDS
                senders.beat(session, self._project, self._signed_in.person.id, self._owner, until)

    def _record(self, entries: Sequence[OutboxEntry], outcomes: Sequence[Outcome]) -> None:
        now = time.time()
        with self._db.write() as session:
            project = projects.current(session, self._project)
            mine = outbox.still_claimed(session, project, self._owner)
            for entry, outcome in zip(entries, outcomes, strict=True):
                if entry.id in mine:
                    outcome.record(session, project, entry, now)
            if any(outcome.is_final for outcome in outcomes) and outbox.is_drained(session, project):
                # the labels are the same; what counted as pending is an annotation now
                projects.touch_scores(session, project)
        for outcome in outcomes:
            if outcome.error:
                log.warning("project %s: an annotation was not sent: %s", self._project.uid, outcome.error)

    def _refused(self, signed_in: SignedIn) -> None:
        log.warning("project %s: the token of user %d is refused", self._project.uid, signed_in.person.id)
        with suppress(StoreError), self._db.write() as session:
            outbox.explain(session, self._project, signed_in.person.id, REFUSED)
        self._on_refused(signed_in)
