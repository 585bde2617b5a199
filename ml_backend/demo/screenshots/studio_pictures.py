"""The pictures of the map inside Label Studio: beside a task, and as a picture to draw on."""

from __future__ import annotations

import re

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Frame, Page

from ml_backend.demo.scenario import Scenario
from ml_backend.demo.screenshots.clump import outline, purest_clump
from ml_backend.demo.screenshots.map_data import MapData
from ml_backend.demo.screenshots.picture import keep
from ml_backend.demo.screenshots.sheet import Sheet, newest_sheet
from ml_backend.demo.screenshots.studio import WAIT_MILLISECONDS, Studio
from ml_backend.demo.screenshots.task_pictures import open_task
from ml_backend.errors import DemoError
from ml_backend.store.database import Database

BESIDE = (1440, 900)
SHEET = (1440, 1000)
SETTLE_MILLISECONDS = 3_000
POLL_MILLISECONDS = 200
CLICK_MILLISECONDS = 400
"""Label Studio takes two quick clicks for a double-click, which ends an outline."""
CLUMP = 250
MARGIN = 1.0
"""Percent of the picture, around the points."""
CORNERS = 9


class StudioPictures:
    """Of one project that `lantern connect --map --label-on-map` has prepared."""

    def __init__(self, studio: Studio, scenario: Scenario, db: Database) -> None:
        self.studio, self.scenario, self.db = studio, scenario, db

    def take(self, data: MapData) -> None:
        """map-beside-task.png and label-on-map.png."""
        task = data.queue()[0]["task"]
        with self.studio.signed_in(*BESIDE) as page:
            open_task(page, self.scenario, task)
            _wait_for_map(page)
            keep(page, "map-beside-task.png", settle=SETTLE_MILLISECONDS)
        with self.studio.signed_in(*SHEET) as page:
            sheet = newest_sheet(self.db, self.scenario)
            page.goto(
                f"{self.studio.url}/projects/{sheet.project}/data?task={sheet.task}", wait_until="domcontentloaded"
            )
            page.get_by_role("button", name="Submit").wait_for()
            self._draw(page, sheet)
            keep(page, "label-on-map.png", settle=SETTLE_MILLISECONDS)

    def _draw(self, page: Page, sheet: Sheet) -> None:
        """An outline around a clump of one class, not submitted."""
        canvas = page.locator("canvas").first
        canvas.wait_for()
        page.wait_for_function("document.querySelector('canvas').getBoundingClientRect().width > 300")
        box = canvas.bounding_box()
        assert box is not None
        truths = [self.scenario.answer(task) for task in sheet.tasks]
        rows = purest_clump(sheet.places, truths, CLUMP)
        label = str(truths[int(rows[0])])
        # each choice shows its name and then its key, which may be another choice's name
        page.locator(".lsf-label").filter(has_text=re.compile(rf"^\s*{re.escape(label)}")).first.click()
        corners = outline(sheet.places[rows], MARGIN, CORNERS)
        for x, y in [*corners, corners[0]]:
            page.mouse.click(box["x"] + x / 100 * box["width"], box["y"] + y / 100 * box["height"])
            page.wait_for_timeout(CLICK_MILLISECONDS)


def _wait_for_map(page: Page) -> None:
    """Until the map in the frame beside the task has drawn its points."""
    for _ in range(WAIT_MILLISECONDS // POLL_MILLISECONDS):
        if any("/map/" in frame.url and _is_ready(frame) for frame in page.frames):
            return
        page.wait_for_timeout(POLL_MILLISECONDS)
    raise DemoError("the map beside the task did not come")


def _is_ready(frame: Frame) -> bool:
    try:
        return bool(frame.evaluate("window.__map?.ready === true"))
    except PlaywrightError:
        return False  # it loads, or Label Studio builds it anew
