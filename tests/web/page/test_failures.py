"""What could not be had the first time, came late, or is of other versions: it is asked for again, not mixed up."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.web.page.stage import opened
from tests.web.page.synthetic_map import CLASSES, FIRST_TASK, SyntheticMap, serving

pytestmark = pytest.mark.e2e

POINTS = 500
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
RETRIED = 15_000
"""Milliseconds until the page has asked again."""


@pytest.fixture
def world() -> SyntheticMap:
    made = SyntheticMap(POINTS)
    made.columns["status"][:] = 1
    return made


def failing(times: int, then: Callable[[Route], None], status: int = 502) -> Callable[[Route], None]:
    """Answers as a proxy whose server is away, so many times."""
    left = [times]

    def answer(route: Route) -> None:
        left[0] -= 1
        if left[0] >= 0:
            route.fulfill(status=status, body="", headers={"Retry-After": "1"})
        else:
            then(route)

    return answer


def passing(route: Route) -> None:
    route.continue_()


@pytest.mark.parametrize(("what", "times"), [("columns/*", 7), ("state", 2)])
def test_a_map_that_could_not_be_loaded_is_loaded_later(
    browser_without_gl: Browser, world: SyntheticMap, what: str, times: int
) -> None:
    with serving(world) as address:
        page = browser_without_gl.new_page()
        page.route(f"**/api/{what}", failing(times, passing))
        page.goto(address)
        expect(page.get_by_role("alert")).to_contain_text("502")
        page.wait_for_function("window.__map?.ready === true", timeout=RETRIED)
        expect(page.get_by_role("alert")).to_have_count(0)
        page.close()


def test_colours_that_could_not_be_had_come_later(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world) as page:
        before = page.evaluate("window.__map.colourOf(0)")
        page.route("**/api/columns/*", failing(1, passing))
        world.act({"label": CLASSES[8], "tasks": [FIRST_TASK]})
        page.wait_for_function("(before) => window.__map.colourOf(0) !== before", arg=before, timeout=RETRIED)


def test_a_session_that_ends_early_is_renewed(browser_without_gl: Browser, world: SyntheticMap) -> None:
    def only_the_new_one(route: Route) -> None:
        if route.request.headers["authorization"] == "Bearer new":
            route.fulfill(json={"rows": [1, 2], "total": 2, "cut": False})
        else:
            route.fulfill(status=401, headers={"WWW-Authenticate": "Bearer"}, json={"error": "unknown token"})

    with opened(browser_without_gl, world) as page:
        page.route("**/api/session", lambda route: route.fulfill(json={"token": "new", "expires_in": 900}))
        page.route("**/api/search?*", only_the_new_one)
        page.get_by_label("Search the items").fill("card")
        expect(page.locator(".hits")).to_contain_text("2 hits")


def test_a_token_that_is_taken_no_more_is_asked_for_anew(browser_without_gl: Browser, world: SyntheticMap) -> None:
    def only_the_new_one(route: Route) -> None:
        if route.request.headers["x-label-studio-token"] == "new":
            route.continue_()
        else:
            route.fulfill(status=401, json={"error": "Label Studio does not take this token"})

    field = "Your Label Studio access token"
    with opened(browser_without_gl, world) as page:
        page.route("**/api/acts", only_the_new_one)
        page.evaluate("window.__map.select([3])")
        page.keyboard.press("2")
        page.get_by_label(field).fill("old")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Sign in to label")).to_be_visible()
        page.locator(".toast").get_by_role("button", name="Try again").click()
        page.get_by_label(field).fill("new")
        page.keyboard.press("Enter")
        expect(page.locator(".toast", has_text="Labelled 1 as card arrival")).to_be_visible()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def test_what_else_fails_leaves_the_message_to_try_again(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world) as page:
        page.get_by_role("button", name="Sign in to label").click()
        page.get_by_label("Your Label Studio access token").fill("token")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        page.route("**/api/**", lambda route: route.abort())
        page.evaluate("window.__map.select([3])")
        page.keyboard.press("2")
        for tab in ("Queue", "Training", "Queue", "Training"):
            with page.expect_event("requestfailed", lambda request: request.url.endswith(("/training", "limit=50"))):
                page.get_by_role("tab", name=tab).click()
        page.unroute("**/api/**")
        page.locator(".toast").get_by_role("button", name="Try again").click()
        expect(page.locator(".toast", has_text="Labelled 1 as card arrival")).to_be_visible()


def test_what_a_panel_lists_comes_with_the_connection(browser_without_gl: Browser, world: SyntheticMap) -> None:
    act = {"id": 9, "kind": "skip", "label": None, "control": None, "person": "Ada", "tasks": 4}
    told = {"created_at": "2025-01-01T00:00:00+00:00", "undone": False, "error": None}
    progress = {"sent": 4, "failed": 0, "waiting": 0}
    with opened(browser_without_gl, world) as page:
        page.get_by_role("tab", name="Queue").click()
        page.route("**/api/**", lambda route: route.abort())
        world.drop_events = True
        expect(page.get_by_text("No connection")).to_be_visible(timeout=RETRIED)
        page.get_by_role("tab", name="Selection").click()
        world.answers["acts"] = {"acts": [{**act, **told, "progress": progress}]}
        world.drop_events = False
        page.unroute("**/api/**")
        expect(page.get_by_text("Skipped 4 items")).to_be_visible(timeout=2 * RETRIED)


def test_a_tile_whose_card_failed_gets_it_later(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world) as page:
        page.route("**/api/items", failing(1, passing))
        page.evaluate("window.__map.select([3])")
        expect(page.locator(".toast")).to_contain_text("502")
        expect(page.locator(".tile")).to_contain_text("Question 3", timeout=RETRIED)


def test_components_that_failed_are_listed_later(browser_without_gl: Browser, world: SyntheticMap) -> None:
    one = {"c": 7, "mass": 0.2, "items": 10, "label": None, "labelled": 0}
    world.answers["components"] = {"components": [one]}
    with opened(browser_without_gl, world) as page:
        page.route("**/api/components?*", failing(1, passing))
        page.get_by_role("tab", name="Components").click()
        expect(page.get_by_role("tabpanel")).to_contain_text("502")
        listed = page.get_by_role("grid", name="Components")
        expect(listed).to_be_visible(timeout=RETRIED)
        listed.press("ArrowDown")
        active = page.locator(f"[id='{listed.get_attribute('aria-activedescendant')}']")
        expect(active).to_contain_text("7")


def test_a_picture_that_is_being_fetched_is_asked_for_again(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world) as page:
        pictured(page, world)
        page.route("**/thumbnail", failing(2, lambda route: route.fulfill(body=PICTURE, content_type="image/png"), 503))
        page.evaluate("window.__map.select([3])")
        expect(page.locator(".tile img")).to_be_visible(timeout=RETRIED)


def test_a_row_that_got_another_task_shows_its_picture(browser_without_gl: Browser, world: SyntheticMap) -> None:
    asked: list[tuple[str, object]] = []

    def picture(route: Route) -> None:
        asked.append((route.request.url.split("/items/")[1], world.versions["rows"]))
        route.fulfill(body=PICTURE, content_type="image/png")

    with opened(browser_without_gl, world) as page:
        pictured(page, world)
        page.route("**/thumbnail", picture)
        page.evaluate("window.__map.select([3])")
        expect(page.locator(".tile img")).to_be_visible()
        world.turn_around()
        page.wait_for_function("(row) => window.__map.selection()[0] === row", arg=POINTS - 4)
        page.evaluate("window.__map.select([3])")
        expect(page.locator(".tile img")).to_be_visible()
        assert ("3/thumbnail", world.versions["rows"]) in asked


def test_what_was_ranked_for_another_class_is_not_labelled(browser_without_gl: Browser, world: SyntheticMap) -> None:
    held: list[Route] = []
    world.answers["ranked"] = {"rows": list(range(30)), "p": [0.99 - i / 100 for i in range(30)]}
    with opened(browser_without_gl, world) as page:
        page.get_by_role("tab", name="Class").click()
        expect(page.locator(".ranked").first).to_be_visible()
        page.route("**/api/ranked?*", lambda route: held.append(route))
        page.get_by_role("button", name="Next class").click()
        expect(page.get_by_role("tabpanel").get_by_role("combobox")).to_have_value("1")
        expect(page.locator(".ranked")).to_have_count(0)
        for _ in range(250):  # up to five seconds
            if held:
                break
            page.wait_for_timeout(20)
        held[0].continue_()
        expect(page.locator(".ranked").first).to_be_visible()


def test_a_card_is_gone_once_it_is_unpinned(browser_without_gl: Browser, world: SyntheticMap) -> None:
    near = {"row": 100, "task": 1100, "label": CLASSES[0], "similarity": 0.9, "text": ""}
    world.answers["items/5"] = {**world.card(5), "nearest_labelled": near}
    with opened(browser_without_gl, world) as page:
        page.evaluate("window.__map.select([5])")
        page.locator(".gallery .tile").click(button="right")
        page.get_by_role("button", name="show", exact=True).click()
        expect(page.locator(".card.pinned")).to_contain_text("Question 100")
        page.keyboard.press("Escape")
        expect(page.locator(".card")).to_have_count(0)
        page.locator(".gallery .tile").click(button="right")
        page.get_by_role("button", name="Unpin").click()
        expect(page.locator(".card")).to_have_count(0)


def test_a_map_without_a_task_says_so(browser_without_gl: Browser) -> None:
    world = SyntheticMap(3)
    with opened(browser_without_gl, world) as page:
        said = page.get_by_text("No task of this project is left in Label Studio")
        expect(said).to_have_count(0)
        world.delete(0, 1, 2)
        expect(said).to_be_visible()


def test_columns_of_no_items_do_not_hang_the_page(browser_without_gl: Browser) -> None:
    with serving(SyntheticMap(0)) as address:
        page = browser_without_gl.new_page()
        with page.expect_response("**/columns/changed?*"):
            page.goto(address)
        expect(page.get_by_text("Loading the points")).to_be_visible()
        page.close()


def pictured(page: Page, world: SyntheticMap) -> None:
    """Every card has a picture."""

    def cards(route: Route) -> None:
        rows = json.loads(route.request.post_data or "")["rows"]
        route.fulfill(json={"items": [{**world.card(row), "thumbnail": True} for row in rows]})

    page.route("**/api/items", cards)
