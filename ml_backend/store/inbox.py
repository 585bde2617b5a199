"""Messages that could not wait for the database: one file each, on disk before `put` returns.

Whoever acknowledges a message must not lose it, and must not wait while another transaction writes. So it is put here,
and taken into the database as soon as that can be written. Files keep the order of arrival in their names.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ml_backend.errors import StoreError
from ml_backend.store.files import locked, sync
from ml_backend.store.jsontext import to_text

log = logging.getLogger(__name__)

FOLDER_NAME = "inbox"
_LETTER = ".json"
_WRITING = ".tmp"
_DAMAGED = ".damaged"


@dataclass(frozen=True)
class Letter:
    """A message and when it came (epoch seconds, our clock)."""

    body: object
    at: float


class Inbox:
    """A folder of letters. Safe for threads and processes: each letter is taken out by one of them."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER_NAME
        self._numbers = itertools.count()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits; costs one look into a folder."""
        return not self._waiting()

    def put(self, letter: Letter) -> None:
        """Keep it; on disk when this returns. Raises StoreError when that fails."""
        name = f"{letter.at:020.6f}-{os.getpid()}-{next(self._numbers):09d}"
        temporary = self._folder / (name + _WRITING)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(to_text({"at": letter.at, "body": letter.body}))
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(self._folder / (name + _LETTER))
            sync(self._folder)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise StoreError(f"nothing can be written below {self._folder}: {error.strerror or error}") from error

    def empty(self, take: Callable[[Letter], None], damaged: Callable[[], None]) -> int:
        """Hand every letter, oldest first, to `take`, and remove it once `take` has returned; how many there were.

        A process killed between the two hands that letter out again. What `take` raises ends it; that letter stays. For
        one that the disk does not give back as it was written `damaged` is called; it is set aside, and holds up no
        other.
        """
        if self.is_empty:
            return 0
        taken = 0
        with locked(self._folder / "lock"):
            for path in self._waiting():
                letter = _read(path)
                if letter is None:
                    damaged()
                    path.rename(path.with_suffix(_DAMAGED))
                    continue
                take(letter)
                path.unlink()
                taken += 1
        return taken

    def _waiting(self) -> list[Path]:
        try:
            return sorted(path for path in self._folder.iterdir() if path.suffix == _LETTER)
        except FileNotFoundError:
            return []


def _read(path: Path) -> Letter | None:
    """None when it is damaged."""
    try:
        found = json.loads(path.read_bytes())
        return Letter(found["body"], float(found["at"]))
    except (ValueError, TypeError, KeyError) as error:
        log.error("the message %s is damaged (%s): set aside", path, error)
        return None
