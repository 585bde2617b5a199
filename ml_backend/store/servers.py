"""Which `lantern serve` run on a data folder. Each keeps a file in it locked; the system frees that when it dies."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ml_backend.errors import StoreError
from ml_backend.store.files import locked, try_lock


@contextmanager
def registered(home: Path, name: str) -> Iterator[list[str]]:
    """Tells servers that start later of this one, by its name, until the block ends; yields the names of those that
    run already. Raises StoreError when the folder cannot be used.
    """
    folder = home / "servers"
    mine = folder / uuid.uuid4().hex
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        with locked(folder / ".lock"):
            others = _running(folder)
            mine.write_text(name, "utf-8")
            descriptor = try_lock(mine)
    except OSError as error:
        raise StoreError(f"the folder {folder} cannot be used ({error.strerror or error})") from error
    try:
        yield others
    finally:
        mine.unlink(missing_ok=True)
        if descriptor is not None:
            os.close(descriptor)


def _running(folder: Path) -> list[str]:
    """Names of servers that run, in order; what the others left behind goes."""
    names = []
    for path in folder.glob("[!.]*"):
        descriptor = try_lock(path)
        if descriptor is None:
            names.append(path.read_text("utf-8"))
        else:
            path.unlink()
            os.close(descriptor)
    return sorted(names)
