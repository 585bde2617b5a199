"""State, marks and what the map shows while a training moves the points."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.engine.layout_files import Frame
from ml_backend.engine.map_colours import OTHER, PALETTE, colours_of
from ml_backend.engine.map_columns import ranks, to_bytes
from ml_backend.engine.map_looks import SETTINGS_KEY, with_colour
from ml_backend.engine.map_watch import Watch
from ml_backend.errors import InputError
from ml_backend.store import layouts, projects, runs

from .conftest import N_TASKS, OTHER_KEY, UID, MapWorld, make_world
from .conftest import OTHER as OTHER_PROJECT
from .test_columns import column


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MapWorld]:
    """A world that tests change."""
    made = make_world(tmp_path_factory.mktemp("changing"))
    yield made
    made.db.close()


def state(world: MapWorld, uid: str = UID, **key: str) -> Any:
    reply = world.client.get(f"/map/{uid}/api/state", headers=world.headers(uid, **key))
    assert reply.status_code == 200, reply.text
    return reply.json


def test_what_the_state_says(world: MapWorld) -> None:
    found = state(world)
    assert (found["project"], found["title"], found["task_kind"]) == (UID, f"Project {UID}", "text")
    assert found["label_studio"] == {"url": "http://label.example:8080", "project": 5}
    assert found["items"] == found["progress"]["tasks"] == N_TASKS
    assert [control["name"] for control in found["controls"]] == ["kind", "topics/angry", "topics/short"]
    kind = found["controls"][0]
    assert [c["name"] for c in kind["classes"]] == ["battery", "network"]
    assert [c["colour"] for c in kind["classes"]] == list(PALETTE[:2])
    assert [c["human"] for c in kind["classes"]] == [3, 3]
    named = np.bincount(column(world, "class")[column(world, "status") == 1], minlength=2)
    assert [c["propagated"] for c in kind["classes"]] == named[:2].tolist()
    assert found["progress"]["labelled"] == 6
    assert 0 < found["progress"]["covered_mass"] <= 1
    accuracy = found["progress"]["accuracy"]
    assert 0 <= accuracy["low"] <= accuracy["estimate"] <= accuracy["high"] <= 1
    assert accuracy["labels"] > 0
    assert found["training"]["status"] == "idle"
    assert found["training"]["reason_disabled"] is None
    assert 1 <= found["used_components"] <= found["components"]
    assert found["outbox"] == {"waiting": 0, "failed": 0, "sent": 0, "needs": []}


def test_a_project_without_a_model_has_a_state(world: MapWorld) -> None:
    found = state(world, OTHER_PROJECT, key=OTHER_KEY)
    assert (found["items"], found["controls"]) == (0, [])
    assert "no model yet" in found["training"]["reason_disabled"]
    headers = world.headers(OTHER_PROJECT, OTHER_KEY)
    assert world.client.get(f"/map/{OTHER_PROJECT}/api/columns/class", headers=headers).status_code == 409


def test_a_label_changes_versions_and_counts(changing: MapWorld) -> None:
    before = state(changing)
    changing.label(9, "battery")
    after = state(changing)
    assert after["versions"]["labels"] == before["versions"]["labels"] + 1
    assert after["versions"]["rows"] == before["versions"]["rows"]
    assert after["progress"]["labelled"] == before["progress"]["labelled"] + 1
    assert after["controls"][0]["classes"][0]["human"] == before["controls"][0]["classes"][0]["human"] + 1


def test_set_aside_tasks_have_their_status(changing: MapWorld) -> None:
    changing.label(30, "battery")
    assert column(changing, "status")[29] == 2
    changing.skip(40)
    assert column(changing, "status")[39] == 4
    assert column(changing, "status")[29] == 2


def test_a_skip_in_label_studio_is_told_to_open_maps_and_so_is_taking_it_back(changing: MapWorld) -> None:
    before = state(changing)["versions"]
    changing.skip(41)
    skipped = state(changing)["versions"]
    assert skipped["labels"] > before["labels"]
    assert skipped["marks"] != before["marks"]
    changing.skip(41)
    assert state(changing)["versions"] == skipped
    changing.tell("ANNOTATIONS_DELETED", annotations=[{"id": 9041}])
    assert state(changing)["versions"]["marks"] == before["marks"]
    assert column(changing, "status")[40] != 4


def test_a_frame_moves_points_and_colours(changing: MapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    view = changing.engine.view(UID)
    assert view is not None
    known = view.snapshot.description.responsibilities
    xy = np.random.default_rng(0).uniform(-1, 1, (N_TASKS, 2)).astype(np.float32)
    turned = np.roll(np.arange(N_TASKS), 1)  # each item takes the components of the one before it, of the other kind
    moved = SparseResponsibilities(
        known.indices[turned], known.log_r[turned], known.log_z_soft[turned], known.n_components, known.temperature
    )
    before = {name: column(changing, name) for name in ("class", "component", "xy")}
    monkeypatch.setattr(changing.maps.reading.layouts, "frame", lambda _uid: Frame(3, "d", 1, xy, moved))
    np.testing.assert_array_equal(column(changing, "xy"), xy)
    np.testing.assert_array_equal(column(changing, "component"), np.roll(before["component"], 1))
    shown = changing.client.get(f"/map/{UID}/api/columns/xy", headers=changing.headers())
    assert shown.headers["X-Layout-Version"] == "1.3"
    monkeypatch.setattr(changing.maps.reading.layouts, "frame", lambda _uid: Frame(4, "d", 1, xy[:5], moved))
    np.testing.assert_array_equal(column(changing, "class"), before["class"])


def test_the_worker_hears_of_watchers_only_while_it_trains(changing: MapWorld) -> None:
    def watched() -> bool:
        with changing.db.read() as session:
            return layouts.watched(session, projects.ensure(session, UID), time.time())

    state(changing)
    assert not watched()
    with changing.db.write() as session:
        run = runs.create(session, projects.ensure(session, UID), {"epochs": 3}, time.time())
    found = state(changing)
    assert found["training"] | {"reason_disabled": None} == {
        "status": "queued", "run": run.id, "epoch": 0, "epochs": 3, "phase": None, "reason_disabled": None
    }  # fmt: skip
    assert watched()
    Watch(changing.db).keep(UID, training=True)
    with changing.db.write() as session:
        runs.fail(session, run.id, "test", time.time())


def test_epochs_are_told_once(changing: MapWorld) -> None:
    from ml_backend.engine.map_state import epochs_of

    with changing.db.write() as session:
        run = runs.create(session, projects.ensure(session, UID), {"epochs": 2}, time.time())
        runs.start(session, run, time.time())
        runs.epoch(session, run.id, {"epoch": 1, "losses": {"kl": 1.0}}, phase="prior")
    with changing.db.read() as session:
        newest = runs.newest(session, projects.ensure(session, UID))
    assert newest is not None
    assert epochs_of(newest) == [
        {"run": run.id, "epochs": 2, "phase": "prior", "accuracy": None, "epoch": 1, "losses": {"kl": 1.0}}
    ]
    with changing.db.write() as session:
        runs.fail(session, run.id, "test", time.time())


def test_colours_follow_the_order_of_the_classes_and_a_choice_wins() -> None:
    classes = [f"c{i}" for i in range(30)]
    plain = colours_of("kind", classes, {}, binary=False)
    assert plain[:24] == list(PALETTE)
    assert set(plain[24:]) == {OTHER}
    assert len(set(PALETTE)) == len(PALETTE)
    settings = with_colour({"source": 1}, "kind", "c3", "#ABCDEF")
    settings = with_colour(settings, "other", "c3", "#000000")
    assert settings["source"] == 1
    chosen = colours_of("kind", classes, settings, binary=False)
    assert chosen[3] == "#abcdef"
    assert chosen[:3] == plain[:3]
    damaged: list[object] = [3, {"kind": []}, {"kind": {"c0": 3}}, {"kind": {"c0": {"colour": "url(x)"}}}]
    for broken in [{SETTINGS_KEY: one} for one in damaged]:
        assert colours_of("kind", classes, broken, binary=False) == plain
    for wrong in ("red", "#12345", "#12345g", "#0072b2;", ""):
        with pytest.raises(InputError):
            with_colour({}, "kind", "c3", wrong)


def test_ranks_share_the_middle_of_ties() -> None:
    assert ranks(np.array([3.0, 1.0, 2.0])).tolist() == [1.0, 0.0, 0.5]
    assert ranks(np.array([5.0, 5.0, 5.0])).tolist() == [0.5, 0.5, 0.5]
    assert ranks(np.array([1.0, 2.0, 2.0, 9.0, 9.0])).tolist() == [0.0, 0.375, 0.375, 0.875, 0.875]
    assert ranks(np.array([7.0])).tolist() == [0.0]
    assert ranks(np.empty(0)).tolist() == []


def test_scores_travel_as_bytes() -> None:
    assert to_bytes(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])).tolist() == [0, 0, 128, 255, 255]
