"""The map's page as a person uses it: selects, labels, walks the queue, trains."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Locator, Page, expect

from ml_backend.demo.screenshots.studio import WAIT_MILLISECONDS

TOKEN_FIELD = "Your Label Studio access token"
OPEN_TASK = re.compile(r"Open task (\d+) in Label Studio")
TRAINING_MILLISECONDS = 900_000
SAVING_MILLISECONDS = 900_000
"""Label Studio takes labels late while it deletes the predictions of thousands of tasks."""
PAINTED_FRAMES = 2


class MapPage:
    """page: a window that shows nothing else, or nothing yet."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, address: str) -> None:
        """Until the points are painted."""
        self.page.goto(address, wait_until="domcontentloaded")
        self.page.wait_for_function("window.__map?.ready === true")
        self.settle()

    def settle(self) -> None:
        """Until what is newest is painted."""
        self.ask("fps", PAINTED_FRAMES)

    def ask(self, what: str, argument: object = None) -> Any:
        """`window.__map.WHAT(argument)`."""
        return self.page.evaluate(f"(argument) => window.__map.{what}(argument)", argument)

    def sign_in(self, token: str) -> None:
        self.page.get_by_role("button", name="Sign in to label").click()
        self.page.get_by_label(TOKEN_FIELD).fill(token)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_label(TOKEN_FIELD)).to_be_hidden(timeout=WAIT_MILLISECONDS)
        self.page.mouse.move(0, 0)

    def panel(self, name: str) -> None:
        """Show a tab of the panels."""
        self.page.get_by_role("tab", name=name).click()

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def lasso(self, corners: Sequence[tuple[float, float]]) -> list[int]:
        """Draw around places of the map, given in pixels within it; the rows that it took."""
        box = self.page.locator(".map-host").bounding_box()
        assert box is not None
        places = [(box["x"] + x, box["y"] + y) for x, y in corners]
        self.press("l")
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in [*places[1:], places[0]]:
            self.page.mouse.move(*place, steps=6)
        self.page.mouse.up()
        self.page.wait_for_function("window.__map.selection().length > 0")
        found: list[int] = self.ask("selection")
        return found

    def give(self, label: str) -> None:
        """Choose a class for what is selected or suggested."""
        self.page.locator("#palette li").filter(has=self.page.locator(f"text='{label}'")).first.click()

    def never_seen(self) -> None:
        """Answer that the suggestion belongs to no class."""
        self.page.get_by_role("button", name="Never seen").click()

    def fit(self) -> None:
        """Show the whole map."""
        self.page.get_by_role("button", name="Show all", exact=True).click()
        self.settle()

    def component(self, number: int) -> None:
        """Look at one; the Components tab must be shown."""
        self.page.locator(".component-row").filter(
            has=self.page.locator(f".component-number:text-is('{number}')")
        ).click()
        self.page.get_by_role("heading", name=f"Component {number}").wait_for()

    def rest(self) -> None:
        """No pointer and no focus on anything."""
        self.page.mouse.move(0, 0)
        self.page.evaluate("document.activeElement?.blur()")

    def top_of_panel(self) -> None:
        self.page.locator("#tabpanel").evaluate("(element) => element.scrollTo(0, 0)")

    def next_suggestion(self) -> int:
        """Its task. Walks on where none is shown."""
        link = self._link()
        if not link.is_visible():
            self.press("n")
        return self._task(link.inner_text())

    def wait_for_another_than(self, task: int) -> None:
        """Until the answered suggestion is no longer the one that is shown."""
        self.page.wait_for_function(
            "(task) => !document.querySelector('.current')?.textContent?.includes(`Open task ${task} in`)", arg=task
        )

    def wait_until_saved(self) -> None:
        """Until every label is in Label Studio."""
        expect(self.page.get_by_text("All labels saved")).to_be_visible(timeout=SAVING_MILLISECONDS)

    def train(self, epochs: int) -> None:
        """Press the button and wait until the run is over. epochs: 1 or 5."""
        self.panel("Training")
        self.wait_until_idle()
        self.page.get_by_role("button", name=re.compile(rf"Train {epochs}\b")).last.click()
        expect(self._stop()).to_be_enabled(timeout=WAIT_MILLISECONDS)
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        """Until no training runs or waits; the Training tab must be shown."""
        expect(self._stop()).to_be_disabled(timeout=TRAINING_MILLISECONDS)

    def set_weight(self, term: str, weight: float) -> None:
        """Of a loss term, as its slider is called; the Training tab must be shown."""
        field = self.page.get_by_label(f"{term}, as a number")
        field.fill(str(weight))
        field.blur()

    def _stop(self) -> Locator:
        return self.page.get_by_role("button", name=re.compile("^Stop"))

    def _link(self) -> Locator:
        return self.page.get_by_text(OPEN_TASK)

    def _task(self, text: str) -> int:
        found = OPEN_TASK.search(text)
        assert found is not None
        return int(found.group(1))
