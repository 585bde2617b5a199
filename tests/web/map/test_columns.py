"""Columns: decoded as the page does it, they say what /predict says."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.engine.map_columns import COLUMNS, NO_CLASS

from .conftest import N_TASKS, UID, MapWorld

KINDS = {1: np.uint8, 2: np.uint16, 3: np.uint32, 4: np.float32}


def decode(body: bytes) -> NDArray[np.generic]:
    magic, version, kind, width, zero, n, rest = struct.unpack("<4sBBBBII", body[:16])
    assert (magic, version, zero, rest) == (b"LNTN", 1, 0, 0)
    values = np.frombuffer(body[16:], KINDS[kind])
    assert len(values) == n * width
    return values.reshape(n, width) if width > 1 else values


def column(world: MapWorld, name: str, control: str = "kind") -> NDArray[np.generic]:
    reply = world.client.get(f"/map/{UID}/api/columns/{name}?control={control}", headers=world.headers())
    assert reply.status_code == 200, reply.text
    return decode(reply.data)


def test_every_column_has_every_row(world: MapWorld) -> None:
    for name in COLUMNS:
        assert len(column(world, name)) == N_TASKS


def test_classes_and_scores_are_those_of_the_predictions(world: MapWorld) -> None:
    view = world.engine.view(UID)
    assert view is not None
    ids, named, status = (column(world, name) for name in ("ids", "class", "status"))
    confidence, novelty = column(world, "confidence"), column(world, "novelty")
    for row, (task, prediction) in enumerate(zip(ids.tolist(), view.predictions(ids.tolist()), strict=True)):
        assert prediction.task_id == task
        answers = prediction.answers.get("kind", ())
        if task <= 6:
            assert (named[row], status[row]) == ((task - 1) % 2, 2)
        elif answers:
            assert (["battery", "network"][named[row]], status[row]) == (answers[0][0], 1)
            assert abs(confidence[row] / 255 - answers[0][1]) < 0.01
        else:
            assert named[row] == NO_CLASS
            assert status[row] == (3 if prediction.never_seen else 0)
        assert abs(novelty[row] / 255 - (1 - prediction.scores["novelty"])) < 0.01


def test_a_multiple_control_is_asked_for_choice_by_choice(world: MapWorld) -> None:
    named, status = column(world, "class", "topics/angry"), column(world, "status", "topics/angry")
    assert set(named[:6].tolist()) == {0}
    assert (status[:6] == 2).all()


def test_what_did_not_change_is_not_sent_again(world: MapWorld) -> None:
    path, headers = f"/map/{UID}/api/columns/class", world.headers()
    first = world.client.get(path, headers=headers)
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = world.client.get(path, headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    other = world.client.get(f"{path}?control=topics/short", headers=headers)
    assert other.headers["ETag"] != first.headers["ETag"]
    world.label(1, "battery", annotator="1")
    world.label(7, "battery", annotation_id=700)
    changed = world.client.get(path, headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert decode(changed.data)[6] == 0


def test_gzip_only_where_asked_for(world: MapWorld) -> None:
    path, headers = f"/map/{UID}/api/columns/aleatoric", world.headers()
    plain = world.client.get(path, headers=headers)
    assert "Content-Encoding" not in plain.headers
    zipped = world.client.get(path, headers={**headers, "Accept-Encoding": "gzip"})
    body = gzip.decompress(zipped.data) if "Content-Encoding" in zipped.headers else zipped.data
    assert body == plain.data


@pytest.mark.parametrize("path", ["columns/nonsense", "columns/class?control=nobody", "columns/class?control=topics"])
def test_what_does_not_exist_is_named(world: MapWorld, path: str) -> None:
    reply = world.client.get(f"/map/{UID}/api/{path}", headers=world.headers())
    assert reply.status_code == 400
    assert "there is no column" in reply.get_json()["error"] or "no control" in reply.get_json()["error"]
