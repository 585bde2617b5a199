"""Cards, what is similar, rankings and the queue: they say what the predictions say, in words too."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from ml_backend.data.index import NeighbourIndex
from ml_backend.label_studio.service import LanternService
from ml_backend.web.app import create_app

from .conftest import N_TASKS, UID, MapWorld


def get(world: MapWorld, path: str, status: int = 200) -> Any:
    reply = world.client.get(f"/map/{UID}/api/{path}", headers=world.headers())
    assert reply.status_code == status, reply.text
    return reply.json


def post(world: MapWorld, path: str, body: object, status: int = 200) -> Any:
    reply = world.client.post(f"/map/{UID}/api/{path}", json=body, headers=world.headers())
    assert reply.status_code == status, reply.text
    return reply.json


def row_of(world: MapWorld, task: int) -> int:
    return int(get(world, f"tasks/{task}")["row"])


def test_cards_say_what_the_predictions_say(world: MapWorld) -> None:
    view = world.engine.view(UID)
    assert view is not None
    cards = post(world, "items", {"rows": list(range(N_TASKS)), "control": "kind"})["items"]
    assert [card["row"] for card in cards] == list(range(N_TASKS))
    for card, prediction in zip(cards, view.predictions([card["task"] for card in cards]), strict=True):
        assert card["kind"] == "text"
        assert card["text"].startswith(f"{card['task'] - 1}: ")
        assert card["reason"] == prediction.reason
        answers = prediction.answers.get("kind", ())
        assert card["predicted"] == (answers[0][0] if answers else None)
        if answers:
            assert card["top"][0][0] == answers[0][0]
            assert card["top"][0][1] == pytest.approx(answers[0][1], abs=0.01)
            assert sum(p for _, p in card["top"]) == pytest.approx(1.0, abs=0.01)
        else:
            assert card["top"] == []
        assert (card["label"], card["annotators"]) == (
            (["battery", "network"][(card["task"] - 1) % 2], ["1"]) if card["task"] <= 6 else (None, [])
        )


def test_one_card_says_more(world: MapWorld) -> None:
    card = get(world, f"items/{row_of(world, 20)}?control=kind")
    assert len(card["words"]) == 6
    assert all(sentence.endswith(".") for sentence in card["words"])
    near = card["nearest_labelled"]
    assert 1 <= near["task"] <= 6
    assert near["label"] == ["battery", "network"][(near["task"] - 1) % 2]
    assert near["text"].startswith(f"{near['task'] - 1}: ")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("items", {"rows": [N_TASKS]}),
        ("items", {"rows": [-1]}),
        ("items", {"rows": [0] * 201}),
        ("items", {"rows": ["0"]}),
        ("items", {"rows": [True]}),
        ("items", {"rows": [0.5]}),
        ("items", {"rows": None}),
        ("items", {"rows": [10**30]}),
        ("items", {"rows": [0], "control": 3}),
        ("items", {"rows": [0], "control": "nobody"}),
        ("items", {}),
    ],
)
def test_hostile_bodies(world: MapWorld, path: str, body: object) -> None:
    assert "error" in post(world, path, body, 400)


@pytest.mark.parametrize(
    "path",
    [
        f"items/{N_TASKS}",
        f"items/{10**30}",
        f"items/{N_TASKS}/similar",
        "items/0/similar?k=0",
        "items/0/similar?k=1e3",
        "items/0/similar?k=99999999999999999999",
        "items/0/similar?k=%C2%B2",
        f"items/{N_TASKS}/thumbnail",
        "items/0/thumbnail",
        "ranked?control=kind",
        "ranked?control=kind&class=nothing",
        "ranked?control=kind&class=battery&limit=-1",
        "queue?limit=x",
        "search?q=a&mode=sql",
        "search?q=a&limit=0",
    ],
)
def test_hostile_paths(world: MapWorld, path: str) -> None:
    assert "error" in get(world, path, 400)


def test_a_task_that_is_not_on_the_map(world: MapWorld) -> None:
    for task in (0, 999, 10**40):
        get(world, f"tasks/{task}", 404)


def test_similar_items_share_words(world: MapWorld) -> None:
    found = get(world, f"items/{row_of(world, 20)}/similar?k=10")
    assert len(found["rows"]) == 10
    assert row_of(world, 20) not in found["rows"]
    assert found["similarities"] == sorted(found["similarities"], reverse=True)
    view = world.engine.view(UID)
    assert view is not None
    same = [int(view.snapshot.task_ids[row]) % 2 == 20 % 2 for row in found["rows"]]
    assert np.mean(same) >= 0.8


def test_who_looks_at_a_card_need_not_wait_for_what_is_similar(
    world: MapWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    ready, make = threading.Event(), NeighbourIndex.__init__

    def watched(*arguments: Any) -> None:
        made.append(threading.current_thread().name)
        make(*arguments)
        ready.set()

    monkeypatch.setattr(NeighbourIndex, "__init__", watched)
    world.engine.forget(UID)
    fresh = create_app(world.settings, LanternService(world.settings, world.db, world.engine), maps=world.maps)
    card = fresh.test_client().get(f"/map/{UID}/api/items/3", headers=world.headers())
    assert card.status_code == 200
    assert ready.wait(60)
    assert len(get(world, "items/3/similar?k=5")["rows"]) == 5
    assert made == ["warm-neighbours"]


def test_ranked_by_class(world: MapWorld) -> None:
    everything = get(world, "ranked?control=kind&class=network&limit=60")
    assert everything["p"] == sorted(everything["p"], reverse=True)
    assert sorted(everything["rows"]) == list(range(N_TASKS))
    unlabelled = get(world, "ranked?control=kind&class=network&limit=60&unlabelled=1")
    labelled = {row_of(world, task) for task in range(1, 7)}
    assert set(unlabelled["rows"]) == set(range(N_TASKS)) - labelled
    other = get(world, "ranked?control=kind&class=battery&limit=60")
    by_row = dict(zip(other["rows"], other["p"], strict=True))
    for row, p in zip(everything["rows"], everything["p"], strict=True):
        assert p + by_row[row] == pytest.approx(1.0, abs=0.01)


def test_the_queue_is_label_studios_order(world: MapWorld) -> None:
    view = world.engine.view(UID)
    assert view is not None
    items = get(world, "queue?limit=20")["items"]
    expected = sorted(view.predictions(list(range(7, N_TASKS + 1))), key=lambda p: p.score)[:20]
    assert [item["task"] for item in items] == [p.task_id for p in expected]
    assert [item["reason"] for item in items] == [p.reason for p in expected]
