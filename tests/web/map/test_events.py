"""Events: what changes is told, what was missed is told again, and streams leave room for Label Studio."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from ml_backend.store import projects
from ml_backend.store.database import Database
from ml_backend.web.map.events import places
from ml_backend.web.map.hub import KEPT_EVENTS, Event, Hub, Pulse, Watcher

from ...server_process import eventually, running_server
from .conftest import KEY, OTHER, OTHER_KEY, UID, MapWorld, make_world


class Source:
    """What a hub looks at; a test changes it."""

    def __init__(self) -> None:
        self.pulse = Pulse({"versions": {"labels": 1}}, None, ())
        self.looks = 0

    def __call__(self, _uid: str) -> Pulse:
        self.looks += 1
        return self.pulse


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setattr("ml_backend.web.map.hub.LOOK_SECONDS", 0.01)
    return Source()


def next_events(watcher: Watcher, number: int, n: int = 1) -> list[Event]:
    found: list[Event] = []

    def enough() -> bool:
        found.extend(watcher.hub.since(watcher.uid, number, 0.05))
        return len(found) >= n

    eventually(enough)
    return found


def test_a_write_through_this_process_is_told_at_once(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_backend.web.map.hub.LOOK_SECONDS", 3600.0)
    hub = Hub(source, 4)
    watcher = hub.enter("5")
    assert watcher is not None
    first = next_events(watcher, 0)
    source.pulse = Pulse({"versions": {"labels": 2}}, None, ())
    hub.look_soon()
    told = next_events(watcher, first[-1].number)
    assert [json.loads(e.data) for e in told] == [{"labels": 2}]
    hub.leave("5")
    hub.look_soon()


def test_only_changes_are_told(source: Source) -> None:
    hub = Hub(source, 4)
    watcher = hub.enter("5")
    assert watcher is not None
    number, first = hub.begin("5", None)
    first = first or next_events(watcher, number)
    assert [(e.name, json.loads(e.data)) for e in first] == [("versions", {"labels": 1})]
    seen = source.looks
    eventually(lambda: source.looks > seen + 2)
    assert hub.since("5", first[-1].number, 0.0) == []
    source.pulse = Pulse({"versions": {"labels": 2}}, 7, [{"epoch": 1}])
    told = next_events(watcher, first[-1].number, 2)
    assert [e.name for e in told] == ["epoch", "versions"]
    source.pulse = Pulse({"versions": {"labels": 2}}, 7, [{"epoch": 1}, {"epoch": 2}])
    assert [json.loads(e.data) for e in next_events(watcher, told[-1].number)] == [{"epoch": 2}]
    seen = source.looks
    eventually(lambda: source.looks > seen + 2)
    assert hub.since("5", told[-1].number + 1, 0.0) == []
    watcher.leave()


def test_it_resumes_where_it_was_and_starts_anew_where_it_cannot(source: Source) -> None:
    hub = Hub(source, 4)
    watcher = hub.enter("5")
    assert watcher is not None
    next_events(watcher, 0)
    for labels in (2, 3):
        source.pulse = Pulse({"versions": {"labels": labels}})
        next_events(watcher, labels - 1)
    name = hub.name
    missed = hub.begin("5", f"{name}-1")[1]
    assert [json.loads(e.data)["labels"] for e in missed] == [2, 3]
    assert hub.begin("5", f"{name}-3")[1] == []
    for unknown in ("", "other-1", f"{name}-99", f"{name}-x", f"{name}--1", f"{name}-{'9' * 5_000}", "\x00", "²-²"):
        assert [json.loads(e.data) for e in hub.begin("5", unknown)[1]] == [{"labels": 3}]
    watcher.leave()
    eventually(lambda: hub.name != name)
    again = hub.enter("5")
    assert again is not None
    number, told = hub.begin("5", f"{name}-3")
    told = told or next_events(again, number)
    assert [json.loads(e.data) for e in told] == [{"labels": 3}]
    again.leave()


def test_what_is_too_long_ago_is_told_as_it_is_now(source: Source) -> None:
    hub = Hub(source, 4)
    watcher = hub.enter("5")
    assert watcher is not None
    next_events(watcher, 0)
    source.pulse = Pulse({"versions": {"labels": 1}}, 7, [{"epoch": n} for n in range(KEPT_EVENTS + 5)])
    next_events(watcher, KEPT_EVENTS)
    told = hub.begin("5", f"{hub.name}-1")[1]
    assert len(told) == KEPT_EVENTS + 6
    watcher.leave()


def test_places_are_given_back(source: Source) -> None:
    hub = Hub(source, 2)
    one, two = hub.enter("5"), hub.enter("6")
    assert one is not None
    assert two is not None
    assert hub.enter("5") is None
    one.leave()
    one.leave()
    three = hub.enter("6")
    assert three is not None
    assert hub.enter("6") is None
    for watcher in (two, three):
        watcher.leave()
    eventually(lambda: "map-events" not in {thread.name for thread in threading.enumerate()})


def test_half_of_the_threads_stay_free() -> None:
    assert [places(n) for n in (1, 2, 8, 9)] == [0, 1, 4, 4]


def test_beyond_the_last_place_the_page_is_told_to_poll(world: MapWorld) -> None:
    path, headers = f"/map/{UID}/api/events", world.headers()
    streams = [world.client.get(path, headers=headers) for _ in range(places(world.settings.threads))]
    assert {stream.status_code for stream in streams} == {200}
    assert streams[0].headers["X-Accel-Buffering"] == "no"
    refused = world.client.get(path, headers=headers)
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    streams[0].close()
    again = world.client.get(path, headers=headers)
    assert again.status_code == 200
    for stream in (*streams[1:], again):
        stream.close()


def test_a_stream_ends_when_its_key_is_revoked(world: MapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_backend.web.map.events.COMMENT_SECONDS", 0.0)
    stream = world.client.get(f"/map/{OTHER}/api/events", headers=world.headers(OTHER, OTHER_KEY))
    parts = iter(stream.iter_encoded())
    assert [next(parts) for _ in range(2)][1].startswith((b": still here", b"id: "))
    with world.db.write() as session:
        project = projects.ensure(session, OTHER)
        projects.configure(session, project, connection={"connected": True})
    assert sum(1 for _ in parts) < 20  # ends by itself
    stream.close()


def read_events(reply: requests.Response) -> Iterator[tuple[str, str, dict[str, object]]]:
    """(id, name, data)"""
    event: dict[str, str] = {}
    for line in reply.iter_lines(chunk_size=1, decode_unicode=True):
        if line and not line.startswith(":"):
            key, _, value = line.partition(": ")
            event[key] = value
        elif not line and event:
            yield event["id"], event["event"], json.loads(event["data"])
            event = {}


@pytest.mark.slow
def test_a_served_stream_tells_labels_and_ends_with_the_server(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = make_world(home)
    made.db.close()
    with running_server(home, {"START_TRAINING_EACH_N_UPDATES": "1000"}) as server:
        api = f"{server.url}/map/{UID}/api"
        token = requests.post(f"{api}/session", json={"key": KEY}, timeout=10).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        stream = requests.get(f"{api}/events", headers=headers, stream=True, timeout=30)
        events = read_events(stream)
        first = next(data for _, name, data in events if name == "versions")
        made.db = Database.open(home)
        made.label(20, "network")
        last_id, after = next((id, d) for id, name, d in events if name == "versions" and d != first)
        assert after["labels"] == int(str(first["labels"])) + 1
        stream.close()
        resumed = requests.get(f"{api}/events", headers={**headers, "Last-Event-ID": last_id}, stream=True, timeout=30)
        for _ in range(6):  # hung up at once, each leaves its place well before the next comment
            requests.get(f"{api}/events", headers=headers, stream=True, timeout=30).close()
            time.sleep(0.6)
        assert requests.get(f"{api}/state", headers=headers, timeout=10).status_code == 200
        assert server.stop() == 0
        list(resumed.iter_lines())  # raises if the stream was cut off by a kill instead of ended
        made.db.close()
