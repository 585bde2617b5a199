"""Makes the search for similar items ready while a person still reads a card: at 100,000 items the first one would keep
a request waiting for seconds (the model's files are read, then the index is made).
"""

from __future__ import annotations

import logging
import threading

from ml_backend.engine.engine import Engine
from ml_backend.errors import LanternError

log = logging.getLogger(__name__)


class WarmNeighbours:
    """One a process. Safe for threads. What it fails at is left to the request that needs it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._wanted: dict[str, int] = {}
        self._guard = threading.Lock()

    def want(self, uid: str, number: int) -> None:
        """Somebody may soon ask what is similar in the publication with this number. Returns at once."""
        with self._guard:
            if self._wanted.get(uid) == number:
                return
            self._wanted[uid] = number
        threading.Thread(target=self._make, args=(uid, number), name="warm-neighbours", daemon=True).start()

    def _make(self, uid: str, number: int) -> None:
        try:
            with self._engine.working(uid, number) as working:
                if working is not None:
                    working.pool.prepare_search()
        except LanternError as error:
            log.warning("similar items of project %s could not be made ready: %s", uid, error)
        except Exception:  # the thread's outermost boundary: the request will meet it again
            log.exception("similar items of project %s could not be made ready", uid)
