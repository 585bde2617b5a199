"""The page where there is little room, as in a frame beside a task: nothing covers the map, nothing is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from tests.web.page.stage import on_screen, selection, settle
from tests.web.page.synthetic_map import SyntheticMap, serving

pytestmark = pytest.mark.e2e

POINTS = 2_000
HEIGHT = 640
LONG_NAME = "complaint about a delivery that never came, although it was paid for"


@contextmanager
def window(browser: Browser, width: int) -> Iterator[Page]:
    """The page with its points, so wide."""
    with serving(SyntheticMap(POINTS)) as address:
        page = browser.new_page(viewport={"width": width, "height": HEIGHT}, reduced_motion="reduce")
        page.goto(address)
        settle(page)
        yield page
        page.close()


def box_of(element: Locator) -> FloatRect:
    found = element.bounding_box()
    assert found is not None
    return found


@pytest.mark.parametrize("width", [560, 420, 340])
@pytest.mark.parametrize("drawer", ["closed", "open"])
def test_the_tools_leave_the_map_free(browser: Browser, width: int, drawer: str) -> None:
    with window(browser, width) as page:
        if drawer == "open":
            page.get_by_role("tab", name="Selection").click()
        tools, host = box_of(page.locator(".map-tools")), box_of(page.locator(".map-host"))
        assert tools["y"] + tools["height"] <= host["y"]
        assert host["width"] == width
        for button in page.locator(".map-tools button").all():
            at = box_of(button)
            assert at["x"] >= 0
            assert at["x"] + at["width"] <= width
            assert min(at["width"], at["height"]) >= 24


def test_the_tools_lie_on_a_wide_map(browser: Browser) -> None:
    with window(browser, 1280) as page:
        tools, host = box_of(page.locator(".map-tools")), box_of(page.locator(".map-host"))
        assert host["x"] < tools["x"]
        assert host["y"] < tools["y"]
        assert tools["width"] < 40


def test_points_are_met_where_they_are_drawn(browser: Browser) -> None:
    with window(browser, 420) as page:
        host = box_of(page.locator(".map-host"))
        x, y = on_screen(page, 0)
        page.keyboard.down("Control")
        page.mouse.click(host["x"] + x, host["y"] + y)
        page.keyboard.up("Control")
        [row] = selection(page)
        met, meant = on_screen(page, row), on_screen(page, 0)  # the map is lower now: it has made room for the classes
        assert abs(met[0] - meant[0]) + abs(met[1] - meant[1]) < 12
        page.keyboard.press("Escape")
        expect(page.locator(".quick")).to_be_hidden()
        page.mouse.click(host["x"] + x, host["y"] + y)
        expect(page.locator(".card.pinned")).to_contain_text("Prediction")
        card, at = box_of(page.locator(".card.pinned")), host["y"] + on_screen(page, row)[1]
        assert card["y"] >= at or card["y"] + card["height"] <= at, "the card covers its own point"


@pytest.mark.parametrize("width", [1280, 560, 420])
def test_the_name_of_a_new_class_is_read_in_full(browser: Browser, width: int) -> None:
    with window(browser, width) as page:
        page.get_by_role("tab", name="Selection").click()
        page.get_by_label("Type a class").fill(LONG_NAME)
        said = page.locator(".choice.create .grow")
        expect(said).to_have_text(f"Create the class “{LONG_NAME}”")
        assert said.evaluate("(element) => element.scrollWidth <= element.clientWidth")
        assert said.evaluate("(element) => element.scrollHeight <= element.clientHeight")


@pytest.mark.parametrize("width", [1280, 1024])
def test_every_tab_is_in_sight_however_many_are_selected(browser: Browser, width: int) -> None:
    with window(browser, width) as page:
        page.evaluate("(n) => window.__map.select([...Array(n).keys()])", POINTS)
        expect(page.get_by_role("heading", name="2,000 items selected")).to_be_visible()
        last = box_of(page.get_by_role("tab", name="Components"))
        assert last["x"] + last["width"] <= width
