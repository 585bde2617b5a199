"""Thumbnails: from the pool's own pixels, or fetched in the background; no request waits for another server."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ml_backend.data.pictures import MOST_PIXELS, thumbnail, to_data_uri, to_png
from ml_backend.engine import map_pictures
from ml_backend.engine.map_pictures import Background
from ml_backend.errors import EncodingError
from ml_backend.store import projects, tasks

from ...server_process import eventually
from .conftest import UID, MapWorld

IMAGES = """
<View>
  <Image name="image" value="$image"/>
  <Choices name="kind" toName="image"><Choice value="a"/><Choice value="b"/></Choices>
</View>
"""


def digits(n: int) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    pictures = np.zeros((n, 1, 12, 12), np.uint8)
    for i in range(n):
        pictures[i, 0, (i % 2) * 6 : (i % 2) * 6 + 5] = rng.integers(150, 255)
    return list(pictures)


def read(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(png)))


def picture_world(home: Path, pictures: Sequence[NDArray[np.uint8]], **extra: object) -> MapWorld:
    world = MapWorld(home)
    with world.db.write() as session:
        project = projects.ensure(session, UID)
        projects.configure(session, project, label_config=IMAGES, extra_params=extra)
        rows = [
            (i + 1, {"image": to_data_uri(p), "embedding": [float(i % 2), 1.0, i / 100]})
            for i, p in enumerate(pictures)
        ]
        projects.touch_data(session, project, tasks.upsert_many(session, project, rows), time.time())
    world.work()
    return world


def fetch(world: MapWorld, row: int) -> tuple[int, bytes]:
    token = world.client.post(f"/map/{UID}/api/session").get_json()["token"]
    reply = world.client.get(f"/map/{UID}/api/items/{row}/thumbnail", headers={"Authorization": f"Bearer {token}"})
    return reply.status_code, reply.data


@pytest.mark.slow
def test_pixels_come_from_the_pool(tmp_path: Path) -> None:
    pictures = digits(40)
    world = picture_world(tmp_path / "home", pictures, encoder="pixels")
    with world.db.write() as session:  # the tasks' own pictures are gone: nothing is fetched
        project = projects.ensure(session, UID)
        tasks.upsert_many(session, project, [(i, {"image": "data:,gone"}) for i in range(1, 41)])
    view = world.engine.view(UID)
    assert view is not None
    for row in (0, 1, 17):
        status, png = fetch(world, row)
        assert status == 200
        shown = read(png)
        assert shown.shape == (60, 60)
        np.testing.assert_array_equal(shown[::5, ::5], pictures[int(view.snapshot.task_ids[row]) - 1][0])
    world.db.close()


def test_other_pictures_are_fetched_in_the_background(tmp_path: Path) -> None:
    pictures = [np.full((3, 300, 200), 40 * i, np.uint8) for i in range(6)]
    world = picture_world(tmp_path / "home", pictures, encoder="vector", field="embedding")
    assert fetch(world, 2)[0] == 503
    eventually(lambda: fetch(world, 2)[0] == 200)
    shown = read(fetch(world, 2)[1])
    assert max(shown.shape[:2]) == map_pictures.SIDE
    view = world.engine.view(UID)
    assert view is not None
    assert abs(int(shown[5, 5, 0]) - 40 * (int(view.snapshot.task_ids[2]) - 1)) <= 1
    world.db.close()


def test_what_cannot_be_had_is_said_and_not_tried_at_once_again() -> None:
    background, tries = Background(), []

    def fails() -> bytes:
        tries.append(1)
        raise EncodingError("it is gone")

    assert background.get("x", fails) is None
    eventually(lambda: _raises(background, fails))
    assert _raises(background, fails)
    assert len(tries) == 1


def test_a_full_waiting_room_keeps_nobody_waiting() -> None:
    background, gate = Background(), threading.Event()

    def slow() -> bytes:
        gate.wait(30)
        return b"x"

    for n in range(map_pictures.WAITING_ROOM + 10):
        assert background.get(str(n), slow) is None
    gate.set()
    eventually(lambda: background.get("0", slow) == b"x")


def _raises(background: Background, make: map_pictures.Make) -> bool:
    try:
        background.get("x", make)
    except EncodingError:
        return True
    return False


def test_thumbnails_of_odd_pictures() -> None:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"):
        stream = io.BytesIO()
        Image.new(mode, (300, 100)).save(stream, "TIFF" if mode in ("CMYK", "I;16") else "PNG")
        assert read(thumbnail(stream.getvalue(), 96)).shape[:2] == (32, 96)
    for content in (b"", b"GIF89a", b"<svg/>", to_png(np.zeros((1, 8, 8), np.uint8))[:30]):
        with pytest.raises(EncodingError):
            thumbnail(content, 96)


def test_a_bomb_is_not_unpacked() -> None:
    side = int(MOST_PIXELS**0.5) + 1
    stream = io.BytesIO()
    Image.new("1", (side, side)).save(stream, "PNG")
    with pytest.raises(EncodingError):
        thumbnail(stream.getvalue(), 96)
