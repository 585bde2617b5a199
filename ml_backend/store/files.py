"""Durable file operations: a rename is atomic, but only fsync of the file before it and of the folder after it make it
last.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ml_backend.errors import InputError


def check_writable(path: Path, *inputs: Path) -> None:
    """Before the work whose result goes there, not after it. inputs: files that are read. Raises InputError."""
    try:
        wrong = _why_not_writable(path, inputs)
    except OSError as error:  # a folder above it that may not be looked into, a name that is too long
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
    if wrong:
        raise InputError(f"{path}: {wrong}")


def _why_not_writable(path: Path, inputs: Sequence[Path]) -> str | None:
    folder = path.absolute().parent
    if path.exists() and any(path.samefile(read) for read in inputs if read.exists()):
        return "is read as well; name another file to write"
    if path.is_dir():
        return "is a folder; name a file to write"
    if not folder.is_dir():
        return "its folder does not exist"
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        return "may not be written"
    return None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds a lock among processes while the block runs; the system frees it when the process dies. The file stays."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def try_lock(path: Path) -> int | None:
    """Locks a file or folder until the returned descriptor is closed (or the process dies); None when another holds
    it.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def sync(path: Path) -> None:
    """Puts a file's bytes, or a folder's entries, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_synced(path: Path, content: bytes) -> None:
    """Writes a file and puts it on the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
