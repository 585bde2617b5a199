"""Pages of Label Studio that the map leads to: opened in a tab, or, in a sandbox without tabs, an address to copy."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Frame, Page, Route, expect

from tests.web.page.stage import inside_another_page, opened
from tests.web.page.synthetic_map import FIRST_TASK, SyntheticMap

pytestmark = pytest.mark.e2e

HOME = "http://label-studio.test"
ROW = 5
TASK = f"{HOME}/projects/5/data?task={FIRST_TASK + ROW}"
ACCOUNT = f"{HOME}/user/account"


@pytest.fixture
def world() -> SyntheticMap:
    world = SyntheticMap(2000)
    suggestion = {"row": ROW, "task": FIRST_TASK + ROW, "reason": "Reason", "score": 0}
    state = world.state() | {"label_studio": {"url": HOME, "project": 5}}
    world.answers |= {"queue": {"items": [suggestion]}, "state": state}
    return world


def pin(page: Page | Frame) -> None:
    page.evaluate("(row) => window.__map.select([row])", ROW)
    page.get_by_role("tab", name="Selection").click()
    page.locator(".gallery .tile").click(button="right")


def follow(page: Page, name: str) -> str:
    """Address of the tab that a link opens."""

    def answer(route: Route) -> None:
        route.fulfill(body="<title>Label Studio</title>", content_type="text/html")

    page.context.route(f"{HOME}/**", answer)
    with page.expect_popup() as tab:
        page.get_by_role("link", name=name).click()
    tab.value.wait_for_load_state()
    address = tab.value.url
    assert tab.value.evaluate("window.opener") is None
    tab.value.close()
    return address


def test_each_link_opens_its_page_of_label_studio(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world) as page:
        pin(page)
        assert follow(page, "Open in Label Studio") == TASK
        page.keyboard.press("n")
        assert follow(page, f"Open task {FIRST_TASK + ROW} in Label Studio") == TASK
        page.get_by_role("button", name="Sign in to label").click()
        assert follow(page, "Open your account in Label Studio") == ACCOUNT
        expect(page.get_by_label("to copy")).to_have_count(0)


def test_in_a_sandbox_each_address_can_be_copied(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with inside_another_page(browser_without_gl, world) as (page, frame):
        pin(frame)
        card = frame.locator(".card.pinned").get_by_label("Address of the task, to copy")
        expect(card).to_have_value(TASK)
        card.click()
        chosen = "(field) => field.value.slice(field.selectionStart, field.selectionEnd)"
        assert card.evaluate(chosen) == TASK
        frame.get_by_role("tab", name="Queue").click()
        frame.get_by_role("button", name="Next").click()
        in_queue = frame.locator(".current").get_by_label("Address of the task, to copy")
        expect(in_queue).to_have_value(TASK)
        frame.get_by_role("button", name="Sign in").click()
        expect(frame.get_by_label("Address of your account, to copy")).to_have_value(ACCOUNT)
        assert len(page.context.pages) == 1
