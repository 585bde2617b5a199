"""The map's page as a person sits before it: real pointer drags and keys, and what the browser complains about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Frame, Locator, Page, expect

from tests.e2e.map.world import MapWorld
from tests.e2e.world import wait_for

WAIT_MILLISECONDS = 60_000
TOKEN_FIELD = "Your Label Studio access token"
WATCH = """
window.__complaints = [];
document.addEventListener('securitypolicyviolation', (event) =>
  window.__complaints.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""

AT_PLACE = """([row, x, y]) => {
  const view = window.__map.view(), [left, top] = window.__map.screenPosition(row);
  const unit = view.zoom * 0.94 * Math.min(view.width, view.height) / 2;
  const away = [view.width / 2 + (x - view.x) * unit - left, view.height / 2 - (y - view.y) * unit - top];
  return Math.hypot(...away) < 0.5;
}"""


class Desk:
    """page: the window. frame: where the map is, the window itself or a frame in it."""

    def __init__(self, page: Page, frame: Page | Frame | None = None) -> None:
        self.page = page
        self.frame = frame or page

    def wait_until_ready(self) -> None:
        """Until the points are painted."""
        self.frame.wait_for_function("window.__map?.ready === true")
        self.frame.evaluate("window.__map.fps(2)")

    def ask(self, what: str, argument: object = None) -> Any:
        """`window.__map.WHAT`."""
        return self.frame.evaluate(f"(argument) => window.__map.{what}", argument)

    def selection(self) -> list[int]:
        found: list[int] = self.ask("selection()")
        return found

    def colour(self, row: int) -> str:
        return str(self.ask("colourOf(argument)", row))

    def wait_for_colour(self, row: int, *, other_than: str) -> None:
        """Until a point looks otherwise."""
        self.frame.wait_for_function("([row, was]) => window.__map.colourOf(row) !== was", arg=[row, other_than])

    def wait_until_coloured(self, row: int, colour: str) -> None:
        """Until a point looks so."""
        self.frame.wait_for_function("([row, colour]) => window.__map.colourOf(row) === colour", arg=[row, colour])

    def place(self, row: int) -> tuple[float, float]:
        """Where a point is in the window, in pixels."""
        box = self.frame.locator(".map-host").bounding_box()
        found = self.ask("screenPosition(argument)", row)
        assert box is not None
        assert found is not None
        return box["x"] + found[0], box["y"] + found[1]

    def wait_until_at(self, row: int, place: Sequence[float]) -> None:
        """Until a point is drawn where its column says, within half a pixel."""
        self.frame.wait_for_function(AT_PLACE, arg=[row, float(place[0]), float(place[1])])

    def draw_around(self, row: int, radius: float) -> list[int]:
        """A lasso with the pointer, eight corners around a point, not closed; the rows that it took."""
        x, y = self.place(row)
        corners = [(1, 0.4), (0.4, 1), (-0.4, 1), (-1, 0.4), (-1, -0.4), (-0.4, -1), (0.4, -1), (1, -0.4)]
        self.drag([(x + radius * dx, y + radius * dy) for dx, dy in corners])
        self.frame.wait_for_function("window.__map.selection().length > 0")
        return self.selection()

    def drag(self, places: Sequence[tuple[float, float]]) -> None:
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=4)
        self.page.mouse.up()

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def sign_in(self, token: str) -> None:
        """Into the form that a first act opens, with keys."""
        expect(self.frame.get_by_label(TOKEN_FIELD)).to_be_focused()
        self.page.keyboard.insert_text(token)
        self.page.keyboard.press("Enter")
        expect(self.frame.get_by_label(TOKEN_FIELD)).to_be_hidden(timeout=WAIT_MILLISECONDS)

    def panel(self, name: str) -> None:
        self.frame.get_by_role("tab", name=name).click()

    def pin(self, row: int) -> Locator:
        """A click on a point that is alone where it is; its card."""
        self.page.mouse.move(*self.place(row))
        self.page.mouse.down()
        self.page.mouse.up()
        card = self.frame.locator(".card.pinned")
        expect(card).to_be_visible()
        return card

    def remember(self) -> None:
        """`is_the_same_page` then tells whether the page was loaded again since."""
        self.frame.evaluate("window.__remembered = true")

    def is_the_same_page(self) -> bool:
        return bool(self.frame.evaluate("window.__remembered === true"))


@contextmanager
def at_the_map(
    browser: Browser, world: MapWorld, query: str = "", *, may_say: str = "", port: int | None = None, **context: Any
) -> Iterator[Desk]:
    """The page in a window of its own. An error in its console, an exception, or anything that its policy forbids fails
    the test. may_say: part of errors in the console that belong to the test. port: another way to the same Lantern.
    It opens once no better map is on its way, which would move the points from under the pointer.
    """
    wait_for(world.better_map)
    page = browser.new_page(**{"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce", **context})
    page.set_default_timeout(WAIT_MILLISECONDS)
    page.add_init_script(WATCH)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    address = world.address.replace(f":{world.lantern.port}/", f":{port or world.lantern.port}/")
    page.goto(address.replace("#", f"?{query}#"))
    desk = Desk(page)
    desk.wait_until_ready()
    yield desk
    complaints += page.evaluate("window.__complaints")
    complaints = [said for said in complaints if not (may_say and may_say in said)]
    assert not complaints, complaints
    page.context.close()
