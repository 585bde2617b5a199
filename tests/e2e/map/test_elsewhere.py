"""What happens in Label Studio while the map is open: the page follows, and says what nobody would notice."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.map.played import PlayedMap

POINTS = 60
GONE = (7, 8, 9)


@pytest.fixture
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlayedMap]:
    made = PlayedMap(tmp_path_factory.mktemp("elsewhere"), POINTS)
    yield made
    made.close()


def test_a_deleted_task_is_neither_drawn_nor_selected_nor_counted(browser: Browser, played: PlayedMap) -> None:
    with played.page(browser) as desk:
        search = desk.page.get_by_label("Search the items")
        search.fill(":")
        expect(desk.page.locator(".hits")).to_contain_text(f"{POINTS} hits")
        desk.ask("select(argument)", list(range(POINTS)))
        expect(desk.page.get_by_role("heading", name=f"{POINTS} items selected")).to_be_visible()
        played.delete(*GONE)
        left = POINTS - len(GONE)
        expect(desk.page.get_by_role("heading", name=f"{left} items selected")).to_be_visible()
        expect(desk.page.locator(".hits")).to_contain_text(f"{left} hits")
        assert [desk.colour(task - 1) for task in GONE] == ["", "", ""]
        assert desk.colour(0) != ""
        expect(desk.page.locator(".legend-row", has_text="nothing named").locator(".figures")).to_have_text(
            f"{left} / {left}"
        )
        expect(desk.page.get_by_role("application")).to_have_accessible_name(re.compile(f"^Map of {left} items"))
        desk.ask("select(argument)", list(range(POINTS)))
        assert desk.selection() == [row for row in range(POINTS) if row + 1 not in GONE]
        desk.press("Escape")
        box = desk.page.locator(".map-host").bounding_box()
        assert box is not None
        desk.press("r")
        corner = (box["x"] + box["width"] - 4, box["y"] + box["height"] - 4)
        desk.drag([(box["x"] + 60, box["y"] + 4), corner])
        assert not {task - 1 for task in GONE} & set(desk.selection())
