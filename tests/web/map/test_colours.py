"""A class's colour is chosen for everybody by a person who may write, and outlives trainings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .test_acts import Page


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    made = Page(Path(tmp_path_factory.mktemp("colours")))
    yield made
    made.world.db.close()


def colours(page: Page) -> dict[str, dict[str, str]]:
    return {c["name"]: {one["name"]: one["colour"] for one in c["classes"]} for c in page.get("state")["controls"]}


def test_a_chosen_colour_is_everybodys(page: Page) -> None:
    before = colours(page)
    assert page.post("controls/kind/classes/network", {"colour": "#AA0000"}).status_code == 200
    assert page.post("controls/topics/angry/classes/yes", {"colour": "#00aa00"}).status_code == 200
    after = colours(page)
    assert after["kind"] == {**before["kind"], "network": "#aa0000"}
    assert after["topics/angry"] == {**before["topics/angry"], "yes": "#00aa00"}
    assert after["topics/short"] == before["topics/short"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("controls/kind/classes/nothing", {"colour": "#aa0000"}, 400),
        ("controls/nobody/classes/network", {"colour": "#aa0000"}, 400),
        ("controls/topics/classes/angry", {"colour": "red"}, 400),
        ("controls/kind/classes/network", {"colour": "red"}, 400),
        ("controls/kind/classes/network", {"colour": ["#aa0000"]}, 400),
        ("controls/kind/classes/network", {}, 400),
    ],
)
def test_what_is_no_colour_or_no_class_is_refused(page: Page, path: str, body: object, status: int) -> None:
    before = colours(page)
    assert page.post(path, body).status_code == status
    assert colours(page) == before


def test_who_only_looks_cannot_choose(page: Page) -> None:
    assert page.post("controls/kind/classes/network", {"colour": "#0000aa"}, token=None).status_code == 401
