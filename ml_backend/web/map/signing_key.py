"""The key that session tokens are signed with: one file in Lantern's home, shared by all its processes."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ml_backend.errors import StoreError

FILE_NAME = "map.key"
KEY_BYTES = 32


def signing_key(home: Path) -> bytes:
    """KEY_BYTES random bytes, made at first use and readable by the owner only. Deleting the file ends all sessions.

    Raises StoreError when the file cannot be read or written, or holds something else.
    """
    path = home / FILE_NAME
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise StoreError(f"the key file {path} cannot be used: {error.strerror or error}") from error
    if len(key) != KEY_BYTES:
        raise StoreError(f"the key file {path} is damaged: delete it, a new one is made")
    return key


def _make(path: Path) -> None:
    """Whole or not at all, and by one process only: a link to a finished file fails where there is one already."""
    home = path.parent
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = home / f"{FILE_NAME}.{os.getpid()}.{secrets.token_hex(8)}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
