"""The map itself in a real browser: the page opened alone or inside another one, and what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from playwright.sync_api import Browser, Frame, Page

from tests.web.page.synthetic_map import SyntheticMap, serving

POINTS = 20_000
WATCH = """
window.__complaints = []; window.__contexts = [];
document.addEventListener('securitypolicyviolation', (event) =>
  window.__complaints.push(`${event.violatedDirective} ${event.sourceFile}`));
const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
  const made = get.call(this, kind, ...more);
  if (String(kind).startsWith('webgl') && made !== null) window.__contexts.push(made);
  return made;
};
"""
FRAME = """(address) => {
  const frame = document.createElement('iframe');
  frame.sandbox = 'allow-same-origin allow-scripts allow-presentation';  // Label Studio's, where it has one
  Object.assign(frame, {src: address, width: 880, height: 640});
  document.body.append(frame);
}"""


@contextmanager
def opened(browser: Browser, world: SyntheticMap, query: str = "") -> Iterator[Page]:
    """The page with its points; whatever its policy forbids fails the test."""
    with serving(world) as address:
        page = browser.new_page(viewport={"width": 1200, "height": 760}, reduced_motion="reduce")
        page.add_init_script(WATCH)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address + query)
        settle(page)
        yield page
        assert errors == []
        assert page.evaluate("window.__complaints") == []
        page.close()


@contextmanager
def inside_another_page(browser: Browser, world: SyntheticMap, query: str = "") -> Iterator[tuple[Page, Frame]]:
    """The map in a frame of another page, as Label Studio shows it."""
    with serving(world) as address:
        page = browser.new_page(viewport={"width": 900, "height": 700}, reduced_motion="reduce")
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.route("**/outside", lambda route: route.fulfill(body="<body></body>", content_type="text/html"))
        page.goto(address.replace("/map/5", "/outside"))
        yield page, framed(page, address + query)
        assert errors == []
        page.close()


def framed(page: Page, address: str) -> Frame:
    """The map in a new frame, with its points."""
    page.evaluate(FRAME, address)
    element = page.wait_for_selector("iframe")
    assert element is not None
    frame = element.content_frame()
    assert frame is not None
    frame.wait_for_function("window.__map?.ready === true")
    return frame


def settle(page: Page) -> None:
    """Until the points are on the canvas."""
    page.wait_for_function("window.__map?.ready === true")
    page.evaluate("window.__map.fps(2)")


def on_screen(page: Page, row: int) -> tuple[float, float]:
    """Pixels within the map's element."""
    x, y = page.evaluate("(row) => window.__map.screenPosition(row)", row)
    return x, y


def selection(page: Page) -> list[int]:
    found: list[int] = page.evaluate("window.__map.selection()")
    return found


def lonely_human(world: SyntheticMap) -> int:
    """A row labelled by a person with room around it, so that its pixel is its own."""
    xy = world.xy
    humans = np.flatnonzero(world.columns["status"] == 2)
    near = [np.partition(np.linalg.norm(xy - xy[row], axis=1), 1)[1] for row in humans]
    return int(humans[int(np.argmax(near))])
