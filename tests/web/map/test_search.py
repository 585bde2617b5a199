"""Search: what fits is found, and no pattern holds the server."""

from __future__ import annotations

import random
import time
from typing import Any
from urllib.parse import quote

import pytest

from ml_backend.engine import map_search, map_texts
from ml_backend.engine.map_search import containing, matching
from ml_backend.engine.map_texts import Texts
from ml_backend.errors import InputError
from ml_backend.store import projects, tasks

from .conftest import UID, MapWorld


def search(world: MapWorld, q: str, more: str = "", status: int = 200) -> Any:
    reply = world.client.get(f"/map/{UID}/api/search?q={quote(q)}{more}", headers=world.headers())
    assert reply.status_code == status, reply.text
    return reply.json


def texts_of(*lines: str) -> Texts:
    return Texts.of(dict(enumerate(lines, start=1)))


def tasks_of(world: MapWorld, found: Any) -> set[int]:
    view = world.engine.view(UID)
    assert view is not None
    return {int(view.snapshot.task_ids[row]) for row in found["rows"]}


def test_a_part_of_the_text_in_any_case(world: MapWorld) -> None:
    assert tasks_of(world, search(world, "7:")) == {8, 18, 28, 38, 48, 58}
    assert search(world, "WIFI") == search(world, "wifi")
    assert search(world, "")["total"] == search(world, "  ")["total"] == 0
    assert search(world, "no such words")["rows"] == []


def test_a_regular_expression_sees_one_task_at_a_time(world: MapWorld) -> None:
    assert tasks_of(world, search(world, r"^1\d: ", "&mode=regex")) == set(range(11, 21))
    assert search(world, r"\w+\s*$", "&mode=regex")["total"] == 60
    assert search(world, r"3: [^x]*\b4: ", "&mode=regex")["total"] == 0


def test_the_list_is_cut_and_says_so(world: MapWorld) -> None:
    found = search(world, ":", "&limit=10")
    assert (len(found["rows"]), found["total"], found["cut"]) == (10, 60, True)
    assert search(world, ":")["cut"] is False


@pytest.mark.parametrize(
    "pattern", ["(", "a{2,1}", "*a", "(?R)", "(a)(?1)", "(?P>x)", "(?P<x>a(?P&x)?)", r"(?<=a", "[", "\\"]
)
def test_wrong_patterns_are_named(world: MapWorld, pattern: str) -> None:
    assert "pattern" in search(world, pattern, "&mode=regex", 400)["error"]


def test_too_long_a_query(world: MapWorld) -> None:
    search(world, "a" * (map_search.LONGEST_QUERY + 1), status=400)


@pytest.mark.parametrize("pattern", ["(?:a|a?)+$b", "(?:a{1,99}){1,99}b", r"(?:(?=(a*))a?)*\1b"])
def test_no_pattern_takes_for_ever(monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    monkeypatch.setattr(map_search, "SEARCH_SECONDS", 0.2)
    texts = texts_of(*["a" * 3000 + "xyxyaab"] * 50)
    with pytest.raises(InputError, match="longer than"):
        matching(texts, pattern)


@pytest.mark.parametrize("pattern", ["(?:(?:(?:.?){100}){100}){2}z", "(?:a{1,999}){,999}b", "(?:a{101,}){100}"])
def test_no_pattern_takes_gigabytes(pattern: str) -> None:
    with pytest.raises(InputError, match="multiply to more than 10,000"):
        matching(texts_of("a"), pattern)


def test_usual_counts_are_taken() -> None:
    texts = texts_of("123e4567-e89b-12d3-a456-426614174000 of 10.0.13.7", "x")
    for pattern in (r"[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}", r"(?:\d{1,3}\.){3}\d{1,3}", "x{1}|o{0,1}f"):
        assert 1 in matching(texts, pattern).tolist()


def test_hits_lie_within_one_text() -> None:
    texts = texts_of("abc", "", "cab", "b")
    assert containing(texts, "b").tolist() == [1, 3, 4]
    assert containing(texts, "c").tolist() == [1, 3]
    assert containing(texts, "cc").tolist() == []
    assert matching(texts, "^c").tolist() == [3]
    assert matching(texts, "^$").tolist() == [2]
    assert matching(texts, r"c\s*c").tolist() == []
    assert matching(texts, "").tolist() == [1, 2, 3, 4]


def test_changed_new_and_deleted_tasks_alone_are_read_again(world: MapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    before = search(world, "entirely new words")
    read: list[int] = []
    rows = map_texts._rows

    def watched(*arguments: Any) -> Any:
        for task_id, text in rows(*arguments):
            read.append(task_id)
            yield task_id, text

    monkeypatch.setattr(map_texts, "_rows", watched)
    with world.db.write() as session:
        project = projects.ensure(session, UID)
        said = [(60, {"text": "Entirely\nnew  words"}), (99, {"text": "entirely new words, not on the map"})]
        changed = tasks.upsert_many(session, project, said) + tasks.delete_many(session, project, [58])
        projects.touch_data(session, project, changed, time.time())
    assert (before["total"], search(world, "entirely new words")["total"]) == (0, 1)
    assert search(world, "57:")["total"] == 0
    assert sorted(read) == [60, 99]


def test_texts_that_changed_one_by_one_are_as_if_read_at_once() -> None:
    chance = random.Random(0)
    said = {task: "abc" * chance.randrange(3) for task in range(1, 40)}
    texts = Texts.of(dict(said))
    for _ in range(200):
        news = {chance.randrange(50): chance.choice([None, "", "b", "new text"]) for _ in range(chance.randrange(4))}
        said |= {task: text for task, text in news.items() if text is not None}
        said = {task: text for task, text in said.items() if news.get(task, "") is not None}
        texts, whole = texts.changed(news), Texts.of(dict(sorted(said.items())))
        assert texts.task_ids.tolist() == whole.task_ids.tolist()
        assert texts.joined == whole.joined
        assert texts.ends.tolist() == whole.ends.tolist()
    assert Texts.of({1: "a"}).changed({1: None}).changed({7: "b"}).joined == "b"
