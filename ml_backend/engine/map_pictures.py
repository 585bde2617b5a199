"""Thumbnails: from the pool's own pixels where the model reads pictures, else from the task's media, fetched in the
background, so that no request waits for another server.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ml_backend.data.media import fetch_media
from ml_backend.data.pictures import thumbnail, to_png
from ml_backend.data.task_text import image_address
from ml_backend.engine.engine import Engine
from ml_backend.engine.kept import Kept
from ml_backend.engine.snapshot import NO_TASK
from ml_backend.engine.view import ProjectView
from ml_backend.errors import EncodingError, InputError
from ml_backend.store import projects, tasks

log = logging.getLogger(__name__)

SIDE = 96
"""Pixels of a fetched picture's thumbnail."""
ENLARGED_TO = 64
"""Small pictures of a pool are enlarged by whole factors to about so many pixels."""
KEPT_BYTES = 32 * 2**20
FAILED_SECONDS = 60.0
"""How long a picture that could not be fetched is not tried again."""
WAITING_ROOM = 256
FETCHERS = 2

Make = Callable[[], bytes]


class MapPictures:
    """Thumbnails of one process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pixels: Kept[tuple[str, int], NDArray[np.generic] | None] = Kept(4)
        self._background = Background()

    def thumbnail(self, uid: str, view: ProjectView, row: int) -> bytes | None:
        """PNG of a row's picture; None = it is being fetched, ask again. Raises InputError without a picture or for a
        row outside the pool, EncodingError for a picture that cannot be had.
        """
        if not 0 <= row < len(view.snapshot.task_ids):
            raise InputError("there is no such row: the map has moved on, read the state again")
        pixels = self._pixels.get((uid, view.number), lambda: self._pool_pixels(uid, view))
        if pixels is not None and row < len(pixels):
            picture = np.asarray(pixels[row], np.uint8)
            return to_png(picture, scale=max(1, ENLARGED_TO // max(picture.shape[1:])))
        return self._fetched(uid, view, int(view.snapshot.task_ids[row]))

    def _pool_pixels(self, uid: str, view: ProjectView) -> NDArray[np.generic] | None:
        """(N, C, H, W), or None where the model reads something else: then the matrix is not loaded for this."""
        if not any(i.kind == "image" for i in view.schema.inputs):
            return None
        with self._engine.working(uid, view.number) as working:
            x = working.matrix.x if working is not None else None
        return x if x is not None and x.ndim == 4 and x.dtype == np.uint8 else None

    def _fetched(self, uid: str, view: ProjectView, task_id: int) -> bytes | None:
        with self._engine.db.read() as session:
            project = projects.ensure(session, uid)
            found = tasks.by_ids(session, project, [task_id]) if task_id != NO_TASK else []
        address = image_address(view.schema, found[0].data) if found else None
        if address is None:
            raise InputError("this item has no picture")
        fetch = self._engine.readers.fetch_of(project)
        return self._background.get(f"{uid} {address}", lambda: thumbnail(fetch_media(address, fetch), SIDE))


class Background:
    """Makes things in threads of its own, a few at a time, and keeps what they come to."""

    def __init__(self) -> None:
        self._done: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._failed: OrderedDict[str, tuple[float, EncodingError]] = OrderedDict()
        self._waiting: set[str] = set()
        self._queue: queue.Queue[tuple[str, Make]] = queue.Queue(WAITING_ROOM)
        self._lock = threading.Lock()
        self._started = False

    def get(self, key: str, make: Make) -> bytes | None:
        """What `make` came to; None while it is still to be made. Raises the EncodingError that it failed with."""
        with self._lock:
            if key in self._done:
                self._done.move_to_end(key)
                return self._done[key]
            failed = self._failed.get(key)
            if failed is not None and time.monotonic() - failed[0] < FAILED_SECONDS:
                raise failed[1]
            if key not in self._waiting:
                try:
                    self._queue.put_nowait((key, make))
                    self._waiting.add(key)
                except queue.Full:
                    return None  # asked for again, it finds a place
            self._start()
        return None

    def _start(self) -> None:
        if not self._started:
            self._started = True
            for number in range(FETCHERS):
                threading.Thread(target=self._run, name=f"pictures-{number}", daemon=True).start()

    def _run(self) -> None:
        while True:
            key, make = self._queue.get()
            try:
                made, error = make(), None
            except EncodingError as failure:
                made, error = b"", failure
            except Exception:  # the thread must go on: others wait for it
                log.exception("a picture could not be made")
                made, error = b"", EncodingError("its picture cannot be fetched now")
            with self._lock:
                self._waiting.discard(key)
                self._keep(key, made, error)

    def _keep(self, key: str, made: bytes, error: EncodingError | None) -> None:
        if error is not None:
            self._failed[key] = (time.monotonic(), error)
            self._failed.move_to_end(key)
            while len(self._failed) > WAITING_ROOM:
                self._failed.popitem(last=False)
            return
        self._failed.pop(key, None)
        self._bytes += len(made) - len(self._done.pop(key, b""))
        self._done[key] = made
        while self._bytes > KEPT_BYTES and len(self._done) > 1:
            self._bytes -= len(self._done.popitem(last=False)[1])
