"""The map's address keeps what is shown, and so does Label Studio's frame around it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.web.page.stage import framed, inside_another_page, lonely_human, opened, settle
from tests.web.page.synthetic_map import FIRST_TASK, SyntheticMap

pytestmark = pytest.mark.e2e


def test_the_address_keeps_what_is_shown_and_never_the_key(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world, "#key=secret-1") as page:
        assert ("session", {"key": "secret-1"}) in world.bodies
        assert "secret-1" not in page.url
        page.keyboard.press("r")
        page.keyboard.press("c")
        page.keyboard.press("+")
        page.wait_for_url("**/map/5?*view=*mode=rectangle*")
        view = page.evaluate("window.__map.view()")
        world.bodies.clear()
        page.reload()
        settle(page)
        assert ("session", {"key": "secret-1"}) in world.bodies
        assert page.evaluate("window.__map.view().zoom") == pytest.approx(view["zoom"], abs=0.01)
        expect(page.get_by_label("Colour by")).to_have_value("confidence")
        expect(page.get_by_role("button", name="Rectangle", exact=True)).to_have_attribute("aria-pressed", "true")


def test_the_next_task_in_label_studio_finds_the_map_as_it_was(
    browser_without_gl: Browser, world: SyntheticMap
) -> None:
    """Label Studio builds the page anew for each task, always at the same address."""
    row = lonely_human(world)
    with inside_another_page(browser_without_gl, world, f"?task={FIRST_TASK + row}") as (page, frame):
        page.mouse.click(300, 300)
        page.keyboard.press("c")
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("g")
        frame.wait_for_function("window.__map.view().zoom > 1.5")
        x, y = frame.evaluate("(row) => window.__map.screenPosition(row)", row)
        shown = frame.evaluate("window.__map.view()")
        assert (x, y) == pytest.approx((shown["width"] / 2, shown["height"] / 2), abs=2)
        page.wait_for_timeout(500)  # what is shown is written down when it has rested
        address = page.evaluate("document.querySelector('iframe').src")
        page.evaluate("document.querySelector('iframe').remove()")
        again = framed(page, address)
        assert again.evaluate("window.__map.view().zoom") == pytest.approx(shown["zoom"], abs=0.01)
        again.get_by_role("tab", name="Colours").click()
        expect(again.get_by_label("Colour by")).to_have_value("confidence")


def test_inside_another_page_the_wheel_scrolls_until_the_map_is_clicked(
    browser_without_gl: Browser, world: SyntheticMap
) -> None:
    with inside_another_page(browser_without_gl, world) as (page, frame):
        before = frame.evaluate("window.__map.view()")
        page.mouse.move(300, 300)
        page.mouse.wheel(0, -400)
        expect(frame.get_by_text("Click the map first")).to_be_visible()
        assert frame.evaluate("window.__map.view()") == before
        page.mouse.click(300, 300)
        page.mouse.wheel(0, -400)
        frame.wait_for_function("(before) => window.__map.view().zoom > 1.2 * before", arg=before["zoom"])
