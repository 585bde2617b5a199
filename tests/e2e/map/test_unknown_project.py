"""The map of a project that a real Lantern does not have: said once, with what to do, and asked for once."""

from __future__ import annotations

from playwright.sync_api import Browser, Request, expect

from tests.e2e.map.world import MapWorld

NUMBER = 7777
LONGER_THAN_A_RETRY = 4_000


def test_it_is_said_once_with_what_to_do_and_not_asked_again(browser: Browser, map_world: MapWorld) -> None:
    user, password = map_world.settings.basic_auth_user, map_world.settings.basic_auth_pass
    assert user is not None
    assert password is not None
    page = browser.new_page(http_credentials={"username": user, "password": password})
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if "/api/" in request.url else None)
    page.goto(f"{map_world.lantern.url}/map/{NUMBER}")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(f"Lantern does not know project {NUMBER}")
    expect(alert).to_contain_text(f"lantern connect --project {NUMBER}")
    page.wait_for_timeout(LONGER_THAN_A_RETRY)
    expect(page.get_by_text("does not know")).to_have_count(1)
    expect(page.locator(".toast")).to_have_count(0)
    assert [request.url.rpartition("/api/")[2] for request in asked] == ["session"]

    asked.clear()
    alert.get_by_role("button", name="Look again").click()
    expect(alert).to_contain_text("does not know")
    assert len(asked) == 1
    page.close()


def test_an_address_that_names_no_project_says_what_is_missing(browser: Browser, map_world: MapWorld) -> None:
    user, password = map_world.settings.basic_auth_user, map_world.settings.basic_auth_pass
    page = browser.new_page(http_credentials={"username": str(user), "password": str(password)})
    page.goto(f"{map_world.lantern.url}/map/digits")
    expect(page.get_by_role("alert")).to_contain_text("There is no project “digits”")
    expect(page.get_by_text("lantern connect")).to_have_count(0)
    page.close()
