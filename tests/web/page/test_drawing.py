"""Drawing on the map, clicking and the arrow keys: what is selected, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.page.stage import lonely_human, on_screen, opened, selection
from tests.web.page.synthetic_map import FIRST_TASK, SyntheticMap

pytestmark = pytest.mark.e2e

SIDE = 40
"""Of the squares that are drawn, in pixels."""


def draw_square(page: Page, row: int, *held: str, corners: Sequence[int] = (0, 1, 2, 3)) -> None:
    """A drag around a point, SIDE wide, as a person draws it: not closed. corners: clockwise from the top left."""
    box = page.locator(".map-host").bounding_box()
    assert box is not None
    x, y = on_screen(page, row)
    left, top, half = box["x"] + x, box["y"] + y, SIDE / 2
    square = [
        (left - half, top - half),
        (left + half, top - half),
        (left + half, top + half),
        (left - half, top + half),
    ]
    places = [square[corner] for corner in corners]
    for key in held:
        page.keyboard.down(key)
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()
    for key in held:
        page.keyboard.up(key)


def rows_around(world: SyntheticMap, page: Page, row: int) -> tuple[set[int], set[int]]:
    """Rows certainly in the square around a point, and those that may be: a pixel more."""
    view = page.evaluate("window.__map.view()")
    unit = view["zoom"] * 0.94 * min(view["width"], view["height"]) / 2
    away = np.abs(world.xy - world.xy[row]).max(axis=1) * unit
    return set(np.flatnonzero(away < SIDE / 2 - 1).tolist()), set(np.flatnonzero(away < SIDE / 2 + 1).tolist())


def test_drawing_selects_adds_takes_out_and_keeps(
    browser_without_gl: Browser, browser_with_gl: Browser, world: SyntheticMap, kind: str
) -> None:
    with opened(
        browser_without_gl if kind == "canvas" else browser_with_gl, world, "" if kind == "canvas" else "?renderer=gl"
    ) as page:
        assert page.evaluate("window.__map.renderer") == kind
        draw_square(page, 5)
        first = set(selection(page))
        surely, maybe = rows_around(world, page, 5)
        assert surely <= first <= maybe
        draw_square(page, 777, "Shift")
        surely, maybe = rows_around(world, page, 777)
        assert first | surely <= set(selection(page)) <= first | maybe
        draw_square(page, 777, "Alt")
        left = set(selection(page))
        assert left <= first - surely
        draw_square(page, 777, "Shift")
        draw_square(page, 5, "Shift", "Alt")
        surely, maybe = rows_around(world, page, 5)
        assert left & surely <= set(selection(page)) <= maybe
        assert len(set(selection(page)) - first) == 0
        page.keyboard.press("Escape")
        assert selection(page) == []
        expect(page.get_by_role("button", name="Lasso", exact=True)).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Pan", exact=True)).to_have_attribute("aria-pressed", "true")


def test_a_rectangle_takes_what_is_between_two_corners(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world, "?mode=rectangle") as page:
        draw_square(page, 5, corners=(0, 2))
        surely, maybe = rows_around(world, page, 5)
        assert surely <= set(selection(page)) <= maybe


def test_the_brush_takes_all_that_it_passes_over(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world, "?mode=brush") as page:
        draw_square(page, 5)
        surely, _ = rows_around(world, page, 5)
        assert surely <= set(selection(page))


def test_what_the_legend_hides_is_not_met(browser_without_gl: Browser, world: SyntheticMap) -> None:
    kind = world.columns["class"][5]
    with opened(browser_without_gl, world, f"?hide={int(kind)}") as page:
        draw_square(page, 5)
        surely, _ = rows_around(world, page, 5)
        of_the_kind = set(np.flatnonzero(world.columns["class"] == kind).tolist())
        assert surely & of_the_kind
        assert not set(selection(page)) & of_the_kind


def test_a_click_pins_and_with_shift_it_selects(browser_without_gl: Browser, world: SyntheticMap) -> None:
    row = lonely_human(world)
    with opened(browser_without_gl, world, "?ood=1") as page:
        x, y = on_screen(page, row)
        page.locator(".map-host").click(position={"x": x, "y": y})
        expect(page.get_by_role("group", name=f"Item {FIRST_TASK + row}")).to_contain_text("pinned")
        assert selection(page) == []
        page.locator(".map-host").click(position={"x": x, "y": y}, modifiers=["Shift"])
        assert selection(page) == [row]


def test_arrow_keys_go_from_point_to_point_and_say_where_one_is(
    browser_without_gl: Browser, world: SyntheticMap
) -> None:
    with opened(browser_without_gl, world) as page:
        page.locator(".map-host").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("[aria-live=polite]").filter(has_text="Task ")).to_have_count(1)
        first = page.locator("[aria-live=polite]").filter(has_text="Task ").text_content()
        page.keyboard.press("ArrowRight")
        expect(page.locator("[aria-live=polite]").filter(has_text="Task ")).not_to_have_text(first or "")
