"""A class is given another name on the map, in a real browser with made-up points: the name is seen everywhere, and the
label config's value is what labels are made of.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.web.page.synthetic_map import CLASSES, SyntheticMap, serving
from tests.web.page.test_panels import AXE, SERIOUS, Desk

pytestmark = pytest.mark.e2e

PAINTED = """
window.__painted = new Set();
const fill = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
  window.__painted.add(text);
  return fill.call(this, text, ...place);
};
"""
VALUE, NAME = CLASSES[0], "Money back"


@pytest.fixture
def desk(browser: Browser) -> Iterator[Desk]:
    world = SyntheticMap(4000)
    world.answers["ranked"] = {"rows": [1, 2, 3], "p": [0.9, 0.8, 0.7]}
    with serving(world) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(PAINTED)
        yield Desk(page, world, address)
        page.close()


def row_of(desk: Desk, status: int) -> int:
    """A row of the class that gets another name."""
    columns = desk.world.columns
    return int(((columns["class"] == 0) & (columns["status"] == status)).argmax())


def test_a_name_is_given_and_taken_back_in_the_legend(desk: Desk) -> None:
    page = desk.open()
    page.get_by_role("button", name=f"Colour and name of {VALUE}").click()
    field = page.get_by_label("Shown as")
    expect(field).to_have_attribute("placeholder", VALUE)
    found = page.evaluate(AXE.read_text("utf-8") + "; axe.run(document).then((result) => result.violations)")
    assert [one["id"] for one in found if one["impact"] in SERIOUS] == []
    field.fill(NAME)
    page.keyboard.press("Enter")
    desk.sign_in()
    assert desk.posted(f"controls/intent/classes/{VALUE}") == [{"shown_as": NAME}]
    row = page.locator(".legend-row", has_text=NAME)
    assert f"{NAME} (“{VALUE}” in Label Studio)" in (row.get_attribute("title") or "")
    expect(page.locator(".legend-row", has_text=VALUE)).to_have_count(0)
    page.wait_for_function("(name) => window.__painted.has(name)", arg=NAME)

    page.get_by_role("button", name=f"Colour and name of {NAME}").click()
    expect(field).to_have_value(NAME)
    field.fill("")
    page.get_by_role("button", name="Rename").click()
    expect(page.locator(".legend-row", has_text=VALUE)).to_be_visible()
    assert desk.posted(f"controls/intent/classes/{VALUE}")[-1] == {"shown_as": ""}


def test_a_name_that_the_server_refuses_is_explained_and_can_be_mended(desk: Desk) -> None:
    page = desk.open()
    refusal = '{"error": "the class has this name already"}'
    page.route("**/controls/intent/classes/*", lambda route: route.fulfill(status=400, body=refusal))
    page.get_by_role("button", name=f"Colour and name of {VALUE}").click()
    page.get_by_label("Shown as").fill(CLASSES[1])
    page.get_by_role("button", name="Rename").click()
    desk.sign_in()
    expect(page.locator(".toast")).to_contain_text("has this name already")
    expect(page.get_by_label("Shown as")).to_have_value(CLASSES[1])


@pytest.mark.parametrize("typed", ["refu", "money"])
def test_typing_finds_both_names_and_gives_the_value(desk: Desk, typed: str) -> None:
    desk.world.shown_as[VALUE] = NAME
    page = desk.open()
    desk.select(5, first=9)
    choices = page.get_by_role("listbox", name="Classes").get_by_role("option")
    expect(choices.filter(has_text=NAME)).to_contain_text(VALUE)
    page.keyboard.press("y")
    page.keyboard.type(typed)
    expect(choices.first).to_contain_text(NAME)
    page.keyboard.press("Enter")
    desk.sign_in()
    assert desk.posted("acts")[0]["label"] == VALUE
    expect(page.locator(".toast")).to_contain_text(f"as {NAME}")


def test_the_name_is_shown_wherever_the_class_is(desk: Desk) -> None:
    desk.world.shown_as[VALUE] = NAME
    page = desk.open()
    for status in (1, 2):
        page.evaluate("(row) => window.__map.select([row])", row_of(desk, status))
        tile = page.locator(".gallery .tile")
        expect(tile).to_contain_text(NAME)
        tile.click(button="right")
        expect(page.locator(".card.pinned .answer")).to_contain_text(NAME)
        expect(page.locator(".card.pinned")).not_to_contain_text(VALUE)
    page.get_by_role("tab", name="Class").click()
    expect(page.locator("option", has_text=NAME)).to_contain_text(VALUE)
    expect(page.get_by_role("grid", name=f"Unlabelled items, most likely {NAME} first")).to_be_visible()
    page.locator(".ranked").first.click()
    give = page.get_by_role("button", name="Label 1 item")
    expect(give).to_contain_text(NAME)
    expect(give).to_contain_text(VALUE)
    assert VALUE not in page.evaluate("[...window.__painted]")
