"""Colours of points by both renderers, and graphics cards that are lost or not to be trusted."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.web.page.stage import lonely_human, on_screen, opened
from tests.web.page.synthetic_map import CLASSES, FIRST_TASK, SyntheticMap

pytestmark = pytest.mark.e2e

PIXEL = """([x, y]) => {
  const canvas = document.querySelector('.map-host canvas'), ratio = canvas.width / canvas.clientWidth;
  return [...canvas.getContext('2d').getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data];
}"""
OVER = """([x, y]) => {
  const canvas = document.querySelectorAll('.map-host canvas')[1], ratio = canvas.width / canvas.clientWidth;
  return [...canvas.getContext('2d').getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data];
}"""
"""What lies over the points at a place, red to opacity."""


def crowd(world: SyntheticMap, n: int) -> list[int]:
    """The n rows that are nearest to the middle of the largest clump."""
    xy = world.xy
    component = world.columns["component"]
    spread = component[world.columns["status"] == 1]
    own = component == np.bincount(spread.astype(np.int64)).argmax()
    return [int(row) for row in np.argsort(np.linalg.norm(xy - xy[own].mean(axis=0), axis=1))[:n]]


def colour_of(page: Page, row: int) -> list[int]:
    return [int(part) for part in page.evaluate("(row) => window.__map.colourOf(row)", row).split()[:3]]


def on_background(page: Page, row: int, least: float = 0.0) -> list[float]:
    """Its colour, as transparent as it is (but no more than `least` says), with nothing but the page behind it."""
    *colour, alpha = page.evaluate("(row) => window.__map.colourOf(row)", row).split()
    behind = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--map-bg')").strip("# ")
    share = max(float(alpha), least)
    return [share * float(c) + (1 - share) * int(behind[i : i + 2], 16) for c, i in zip(colour, (0, 2, 4), strict=True)]


def pixel(page: Page, row: int) -> list[int]:
    found: list[int] = page.evaluate(PIXEL, list(on_screen(page, row)))
    return found[:3]


def over(page: Page, row: int) -> list[int]:
    """Red, green, blue, and how opaque, 0 to 255."""
    found: list[int] = page.evaluate(OVER, list(on_screen(page, row)))
    return found


def test_a_point_has_its_class_colour_and_another_after_a_label(
    browser_without_gl: Browser, browser_with_gl: Browser, world: SyntheticMap, kind: str
) -> None:
    row = lonely_human(world)
    with opened(
        browser_without_gl if kind == "canvas" else browser_with_gl,
        world,
        "?ood=1" + ("" if kind == "canvas" else "&renderer=gl"),
    ) as page:
        before = colour_of(page, row)
        assert pixel(page, row) == pytest.approx(before, abs=12)
        other = CLASSES[(int(world.columns["class"][row]) + 1) % len(CLASSES)]
        world.act({"label": other, "tasks": [FIRST_TASK + row]})
        page.wait_for_function(
            "([row, was]) => !window.__map.colourOf(row).startsWith(was)", arg=[row, " ".join(map(str, before))]
        )
        page.evaluate("window.__map.fps(2)")
        assert pixel(page, row) == pytest.approx(colour_of(page, row), abs=12)


def test_a_crowd_of_fresh_labels_shows_its_colour(
    browser_without_gl: Browser, browser_with_gl: Browser, kind: str
) -> None:
    world = SyntheticMap(3000)
    rows = crowd(world, 160)
    with opened(
        browser_without_gl if kind == "canvas" else browser_with_gl, world, "" if kind == "canvas" else "?renderer=gl"
    ) as page:
        before = page.evaluate("(row) => window.__map.colourOf(row)", rows[0])
        page.evaluate("(rows) => window.__map.select(rows)", rows)
        world.act({"label": CLASSES[-1], "tasks": [FIRST_TASK + row for row in rows]})
        page.wait_for_function("([row, was]) => window.__map.colourOf(row) !== was", arg=[rows[0], before])
        for selected in (rows, []):  # with the marks of the selection, and with those of what is under way alone
            page.evaluate("(rows) => window.__map.select(rows)", selected)
            page.evaluate("window.__map.fps(2)")
            covers = [over(page, row)[3] for row in rows]
            assert np.mean(np.array(covers) > 0) < 0.1


def test_the_suggestion_shows_its_colour_though_a_crowd_lies_over_it(browser_without_gl: Browser) -> None:
    """It is drawn first of all points, the crowd after it at the same place."""
    world = SyntheticMap(3000)
    world.columns["xy"][:200] = 0.99  # where nothing else is
    for column, own, crowd in (("class", 0, 1), ("status", 1, 1), ("confidence", 255, 255)):
        world.columns[column][:200] = crowd
        world.columns[column][0] = own
    world.answers["queue"] = {"items": [{"row": 0, "task": FIRST_TASK, "reason": "Because.", "score": 0}]}
    with opened(browser_without_gl, world) as page:
        assert pixel(page, 0) == pytest.approx(colour_of(page, 1), abs=12)
        page.keyboard.press("n")
        expect(page.locator(".reason")).to_have_text("Because.")
        page.evaluate("window.__map.fps(2)")
        assert over(page, 0) == pytest.approx([*on_background(page, 0), 255], abs=6)
        page.evaluate("window.__map.select([500])")
        page.evaluate("window.__map.fps(2)")
        assert over(page, 0) == pytest.approx([*on_background(page, 0, least=0.55), 255], abs=6)


def test_a_lost_graphics_card_comes_back(browser_with_gl: Browser, world: SyntheticMap) -> None:
    row = lonely_human(world)
    with opened(browser_with_gl, world, "?renderer=gl&ood=1") as page:
        page.evaluate("window.__contexts.at(-1).getExtension('WEBGL_lose_context').loseContext()")
        page.wait_for_function("window.__contexts.length === 2")
        page.evaluate("window.__map.fps(3)")
        assert pixel(page, row) == pytest.approx(colour_of(page, row), abs=12)


def test_software_graphics_are_not_taken_by_themselves(browser_with_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_with_gl, world) as page:
        assert page.evaluate("window.__map.renderer") == "canvas"


def test_a_contrast_theme_leaves_class_colours_and_shows_what_is_on(
    browser_without_gl: Browser, world: SyntheticMap
) -> None:
    def ground(of: Locator) -> str:
        return str(of.evaluate("(element) => getComputedStyle(element).backgroundColor"))

    with opened(browser_without_gl, world) as page:
        swatches = page.locator(".legend-rows .swatch")
        before = [ground(swatches.nth(i)) for i in range(len(CLASSES))]
        page.emulate_media(forced_colors="active")
        assert [ground(swatches.nth(i)) for i in range(len(CLASSES))] == before
        lasso, brush = (page.get_by_role("button", name=name, exact=True) for name in ("Lasso", "Brush"))
        assert ground(lasso) != ground(brush)
        patterns = page.get_by_role("button", name="Regular expression")
        off = ground(patterns)
        patterns.click()
        expect(patterns).not_to_have_css("background-color", off)
