"""Nothing on the page is out of reach for people who see, hear or move otherwise: axe-core finds nothing serious in
whatever can be open, in light and in dark.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from ml_backend.web.map.page import BUILT
from tests.e2e.map.desk import Desk, at_the_map
from tests.e2e.map.world import MapWorld
from tests.e2e.world import KINDS, wait_for

AXE = BUILT.parent / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
PREDICTED = 1
LABELS = 8


@pytest.fixture(scope="module")
def labelled(map_world: MapWorld) -> Iterator[MapWorld]:
    """With predictions of two classes."""
    map_world.forget_labels()
    for kind in KINDS[:2]:
        map_world.label(kind, map_world.of_kind(kind, LABELS))
    wait_for(lambda: None if (map_world.column("status") == PREDICTED).sum() > 20 else "predictions")
    yield map_world
    map_world.forget_labels()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, labelled: MapWorld, scheme: str) -> None:
    with at_the_map(browser, labelled, color_scheme=scheme) as desk:
        desk.page.evaluate(AXE.read_text("utf-8"))
        found = {name: serious(desk) for name in opened(desk)}
        assert {name: said for name, said in found.items() if said} == {}
        assert len(found) == 10


def serious(desk: Desk) -> list[str]:
    """What axe-core finds serious on the page as it is."""
    violations = desk.page.evaluate("axe.run(document).then((result) => result.violations)")
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in violations if one["impact"] in SERIOUS]


def opened(desk: Desk) -> Iterator[str]:
    """Opens one part of the page after the other; the name of each."""
    page = desk.page
    desk.press("Shift+T")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    yield "the sign-in"
    desk.press("Escape")

    desk.ask("select([...Array(window.__map.n).keys()])")
    page.locator(".gallery .tile").first.click(button="right")
    expect(page.locator(".card.pinned .card-text")).to_be_visible()
    yield "a selection and a pinned card"
    desk.press("5")
    expect(page.get_by_role("group", name="Please confirm")).to_be_visible()
    yield "the question before many labels"
    desk.press("Escape")
    desk.press("y")
    page.keyboard.type("e")
    yield "a class being typed"
    desk.press("Escape")
    desk.press("Escape")

    desk.press("n")
    expect(page.locator(".current .card-text")).to_be_visible()
    yield "the queue"
    desk.panel("Class")
    expect(page.locator(".ranked").first).to_be_visible()
    yield "ranked items"
    desk.panel("Training")
    expect(page.get_by_role("slider", name="KL")).to_be_visible()
    page.get_by_text("Labels per class").click()
    yield "the training, and labels per class"
    desk.panel("Components")
    page.locator(".component-row").first.click()
    expect(page.get_by_role("heading", name="Most typical")).to_be_visible()
    yield "a component"
    page.get_by_role("button", name=f"Colour and name of {KINDS[0]}").click()
    page.get_by_label("Search the items").fill("disk")
    expect(page.locator(".hits")).to_contain_text("hit")
    yield "a search, and the choice of a colour and a name"
    page.get_by_role("button", name="Help and keys").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "the help"
