"""The suggestion that somebody looks at, when its task or its row goes; and what is said of that."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.web.page.stage import on_screen, opened
from tests.web.page.synthetic_map import CLASSES, FIRST_TASK, SyntheticMap

pytestmark = pytest.mark.e2e

POINTS = 500
QUEUED = (5, 6, 7)
ACT = {
    "id": 9, "kind": "label", "label": CLASSES[0], "control": "intent", "person": "Ada", "tasks": 1,
    "created_at": "2025-01-01T00:00:00+00:00", "undone": True, "progress": {"sent": 1, "failed": 0, "waiting": 0},
    "error": None,
}  # fmt: skip
LATE = """(what) => {
  const fetched = window.fetch, opened = new Promise((open) => (window.__letThrough = open));
  window.fetch = async (address, ...more) => {
    if (String(address).includes(what)) await opened;
    return fetched(address, ...more);
  };
}"""
HELD = """() => {
  const fetched = window.fetch;
  window.__held = [];
  window.fetch = async (address, ...more) => {
    if (String(address).includes('queue')) await new Promise((open) => window.__held.push(open));
    return fetched(address, ...more);
  };
}"""
ELSEWHERE = "the suggestion you looked at, was just answered elsewhere"


@pytest.fixture
def world() -> SyntheticMap:
    """Nothing is labelled, three tasks are asked for."""
    made = SyntheticMap(POINTS)
    made.columns["status"][:] = 1
    made.answers["queue"] = queue(made, *QUEUED)
    return made


def queue(world: SyntheticMap, *tasks: int) -> dict[str, object]:
    """tasks: counted from the first one. Under their rows of now."""
    rows = {int(task): row for row, task in enumerate(world.columns["ids"])}
    found = [(rows[FIRST_TASK + task], task) for task in tasks]
    return {"items": [{"row": row, "task": FIRST_TASK + i, "reason": f"Reason {i}", "score": 0} for row, i in found]}


def sign_in(page: Page) -> None:
    field = page.get_by_label("Your Label Studio access token")
    field.fill("token")
    page.keyboard.press("Enter")
    expect(field).to_have_count(0)


def walk_to(page: Page, reason: str) -> None:
    page.keyboard.press("n")
    expect(page.locator(".reason")).to_have_text(reason)


def posted(world: SyntheticMap) -> list[str]:
    return [path for path, _ in world.bodies if path not in ("session", "sign-in", "items")]


@pytest.mark.parametrize("what", ["deleted", "answered"])
def test_who_types_a_class_goes_on_when_the_suggestion_goes(
    browser_without_gl: Browser, world: SyntheticMap, what: Literal["deleted", "answered"]
) -> None:
    with opened(browser_without_gl, world) as page:
        page.get_by_role("button", name="Sign in to label").click()
        sign_in(page)
        walk_to(page, "Reason 5")
        field = page.get_by_label("Type a class")
        field.focus()
        page.keyboard.type("iden")
        world.answers["queue"] = queue(world, 6, 7)
        world.delete(5) if what == "deleted" else world.answer(5)
        expect(page.locator(".toast")).to_contain_text("the suggestion you looked at")
        expect(page.locator(".reason")).to_have_count(0)
        page.keyboard.type("tity")
        expect(field).to_be_focused()
        expect(field).to_have_value("identity")
        assert posted(world) == []


def test_n_passes_a_task_that_was_deleted_while_another_tab_was_open(
    browser_without_gl: Browser, world: SyntheticMap
) -> None:
    with opened(browser_without_gl, world) as page:
        walk_to(page, "Reason 5")
        page.get_by_role("tab", name="Selection").click()
        world.delete(6)
        page.wait_for_function("window.__map.colourOf(6) === ''")
        walk_to(page, "Reason 7")


def test_n_goes_to_tasks_and_not_to_the_rows_that_they_had(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world) as page:
        walk_to(page, "Reason 5")
        page.get_by_role("tab", name="Selection").click()
        first = on_screen(page, 0)
        world.turn_around()
        world.answers["queue"] = queue(world, *QUEUED)
        page.wait_for_function("([x]) => window.__map.screenPosition(0)[0] !== x", arg=list(first))
        walk_to(page, "Reason 6")
        page.keyboard.press("1")
        sign_in(page)
        expect(page.locator(".toast", has_text="Labelled 1")).to_be_visible()
        assert [body["tasks"] for path, body in world.bodies if path == "acts"] == [[FIRST_TASK + 6]]


def test_n_waits_for_the_newest_list_and_does_not_say_that_none_is_left(
    browser_without_gl: Browser, world: SyntheticMap
) -> None:
    """A training that ends asks for the list anew while N's own question is on its way."""
    with opened(browser_without_gl, world) as page:
        page.evaluate(HELD)
        page.keyboard.press("n")
        page.wait_for_function("window.__held.length === 1")
        page.get_by_role("tab", name="Queue").click()
        page.wait_for_function("window.__held.length === 2")
        with page.expect_response("**/queue*") as first:
            page.evaluate("window.__held[0]()")
        first.value.finished()
        page.evaluate("new Promise(requestAnimationFrame)")
        expect(page.locator(".toast")).to_have_count(0)
        page.evaluate("window.__held[1]()")
        expect(page.locator(".reason")).to_have_text("Reason 5")


@pytest.mark.parametrize("late", ["columns/", "queue"])
def test_the_suggestion_stays_when_its_row_moves_whatever_comes_first(
    browser_without_gl: Browser, world: SyntheticMap, late: str
) -> None:
    with opened(browser_without_gl, world) as page:
        walk_to(page, "Reason 5")
        page.evaluate("window.__map.select([0])")
        page.get_by_role("tab", name="Queue").click()
        page.evaluate(LATE, late)
        world.turn_around()
        world.answers["queue"] = queue(world, 8, 9)
        if late == "queue":
            page.wait_for_function("(last) => window.__map.selection()[0] === last", arg=POINTS - 1)
        else:
            expect(page.locator(".queue")).to_contain_text("Reason 8")
        expect(page.locator(".reason")).to_have_text("Reason 5")
        page.evaluate("window.__letThrough()")
        expect(page.locator(".queue")).to_contain_text("Reason 8")
        page.wait_for_function("(last) => window.__map.selection()[0] === last", arg=POINTS - 1)
        expect(page.locator(".reason")).to_have_text("Reason 5")


def test_one_s_own_redo_is_no_answer_from_elsewhere(browser_without_gl: Browser, world: SyntheticMap) -> None:
    world.answers["acts"] = {"acts": [ACT]}

    def redo(route: Route) -> None:
        world.answer(5)
        route.fulfill(json={"act": {**ACT, "undone": False}, "kept": 0})

    with opened(browser_without_gl, world) as page:
        page.route("**/api/acts/9/redo", redo)
        walk_to(page, "Reason 5")
        page.get_by_role("tab", name="Selection").click()
        page.get_by_role("button", name="Redo: Labelled").click()
        sign_in(page)
        expect(page.locator(".toast", has_text="Labelled 1")).to_be_visible()
        page.wait_for_function("window.__map.version().labels === 2")
        page.get_by_role("tab", name="Queue").click()
        expect(page.locator(".queue .done")).to_have_count(1)
        expect(page.locator(".toast", has_text=ELSEWHERE)).to_have_count(0)


def test_what_label_studio_shows_beside_the_map_is_answered_there_without_a_word(
    browser_without_gl: Browser, world: SyntheticMap
) -> None:
    with opened(browser_without_gl, world, f"?task={FIRST_TASK + 6}") as page:
        page.get_by_role("tab", name="Queue").click()
        expect(page.locator(".reason")).to_have_text("Reason 6")
        world.answer(6)
        expect(page.locator(".queue .done")).to_have_count(1)
        expect(page.locator(".toast")).to_have_count(0)
        walk_to(page, "Reason 7")
        world.answer(7)
        expect(page.locator(".toast")).to_contain_text(f"Task {FIRST_TASK + 7}, {ELSEWHERE}.")


@pytest.mark.parametrize("undone", [False, True])
def test_a_task_that_got_no_label_here_may_be_answered_elsewhere(
    browser_without_gl: Browser, world: SyntheticMap, undone: bool
) -> None:
    def refuse(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(status=409, json={"error": "all of these are labelled"})
        else:
            route.fallback()

    def undo(route: Route) -> None:
        world.columns["status"][5] = 1
        world.versions = {**world.versions, "labels": 3}
        route.fulfill(json={"act": ACT})

    with opened(browser_without_gl, world) as page:
        if not undone:
            page.route("**/api/acts", refuse)
        page.route("**/api/acts/*/undo", undo)
        walk_to(page, "Reason 5")
        page.keyboard.press("1")
        sign_in(page)
        if undone:
            page.locator(".toast").get_by_role("button", name="Undo").click()
            expect(page.locator(".toast", has_text="Undone")).to_be_visible()
        else:
            expect(page.locator(".toast", has_text="all of these are labelled")).to_be_visible()
        expect(page.locator(".reason")).to_have_text("Reason 6")
        expect(page.locator(".queue .done")).to_have_count(0)
        page.keyboard.press("p")
        expect(page.locator(".reason")).to_have_text("Reason 5")
        world.answer(5)
        expect(page.locator(".toast", has_text=f"Task {FIRST_TASK + 5}, {ELSEWHERE}.")).to_be_visible()
