"""What changes while the map is open: points that move, rows with other numbers, lost streams."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Browser, Route, expect

from tests.web.page.stage import POINTS, on_screen, opened, selection
from tests.web.page.synthetic_map import CLASSES, FIRST_TASK, SyntheticMap

pytestmark = pytest.mark.e2e


def test_points_move_and_the_selection_and_the_view_stay(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world, "?view=0.1,0.2,2") as page:
        page.evaluate("window.__map.select([3, 4])")
        before, view = on_screen(page, 3), page.evaluate("window.__map.view()")
        moved = world.xy.copy()
        moved[3] += 0.05
        world.move(moved)
        page.wait_for_function("([x]) => Math.abs(window.__map.screenPosition(3)[0] - x) > 5", arg=list(before))
        assert selection(page) == [3, 4]
        assert page.evaluate("window.__map.view()") == view
        page.keyboard.press("k")
        still = on_screen(page, 3)
        moved = moved.copy()
        moved[3] -= 0.1
        world.move(moved)
        frame = world.versions["frame"]
        page.wait_for_function("(frame) => window.__map.version().frame === frame", arg=frame)
        page.evaluate("window.__map.fps(3)")
        assert on_screen(page, 3) == still
        page.keyboard.press("k")
        page.wait_for_function("([x]) => Math.abs(window.__map.screenPosition(3)[0] - x) > 5", arg=list(still))


def test_the_selection_follows_its_tasks_when_rows_get_other_numbers(
    browser_without_gl: Browser, world: SyntheticMap
) -> None:
    with opened(browser_without_gl, world) as page:
        page.evaluate("window.__map.select([0, 7])")
        for name, values in world.columns.items():
            world.columns[name] = np.ascontiguousarray(values[::-1])
        world.versions = {**world.versions, "rows": "b", "publication": 2}
        page.wait_for_function("window.__map.version().rows === 'b' && window.__map.selection()[0] > 7")
        assert selection(page) == [POINTS - 8, POINTS - 1]


def test_a_lost_stream_is_taken_up_again_and_a_refused_one_is_replaced_by_asking(
    browser_without_gl: Browser, world: SyntheticMap
) -> None:
    with opened(browser_without_gl, world) as page:
        world.drop_events = True
        page.wait_for_timeout(400)
        world.drop_events = False
        world.act({"label": CLASSES[0], "tasks": [FIRST_TASK]})
        page.wait_for_function("window.__map.version().labels === 2")
    world.refuse_events = True
    with opened(browser_without_gl, world) as page:
        world.act({"label": CLASSES[1], "tasks": [FIRST_TASK]})
        page.wait_for_function("window.__map.version().labels === 3")


def test_a_new_queue_leaves_the_suggestion_that_is_looked_at(browser_without_gl: Browser, world: SyntheticMap) -> None:
    def suggestions(*rows: int) -> dict[str, object]:
        return {"items": [{"row": r, "task": FIRST_TASK + r, "reason": f"Reason {r}", "score": 0} for r in rows]}

    world.answers["queue"] = suggestions(5, 6)
    with opened(browser_without_gl, world) as page:
        page.keyboard.press("n")
        expect(page.locator(".reason")).to_have_text("Reason 5")
        world.answers["queue"] = suggestions(8, 9)
        world.versions = {**world.versions, "publication": 2}
        expect(page.locator(".queue")).to_contain_text("Reason 9")
        expect(page.locator(".reason")).to_have_text("Reason 5")
        page.keyboard.press("n")
        expect(page.locator(".reason")).to_have_text("Reason 8")


def test_what_is_deleted_far_off_leaves_the_view_of_all(browser_without_gl: Browser, world: SyntheticMap) -> None:
    far = range(POINTS - 10, POINTS)
    world.columns["xy"] = 0.3 * world.xy
    world.columns["xy"][list(far)] = 0.95
    with opened(browser_without_gl, world) as page:
        home = page.evaluate("window.__map.view()")
        world.delete(*far)
        page.wait_for_function("(zoom) => window.__map.view().zoom > 1.5 * zoom", arg=home["zoom"])
        closer = page.evaluate("window.__map.view()")
        page.get_by_role("button", name="Closer").click()
        page.get_by_role("button", name="Show all").click()
        assert page.evaluate("window.__map.view()") == pytest.approx(closer)


def test_an_act_that_is_refused_brings_no_deleted_task_back(browser_without_gl: Browser, world: SyntheticMap) -> None:
    def refuse(route: Route) -> None:
        world.delete(1)
        page.wait_for_function("window.__map.colourOf(1) === ''")
        route.fulfill(status=409, json={"error": "one of these was deleted"})

    world.columns["status"][:3] = 1
    with opened(browser_without_gl, world) as page:
        before = page.evaluate("window.__map.colourOf(0)")
        page.evaluate("window.__map.select([0, 1, 2])")
        page.keyboard.press("1")
        page.route("**/api/acts", refuse)
        page.get_by_label("Your Label Studio access token").fill("token")
        page.keyboard.press("Enter")
        expect(page.locator(".toast", has_text="one of these was deleted")).to_be_visible()
        page.keyboard.press("Escape")
        page.wait_for_function("(colour) => window.__map.colourOf(0) === colour", arg=before)
        assert page.evaluate("window.__map.colourOf(1)") == ""
