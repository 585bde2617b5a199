"""Search: what fits is found, and no pattern holds the server."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from ml_backend.engine import map_search
from ml_backend.engine.map_search import Texts
from ml_backend.errors import InputError
from ml_backend.store import projects, tasks

from .conftest import UID, MapWorld


def search(world: MapWorld, q: str, more: str = "", status: int = 200) -> Any:
    reply = world.client.get(f"/map/{UID}/api/search?q={quote(q)}{more}", headers=world.headers())
    assert reply.status_code == status, reply.text
    return reply.json


def texts_of(*lines: str) -> Texts:
    ends = np.cumsum([len(line) + 1 for line in lines]) - 1
    return Texts(np.arange(1, len(lines) + 1), "\n".join(lines), ends)


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


@pytest.mark.parametrize("pattern", ["(", "a{2,1}", "*a", "(?R)", "(a)(?1)", "(?P>x)", r"(?<=a", "[", "\\"])
def test_wrong_patterns_are_named(world: MapWorld, pattern: str) -> None:
    assert "pattern" in search(world, pattern, "&mode=regex", 400)["error"]


def test_too_long_a_query(world: MapWorld) -> None:
    search(world, "a" * (map_search.LONGEST_QUERY + 1), status=400)


@pytest.mark.parametrize("pattern", ["(?:a|a?)+$b", "(?:a{1,999}){1,999}b", r"(?:(?=(a*))a?)*\1b"])
def test_no_pattern_takes_for_ever(monkeypatch: pytest.MonkeyPatch, pattern: str) -> None:
    monkeypatch.setattr(map_search, "SEARCH_SECONDS", 0.2)
    texts = texts_of(*["a" * 3000 + "xyxyaab"] * 50)
    with pytest.raises(InputError, match="longer than"):
        texts.matching(pattern)


def test_hits_lie_within_one_text() -> None:
    texts = texts_of("abc", "", "cab", "b")
    assert texts.containing("b").tolist() == [1, 3, 4]
    assert texts.containing("c").tolist() == [1, 3]
    assert texts.containing("cc").tolist() == []
    assert texts.matching("^c").tolist() == [3]
    assert texts.matching("^$").tolist() == [2]
    assert texts.matching(r"c\s*c").tolist() == []
    assert texts.matching("").tolist() == [1, 2, 3, 4]


def test_changed_tasks_are_read_again(world: MapWorld) -> None:
    before = search(world, "entirely new words")
    with world.db.write() as session:
        project = projects.ensure(session, UID)
        changed = tasks.upsert_many(session, project, [(60, {"text": "Entirely\nnew  words"})])
        projects.touch_data(session, project, changed, time.time())
    assert (before["total"], search(world, "entirely new words")["total"]) == (0, 1)
