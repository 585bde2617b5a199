"""What is made once: a Label Studio whose database is locked for a moment gets neither nothing nor two."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from ml_backend.errors import LabelStudioRefused, LabelStudioUnreachable
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.client import LabelStudioClient

LOCKED = httpx.Response(500, text="<h1>Server Error (500)</h1>")
TAB: dict[str, Any] = {"title": "Label next", "type": "list"}
HOOK: dict[str, Any] = {"project": 3, "url": "http://lantern.test/webhook"}
PROJECT: dict[str, Any] = {"title": "p - map", "label_config": "<View/>"}


class Locked:
    """Makes projects, webhooks and tabs. The first `failures` POSTs get `answer`, after they did what they ask for or
    before."""

    def __init__(self, failures: int, *, carried_out: bool = False, answer: httpx.Response = LOCKED) -> None:
        self.failures, self.carried_out, self.failure = failures, carried_out, answer
        self.posts = 0
        self.made: dict[str, list[dict[str, Any]]] = {"projects": [], "webhooks": [], "views": []}
        self.api = LabelStudioApi(
            LabelStudioClient("http://ls.test", "0" * 40, transport=httpx.MockTransport(self.answer))
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        parts = request.url.path.strip("/").split("/")
        things = self.made[next(name for name in self.made if name in parts)]
        if request.method == "GET":
            one = next((thing for thing in things if str(thing["id"]) == parts[-1]), None)
            return httpx.Response(200, json=things if one is None else one)
        self.posts += 1
        fails = self.posts <= self.failures
        if not fails or self.carried_out:
            things.append({"id": len(things) + 5, "created_at": "2026-11-22T22:54:14Z", **json.loads(request.content)})
        return self.failure if fails else httpx.Response(201, json=things[-1])

    def make(self, what: str) -> dict[str, Any]:
        if what == "projects":
            return self.api.create_project(PROJECT)
        return self.api.create_webhook(HOOK) if what == "webhooks" else self.api.create_view(3, TAB)


@pytest.mark.parametrize("what", ["projects", "webhooks", "views"])
@pytest.mark.parametrize("carried_out", [False, True])
def test_a_lock_leaves_one_of_each(what: str, carried_out: bool) -> None:
    played = Locked(2, carried_out=carried_out)
    assert played.make(what)["id"] == 5
    assert len(played.made[what]) == 1


def test_what_is_there_already_is_not_taken_for_what_was_to_be_made() -> None:
    played = Locked(1)
    others: list[dict[str, Any]] = [
        {**PROJECT, "task_number": 7},
        {**PROJECT, "title": "q"},
        {**PROJECT, "label_config": "<View><Text/></View>"},
    ]
    played.made["projects"] = [{"id": n, "created_at": "2026-11-22T22:54:14Z", **one} for n, one in enumerate(others)]
    assert played.make("projects")["id"] == 8


def test_a_lock_that_stays_is_said() -> None:
    played = Locked(99)
    with pytest.raises(LabelStudioUnreachable, match="500"):
        played.make("views")
    assert played.posts == 5


def test_a_refusal_is_not_tried_again() -> None:
    played = Locked(99, answer=httpx.Response(400, json={"detail": "no such field"}))
    with pytest.raises(LabelStudioRefused, match="no such field"):
        played.make("webhooks")
    played.failure = httpx.Response(429)
    with pytest.raises(LabelStudioUnreachable):
        played.make("webhooks")
    assert played.posts == 2
