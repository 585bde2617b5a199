"""The names that are written on the map leave every point visible, do not lie on each other, and can be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypedDict

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.web.page.synthetic_map import CLASSES, SyntheticMap, serving

pytestmark = pytest.mark.e2e

WRITTEN = """
window.__written = new Map();
const fill = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...more) {
  const {width, fontBoundingBoxAscent: up, fontBoundingBoxDescent: down} = this.measureText(text);
  window.__written.set(text, {text, box: [x, y - up, x + width, y + down], colour: this.fillStyle});
  return fill.call(this, text, x, y, ...more);
};
"""
CONTRAST = """(colour) => {
  const light = (text) => text.match(/[0-9a-f]{2}/gi).slice(0, 3).map((part) => parseInt(part, 16) / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = getComputedStyle(document.documentElement).getPropertyValue('--map-bg').trim();
  const [low, high] = [light(colour), light(behind)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}"""
READABLE = 4.5
BESIDE = 45
"""Pixels."""
A_CLUMP = 60
Box = tuple[float, float, float, float]


class Name(TypedDict):
    """box: left, top, right, bottom in pixels of the map."""

    text: str
    box: Box
    colour: str


@pytest.fixture
def tight() -> SyntheticMap:
    """One clump of a few pixels for each class, two of them side by side."""
    world = SyntheticMap(A_CLUMP * len(CLASSES))
    kind = np.repeat(np.arange(len(CLASSES)), A_CLUMP)
    centres = np.array([[x, y] for y in (-0.6, 0.6) for x in (-0.9, -0.45, 0.0, 0.45, 0.9)])
    centres[3] = centres[2] + [0.12, 0.0]
    scatter = np.random.default_rng(0).normal(size=(len(kind), 2)) * 0.02
    world.columns["xy"] = (centres[kind] + scatter).astype(np.float32)
    world.columns["class"] = kind.astype(np.uint16)
    world.columns["status"] = np.ones(len(kind), np.uint8)
    return world


@contextmanager
def written(
    browser: Browser, world: SyntheticMap, scheme: Literal["light", "dark"]
) -> Iterator[tuple[Page, list[Name]]]:
    """The page, and what stands on its map."""
    with serving(world) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce", color_scheme=scheme)
        page.add_init_script(WRITTEN)
        page.goto(address)
        page.wait_for_function("(n) => window.__written.size === n", arg=len(CLASSES))
        page.evaluate("window.__map.fps(2)")
        yield page, page.evaluate("[...window.__written.values()]")
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_names_leave_tight_clumps_visible(
    browser_without_gl: Browser, tight: SyntheticMap, scheme: Literal["light", "dark"]
) -> None:
    with written(browser_without_gl, tight, scheme) as (page, names):
        points = page.evaluate("[...Array(window.__map.n).keys()].map((row) => window.__map.screenPosition(row))")
        covered = {name["text"]: sum(is_within(x, y, name["box"]) for x, y in points) for name in names}
        assert covered == dict.fromkeys(CLASSES, 0)
        boxes = [name["box"] for name in names]
        assert [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :] if overlap(a, b)] == []
        assert max(gap(name, points, tight) for name in names) < BESIDE
        assert min(page.evaluate(CONTRAST, name["colour"]) for name in names) >= READABLE


def is_within(x: float, y: float, box: Box) -> bool:
    left, top, right, bottom = box
    return left <= x <= right and top <= y <= bottom


def overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def gap(name: Name, points: list[tuple[float, float]], world: SyntheticMap) -> float:
    """Pixels from a name to the nearest point of its class."""
    left, top, right, bottom = name["box"]
    x, y = np.array(points)[world.columns["class"] == CLASSES.index(name["text"])].T
    away = np.hypot(np.maximum(0, np.maximum(left - x, x - right)), np.maximum(0, np.maximum(top - y, y - bottom)))
    return float(away.min())
