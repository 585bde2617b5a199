"""Keys on the keyboards of other countries, keys held down, characters put together, and what a key acts on."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.page.stage import opened, selection
from tests.web.page.synthetic_map import CLASSES, FIRST_TASK, SyntheticMap

pytestmark = pytest.mark.e2e

POINTS = 500
PRESS = "(key) => document.body.dispatchEvent(new KeyboardEvent('keydown', {...key, bubbles: true, cancelable: true}))"

AT_ONCE = """async (button) => {
  button.focus();
  button.click();
  await new Promise((open) => new MutationObserver(open).observe(document.body, {childList: true, subtree: true}));
  document.querySelector('.sign-in input').focus();
}"""
"""Into the field as soon as it is there, before anything is painted."""


@pytest.fixture
def world() -> SyntheticMap:
    """Nothing is labelled, three tasks are asked for."""
    made = SyntheticMap(POINTS)
    made.columns["status"][:] = 1
    made.answers["queue"] = {
        "items": [{"row": r, "task": FIRST_TASK + r, "reason": f"Reason {r}", "score": 0} for r in (5, 6, 7)]
    }
    return made


def sign_in(page: Page) -> None:
    page.get_by_role("button", name="Sign in to label").click()
    page.get_by_label("Your Label Studio access token").fill("token")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def labelled(world: SyntheticMap) -> list[tuple[str, list[int]]]:
    """Classes that were given, and the tasks counted from the first one."""
    return [(one["label"], [task - FIRST_TASK for task in one["tasks"]]) for at, one in world.bodies if at == "acts"]


@pytest.mark.parametrize(
    "key",
    [
        {"key": "[", "code": "Digit8", "modifierAltGraph": True},  # German, on Linux
        {"key": "[", "code": "Digit8", "modifierAltGraph": True, "ctrlKey": True, "altKey": True},  # on Windows
        {"key": "[", "code": "Digit5", "altKey": True},  # on a Mac
    ],
)
def test_a_bracket_is_no_digit_however_it_is_typed(
    browser_without_gl: Browser, world: SyntheticMap, key: dict[str, object]
) -> None:
    with opened(browser_without_gl, world) as page:
        sign_in(page)
        page.evaluate("window.__map.select([3])")
        page.evaluate(PRESS, key)
        expect(page.locator(".map-notice")).to_contain_text("Brush of")
        assert labelled(world) == []


def test_digits_and_letters_go_by_their_place_where_they_must(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world) as page:
        sign_in(page)
        page.evaluate("window.__map.select([3])")
        page.evaluate(PRESS, {"key": "ArrowLeft", "code": "Numpad4"})  # without NumLock
        page.evaluate(PRESS, {"key": "к", "code": "KeyR"})  # Russian
        expect(page.get_by_role("button", name="Rectangle")).to_have_attribute("aria-pressed", "true")
        assert labelled(world) == []
        page.evaluate(PRESS, {"key": "&", "code": "Digit1"})  # French
        expect(page.locator(".toast")).to_contain_text("Labelled 1")
        page.evaluate(PRESS, {"key": "я", "code": "KeyZ", "ctrlKey": True})
        expect(page.locator(".toast", has_text="nothing to undo")).to_be_visible()
        page.evaluate("window.__map.select([4])")
        page.evaluate(PRESS, {"key": "4", "code": "Numpad4"})
        expect(page.locator(".toast", has_text="Labelled 1 as exchange rate")).to_be_visible()
        assert labelled(world) == [(CLASSES[0], [3]), (CLASSES[3], [4])]


def test_a_digit_that_is_held_down_answers_one_suggestion(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world) as page:
        sign_in(page)
        page.keyboard.press("n")
        expect(page.locator(".reason")).to_have_text("Reason 5")
        page.keyboard.down("3")
        expect(page.locator(".reason")).to_have_text("Reason 6")
        page.keyboard.down("3")
        page.keyboard.up("3")
        page.keyboard.down("ArrowRight")  # whatever came of it came before this
        expect(page.locator(".toast")).to_have_count(1)
        assert labelled(world) == [(CLASSES[2], [5])]
        page.keyboard.press("3")
        expect(page.locator(".reason")).to_have_text("Reason 7")


@pytest.mark.parametrize("how", [{"isComposing": True}, {"keyCode": 229}])
def test_enter_that_takes_characters_gives_no_class(
    browser_without_gl: Browser, world: SyntheticMap, how: dict[str, object]
) -> None:
    with opened(browser_without_gl, world) as page:
        sign_in(page)
        page.evaluate("window.__map.select([3])")
        field = page.get_by_label("Type a class")
        field.fill("fe")
        enter = {"key": "Enter", "code": "Enter", **how}
        field.evaluate(PRESS.replace("(key)", "(field, key)").replace("document.body", "field"), enter)
        expect(field).to_have_value("fe")
        assert labelled(world) == []
        field.press("Enter")
        expect(page.locator(".toast")).to_contain_text("Labelled 1 as fees")


def test_enter_on_cancel_signs_nobody_in(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world) as page:
        page.get_by_role("button", name="Sign in to label").click()
        page.get_by_label("Your Label Studio access token").fill("token")
        page.get_by_role("button", name="Cancel").press("Enter")
        expect(page.get_by_label("Your Label Studio access token")).to_have_count(0)
        expect(page.get_by_role("button", name="Sign in to label")).to_be_focused()
        sign_in(page)
        assert [at for at, _ in world.bodies].count("sign-in") == 1


def test_who_types_at_once_gets_the_focus_back_all_the_same(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world) as page:
        way = page.get_by_role("button", name="Sign in to label")
        way.evaluate(AT_ONCE)
        page.get_by_role("button", name="Cancel").press("Enter")
        expect(page.get_by_label("Your Label Studio access token")).to_have_count(0)
        expect(way).to_be_focused()


def test_the_suggestion_that_n_shows_is_what_keys_label(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world) as page:
        sign_in(page)
        page.evaluate("window.__map.select([30, 31, 32])")
        page.keyboard.press("n")
        expect(page.locator(".reason")).to_have_text("Reason 5")
        assert selection(page) == []
        page.keyboard.press("3")
        expect(page.locator(".reason")).to_have_text("Reason 6")
        page.evaluate("window.__map.select([30, 31, 32])")
        page.get_by_role("tab", name="Queue").click()
        note = page.get_by_text("Keys and classes go to the 3 selected items, not to this suggestion.")
        expect(note).to_be_visible()
        page.get_by_role("button", name="Clear").click()
        expect(note).to_have_count(0)
        page.keyboard.press("3")
        expect(page.locator(".reason")).to_have_text("Reason 7")
        assert labelled(world) == [(CLASSES[2], [5]), (CLASSES[2], [6])]


def test_another_question_takes_over_nothing_that_counts_classes(
    browser_without_gl: Browser, world: SyntheticMap
) -> None:
    known: dict[str, Any] = world.state()
    known["controls"] += [{**known["controls"][0], "name": "tone"}]
    world.answers["state"] = known
    with opened(browser_without_gl, world) as page:
        page.evaluate("window.__map.select([...Array(200).keys()])")
        page.keyboard.press("1")
        expect(page.get_by_role("group", name="Please confirm")).to_be_visible()
        page.locator(".legend-row").first.press("Enter")
        expect(page.locator(".legend-row").first).to_have_attribute("aria-pressed", "false")
        page.get_by_label("What is labelled").select_option("tone")
        expect(page.locator(".legend-row").first).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_role("group", name="Please confirm")).to_have_count(0)
