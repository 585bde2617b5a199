"""A task whose text is HTML with a script in it: shown as it is written wherever texts are shown, and never run."""

from __future__ import annotations

import json

from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.map.desk import Desk, at_the_map
from tests.e2e.map.world import CONTROL, HOSTILE, MapWorld
from tests.e2e.world import KINDS


def test_a_script_in_a_task_is_text(browser: Browser, map_world: MapWorld) -> None:
    task = next(task for task, text in map_world.texts.items() if text == HOSTILE)
    row = map_world.row_of(task)
    with at_the_map(browser, map_world) as desk:
        page = desk.page
        found_by_search(desk, row)

        page.get_by_role("button", name="Label the hit").click()
        tile = page.locator(".gallery .tile")
        expect(tile).to_contain_text(HOSTILE)
        assert (tile.get_attribute("title") or "").startswith(HOSTILE)

        tile.click(button="right")
        expect(page.locator(".card.pinned .card-text")).to_have_text(HOSTILE)
        expect(page.locator(".card.pinned")).to_contain_text(f"Task {task}")
        desk.press("Escape")

        desk.panel("Class")
        wanted: dict[str, str | int] = {"control": CONTROL, "class": KINDS[0], "limit": 1000, "unlabelled": 1}
        ranked = map_world.get("ranked", **wanted).json()
        place = ranked["rows"].index(row)
        page.get_by_role("grid").evaluate("(list, place) => list.scrollTo(0, place * 52)", place)
        listed = page.locator(f".virtual-row[aria-rowindex='{place + 1}']")
        expect(listed).to_contain_text(HOSTILE)

        suggest(page, row, task)
        desk.press("n")
        expect(page.locator(".current .card-text")).to_have_text(HOSTILE)
        expect(page.locator(".entry")).to_contain_text(HOSTILE)

        assert page.evaluate("window.__broken") is None
        assert page.locator("main img, aside img, aside b b, .card b b, script:not([src])").count() == 0


def found_by_search(desk: Desk, row: int) -> None:
    """By its very tag."""
    desk.press("/")
    desk.page.keyboard.type("<script>")
    expect(desk.page.locator(".hits")).to_contain_text("1 hit")
    desk.press("Enter")
    desk.page.get_by_role("button", name="Regular expression").click()
    expect(desk.page.locator(".hits")).to_contain_text("1 hit")


def suggest(page: Page, row: int, task: int) -> None:
    """From now on the task is the only suggestion, for a reason that is as bad."""
    item = {"row": row, "task": task, "reason": HOSTILE, "score": 0.0}

    def answer(route: Route) -> None:
        route.fulfill(content_type="application/json", body=json.dumps({"items": [item]}))

    page.route("**/api/queue?*", answer)
