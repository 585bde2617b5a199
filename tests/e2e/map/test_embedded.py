"""The map beside a task, in the real Label Studio: drawn on, labelled and undone there, within its policy."""

from __future__ import annotations

from playwright.sync_api import ConsoleMessage, Frame, Page
from playwright.sync_api import Error as PlaywrightError

from tests.e2e.browser import WAIT_MILLISECONDS, signed_in
from tests.e2e.map.desk import WATCH, Desk
from tests.e2e.map.world import MapWorld
from tests.e2e.world import KINDS, wait_for

LASSO_PIXELS = 14
LOOK_MILLISECONDS = 500
STEADY_LOOKS = 4
"""Label Studio builds the task's screen several times over: a frame that is the same for so long stays."""


def test_a_lasso_in_label_studio_labels_there(map_world: MapWorld) -> None:
    map_world.forget_labels()
    ids = map_world.column("ids")
    task = int(ids[0])
    with signed_in(map_world.label_studio, 1600, 1000) as page:
        complaints: list[str] = []

        def listen(said: ConsoleMessage) -> None:
            if said.type == "error" and said.location["url"].startswith(map_world.lantern.url):
                complaints.append(said.text)

        page.on("console", listen)
        page.add_init_script(WATCH)
        address = f"{map_world.label_studio.url}/projects/{map_world.project}/data?task={task}"
        page.goto(address, wait_until="domcontentloaded")
        desk = Desk(page, steady_map(page))
        desk.wait_until_ready()
        desk.frame.locator(".map-host").scroll_into_view_if_needed()

        plain = desk.colour(0)
        rows = desk.draw_around(0, LASSO_PIXELS)
        assert 0 in rows
        desk.press("2")
        desk.sign_in(map_world.token)
        desk.wait_for_colour(0, other_than=plain)
        wait_for(lambda: map_world.has_labels({int(ids[row]): KINDS[1] for row in rows}))
        desk.press("Control+z")
        wait_for(lambda: map_world.has_labels({}))
        desk.wait_until_coloured(0, plain)
        complaints += desk.frame.evaluate("window.__complaints")
        assert complaints == []


def steady_map(page: Page) -> Frame:
    """The map's frame, once Label Studio has come to rest."""
    before: Frame | None = None
    steady = 0
    for _ in range(WAIT_MILLISECONDS // LOOK_MILLISECONDS):
        page.wait_for_timeout(
            LOOK_MILLISECONDS
        )  # not time.sleep: frames come only while the browser is asked something
        now = next((frame for frame in page.frames if is_ready(frame)), None)
        steady = steady + 1 if now is not None and now == before else 0
        before = now
        if now is not None and steady >= STEADY_LOOKS:
            return now
    raise AssertionError("the map beside the task did not come")


def is_ready(frame: Frame) -> bool:
    """Whether a frame is a map with its points."""
    try:
        return "/map/" in frame.url and bool(frame.evaluate("window.__map?.ready === true"))
    except PlaywrightError:  # it is gone
        return False
