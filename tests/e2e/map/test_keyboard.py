"""Without a mouse: from the page's first moment to a labelled point and back, searching, colouring, the queue."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.e2e.map.desk import Desk, at_the_map
from tests.e2e.map.world import MapWorld
from tests.e2e.world import KINDS, wait_for

MOST_STOPS = 60
"""More presses of Tab than there are places to stop at."""


def test_a_point_is_found_labelled_and_taken_back(browser: Browser, map_world: MapWorld) -> None:
    map_world.forget_labels()
    with at_the_map(browser, map_world) as desk:
        tab_to(desk, "document.activeElement.classList.contains('map-host')")
        desk.press("ArrowRight")
        reading = desk.page.locator(".map-area [aria-live=polite]").last
        expect(reading).to_contain_text("Task ")
        here = reading.inner_text()
        desk.press("ArrowRight")
        expect(reading).not_to_have_text(here)
        task = int(reading.inner_text().removeprefix("Task ").split(":")[0])
        desk.press("Enter")
        expect(desk.page.locator(".card.pinned")).to_contain_text(map_world.texts[task])
        desk.press("4")
        desk.sign_in(map_world.token)
        wait_for(lambda: map_world.has_labels({task: KINDS[3]}))
        desk.press("Escape")
        expect(desk.page.locator(".card")).to_have_count(0)
        desk.press("Control+z")
        wait_for(lambda: map_world.has_labels({}))


def test_hits_of_a_search_are_walked_and_labelled(browser: Browser, map_world: MapWorld) -> None:
    map_world.forget_labels()
    word, tasks = rare_word(map_world)
    with at_the_map(browser, map_world) as desk:
        desk.press("/")
        desk.page.keyboard.type(word)
        noun = "hit" if len(tasks) == 1 else "hits"
        expect(desk.page.locator(".hits")).to_contain_text(f"{len(tasks)} {noun}")
        desk.press("Enter")
        expect(desk.page.locator(".hits")).to_contain_text(f"1 of {len(tasks)}")
        desk.page.wait_for_function("window.__map.view().zoom > 1.5")
        tab_to(desk, "document.activeElement.textContent.startsWith('Label ')")
        desk.press("Enter")
        assert sorted(map_world.column("ids")[desk.selection()].tolist()) == sorted(tasks)
        desk.press("2")
        desk.sign_in(map_world.token)
        wait_for(lambda: map_world.has_labels(dict.fromkeys(tasks, KINDS[1])))
        desk.press("Control+z")
        wait_for(lambda: map_world.has_labels({}))


def test_the_queue_is_walked_answered_and_recoloured(browser: Browser, map_world: MapWorld) -> None:
    map_world.forget_labels()
    queue = map_world.get("queue", limit=50).json()["items"]
    with at_the_map(browser, map_world) as desk:
        chosen = desk.page.get_by_label("Colour by")
        expect(chosen).to_have_value("label")
        desk.press("c")
        expect(chosen).to_have_value("confidence")

        text = desk.page.locator(".current .card-text")
        desk.press("n")
        expect(text).to_have_text(map_world.texts[queue[0]["task"]])
        desk.press("n")
        expect(text).to_have_text(map_world.texts[queue[1]["task"]])
        desk.press("p")
        expect(text).to_have_text(map_world.texts[queue[0]["task"]])
        desk.press("5")
        desk.sign_in(map_world.token)
        wait_for(lambda: map_world.has_labels({queue[0]["task"]: KINDS[4]}))
        expect(text).not_to_have_text(map_world.texts[queue[0]["task"]])
        desk.press("Control+z")
        wait_for(lambda: map_world.has_labels({}))


def tab_to(desk: Desk, there: str) -> None:
    """Presses Tab until an expression of JavaScript holds."""
    for _ in range(MOST_STOPS):
        desk.press("Tab")
        if desk.page.evaluate(there):
            return
    raise AssertionError(f"Tab does not lead to where {there}")


def rare_word(world: MapWorld) -> tuple[str, list[int]]:
    """A word of two to six texts, and these."""
    words = sorted({word for text in world.texts.values() for word in text.split() if word.isalpha() and len(word) > 4})
    for word in words:
        found = [task for task, text in world.texts.items() if word.lower() in text.lower()]
        if 2 <= len(found) <= 6:
            return word, found
    raise AssertionError("every word is common")
