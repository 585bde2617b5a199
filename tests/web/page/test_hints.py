"""What cannot be done right now says why, and what is done elsewhere says where."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.web.page.stage import opened
from tests.web.page.synthetic_map import SyntheticMap

pytestmark = pytest.mark.e2e


def test_growing_says_for_how_many_it_is(browser_without_gl: Browser) -> None:
    with opened(browser_without_gl, SyntheticMap(2000)) as page:
        page.evaluate("window.__map.select([...Array(51).keys()])")
        page.get_by_text("Change", exact=True).click()
        grow = page.get_by_role("button", name="Grow to nearest neighbours")
        expect(grow).to_be_disabled()
        expect(grow).to_have_accessible_description("For at most 50 items; 51 are selected.")
        page.evaluate("window.__map.select([...Array(50).keys()])")
        expect(grow).to_be_enabled()
        expect(page.get_by_text("For at most")).to_have_count(0)


def test_colours_of_components_say_how_to_see_one_alone(browser_without_gl: Browser) -> None:
    with opened(browser_without_gl, SyntheticMap(2000)) as page:
        page.get_by_label("Colour by").select_option("component")
        legend = page.get_by_role("region", name="Legend")
        expect(legend).to_contain_text("To see one alone, pick it under Components and press Select")
        legend.get_by_role("button", name="Components").click()
        expect(page.get_by_role("tab", name="Components")).to_have_attribute("aria-selected", "true")


def test_progress_is_in_sight_beside_a_long_legend(browser_without_gl: Browser) -> None:
    with opened(browser_without_gl, SyntheticMap(2000)) as page:
        page.set_viewport_size({"width": 1280, "height": 660})
        progress = page.get_by_role("region", name="Progress")
        expect(progress.get_by_text("Labelled groups")).to_be_in_viewport()
        expect(progress.get_by_role("button", name="Train 1 epoch")).to_be_in_viewport()
        page.get_by_role("button", name="nothing named", exact=False).first.scroll_into_view_if_needed()
        expect(progress.get_by_role("button", name="Train 1 epoch")).to_be_in_viewport()


def test_the_map_is_framed_for_keys_and_not_for_the_pointer(browser_without_gl: Browser) -> None:
    with opened(browser_without_gl, SyntheticMap(2000)) as page:
        host = page.locator(".map-host")
        host.click(position={"x": 300, "y": 5})
        expect(host).to_be_focused()
        assert not host.evaluate("(element) => element.matches(':focus-visible')")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        expect(host).to_be_focused()
        assert host.evaluate("(element) => element.matches(':focus-visible')")
