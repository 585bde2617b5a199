"""Webhooks that came while another transaction was writing: kept in the inbox, recorded as soon as it has ended.

Label Studio gives a webhook one second and never repeats it, while a reconcile of a large project may write for longer
than that. As long as one event waits, those that follow queue up behind it, so that they are recorded in order.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from ml_backend.errors import StoreError
from ml_backend.label_studio.events import essentials
from ml_backend.store.inbox import Inbox, Letter

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0

Record = Callable[[object, float], object]
"""(webhook's body, when it came in epoch seconds) -> recorded, in one transaction. Recording one twice is harmless."""
Repair = Callable[[object], None]
"""(body of a webhook that is lost, None where it is not known) -> the reconcile that repairs it is asked for."""


class LateEvents:
    """Takes events in at once and records them in a thread, which lives while there is something to do."""

    def __init__(self, inbox: Inbox, record: Record, repair: Repair) -> None:
        self._inbox = inbox
        self._record = record
        self._repair = repair
        self._guard = threading.Lock()
        self._works = False
        self._go_on()  # with what a killed process left

    @property
    def waiting(self) -> bool:
        """Whether an event came before and is not recorded yet."""
        return not self._inbox.is_empty

    def keep(self, body: object, now: float) -> None:
        """Durable when this returns. Raises StoreError when the disk fails."""
        self._inbox.put(Letter(essentials(body), now))
        self._go_on()

    def _go_on(self) -> None:
        with self._guard:
            if not self._works and self.waiting:
                self._works = True
                threading.Thread(target=self._work, name="late-events", daemon=True).start()

    def _work(self) -> None:
        try:
            self._until_empty()
        except Exception:
            # The thread's outermost boundary: without it the inbox would stand still until a restart.
            log.exception("webhooks wait in the inbox until the next one comes")
            with self._guard:
                self._works = False

    def _until_empty(self) -> None:
        while True:
            try:
                done = self._inbox.empty(self._take, lambda: self._repair(None))
                if done:
                    log.info("%d webhooks that came while the database was being written are recorded", done)
            except (StoreError, OSError) as error:
                log.warning("webhooks wait in the inbox, again in %.0f s: %s", RETRY_SECONDS, error)
                time.sleep(RETRY_SECONDS)
            with self._guard:
                if not self.waiting:
                    self._works = False
                    return

    def _take(self, letter: Letter) -> None:
        try:
            self._record(letter.body, letter.at)
        except StoreError:
            raise
        except Exception:
            # Told at once, it would have been answered 4xx or 500 and never repeated: it must not hold up the others.
            log.exception("a webhook from the inbox cannot be recorded and is dropped: a reconcile will repair it")
            self._repair(letter.body)
