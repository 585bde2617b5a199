"""How a class looks on the map is chosen for everybody by a person who may write, and outlives trainings. Its name
there is a name only: labels, predictions and the interface go on with the label config's value.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from ml_backend.engine.map_looks import LONGEST_NAME, SETTINGS_KEY, shown_names, with_name
from ml_backend.errors import InputError
from ml_backend.store.tables import JsonObject

from .test_acts import Page

Looks = dict[str, dict[str, tuple[str, str]]]


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    made = Page(tmp_path)
    yield made
    made.sender.stop()
    made.world.db.close()


def looks(page: Page) -> Looks:
    """Name and colour on the map, by control and class."""
    controls = page.get("state")["controls"]
    return {c["name"]: {one["name"]: (one["shown_as"], one["colour"]) for one in c["classes"]} for c in controls}


def test_a_chosen_colour_is_everybodys(page: Page) -> None:
    before = looks(page)
    assert page.post("controls/kind/classes/network", {"colour": "#AA0000"}).get_json()["colour"] == "#aa0000"
    assert page.post("controls/topics/angry/classes/yes", {"colour": "#00aa00"}).status_code == 200
    after = looks(page)
    assert after["kind"] == {**before["kind"], "network": ("network", "#aa0000")}
    assert after["topics/angry"] == {**before["topics/angry"], "yes": ("yes", "#00aa00")}
    assert after["topics/short"] == before["topics/short"]


def test_a_chosen_name_is_shown_and_nothing_else_changes(page: Page) -> None:
    before, card, marks = looks(page), page.get("items/3?control=kind"), page.get("state")["versions"]["marks"]
    colour = before["kind"]["network"][1]
    reply = page.post("controls/kind/classes/network", {"shown_as": "  Wi-Fi  & mobile "})
    assert reply.get_json() == {"colour": colour, "shown_as": "Wi-Fi & mobile"}
    assert looks(page) == {**before, "kind": {**before["kind"], "network": ("Wi-Fi & mobile", colour)}}
    assert page.get("state")["versions"]["marks"] != marks  # so that other pages ask again
    assert page.get("items/3?control=kind") == card
    assert "p" in page.get("ranked?control=kind&class=network")
    assert page.label(20, label="Wi-Fi & mobile").status_code == 400
    assert page.label(20, label="network").status_code == 200
    page.sent()
    assert [one["value"] for one in page.fake.of(1)[20]["result"]] == [{"choices": ["network"]}]


def test_a_name_and_a_colour_do_not_touch_each_other_and_an_empty_name_is_the_own_one(page: Page) -> None:
    def post(**look: str) -> TestResponse:
        return page.post("controls/kind/classes/network", look)

    assert post(shown_as="Radio", colour="#aa0000").status_code == 200
    assert post(colour="#bb0000").get_json() == {"colour": "#bb0000", "shown_as": "Radio"}
    assert post(shown_as=" ").get_json() == {"colour": "#bb0000", "shown_as": "network"}
    assert looks(page)["kind"]["network"] == ("network", "#bb0000")


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("controls/kind/classes/nothing", {"colour": "#aa0000"}, "no class"),
        ("controls/kind/classes/nothing", {"shown_as": "x"}, "no class"),
        ("controls/nobody/classes/network", {"colour": "#aa0000"}, "no class"),
        ("controls/topics/classes/angry", {"colour": "red"}, "no class"),
        ("controls/kind/classes/network", {"colour": "red"}, "not like #0072b2"),
        ("controls/kind/classes/network", {"colour": ["#aa0000"]}, "must be a text"),
        ("controls/kind/classes/network", {"shown_as": 3}, "must be a text"),
        ("controls/kind/classes/network", {"shown_as": "x" * (LONGEST_NAME + 1)}, "longer than 80"),
        ("controls/kind/classes/network", {"shown_as": "two\nlines"}, "control characters"),
        ("controls/kind/classes/network", {"shown_as": "turned \u202e around"}, "control characters"),
        ("controls/kind/classes/network", {"shown_as": "\u200d"}, "cannot be seen"),
        ("controls/kind/classes/network", {"shown_as": "Battery"}, "'battery' has this name already"),
        ("controls/kind/classes/network", {"shown_as": "fine", "colour": "red"}, "not like #0072b2"),
        ("controls/kind/classes/network", {}, "missing"),
    ],
)
def test_what_is_no_look_or_no_class_is_refused(shared: Page, path: str, body: object, said: str) -> None:
    before = looks(shared)
    reply = shared.post(path, body)
    assert (reply.status_code, said in reply.get_json()["error"]) == (400, True), reply.text
    assert looks(shared) == before


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    made = Page(tmp_path_factory.mktemp("looks"))
    yield made
    made.world.db.close()


def test_who_only_looks_cannot_choose(shared: Page) -> None:
    for look in ({"colour": "#0000aa"}, {"shown_as": "Radio"}):
        assert shared.post("controls/kind/classes/network", look, token=None).status_code == 401


def test_two_classes_never_have_one_name_whatever_the_order() -> None:
    classes = ("a", "b", "c")
    settings: JsonObject = with_name({"source": 1}, "kind", classes, "a", "Letter")
    assert settings["source"] == 1
    for taken in ("letter", "LETTER ", "ｌｅｔｔｅｒ", "a", "C"):
        with pytest.raises(InputError, match="has this name already"):
            with_name(settings, "kind", classes, "b", taken)
    elsewhere = with_name(settings, "other", classes, "b", "Letter")
    assert shown_names("other", classes, elsewhere) == ["a", "Letter", "c"]
    again = with_name(settings, "kind", classes, "a", "letter")
    assert shown_names("kind", classes, again) == ["letter", "b", "c"]
    back = with_name(again, "kind", classes, "a", "")
    assert back == {"source": 1, SETTINGS_KEY: {}}


def test_a_class_that_comes_later_keeps_its_own_name() -> None:
    settings = with_name({}, "kind", ("a", "b"), "a", "Letter")
    assert shown_names("kind", ("a", "b", "letter"), settings) == ["a", "b", "letter"]


@pytest.mark.parametrize("broken", [3, {"kind": []}, {"kind": {"a": 3}}, {"kind": {"a": {"shown_as": 3}}}])
def test_damaged_settings_are_no_choice(broken: object) -> None:
    settings = {SETTINGS_KEY: broken}
    assert shown_names("kind", ("a", "b"), settings) == ["a", "b"]
    assert shown_names("kind", ("a", "b"), with_name(settings, "kind", ("a", "b"), "b", "B!")) == ["a", "B!"]
