"""What happens in Label Studio while the map is open: the page follows, and says what nobody would notice."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.map.played import PlayedMap
from tests.label_studio.fake_people import ANN
from tests.web.map.conftest import CONFIG

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
        assert desk.selection()
        assert not {task - 1 for task in GONE} & set(desk.selection())


def test_a_suggestion_that_goes_is_said(browser: Browser, played: PlayedMap) -> None:
    with played.page(browser) as desk:
        link = desk.page.get_by_text("in Label Studio", exact=False).filter(has_text="Open task")
        desk.press("n")
        task = int(link.inner_text().split()[2])
        played.delete(task)
        toast = desk.page.locator(".toast")
        gone = "is gone: it was deleted in Label Studio, or cannot be read any more"
        expect(toast).to_contain_text(f"Task {task}, the suggestion you looked at, {gone}.")
        toast.get_by_role("button", name="Next suggestion").click()
        expect(link).to_be_visible()
        other = int(link.inner_text().split()[2])
        assert other != task
        played.answer(other, "battery")
        expect(toast).to_contain_text(f"Task {other}, the suggestion you looked at, was just answered elsewhere.")
        expect(link).to_be_hidden()
        toast.get_by_role("button", name="Dismiss").click()
        desk.press("n")
        desk.press("1")
        desk.sign_in(ANN)
        expect(desk.page.locator(".toast", has_text="Labelled 1")).to_be_visible()
        expect(desk.page.locator(".toast", has_text="elsewhere")).to_have_count(0)  # one's own label is no news


def test_keys_that_moved_are_said(browser: Browser, played: PlayedMap) -> None:
    with played.page(browser) as desk:
        battery, news = '<Choice value="battery"/>', desk.page.locator(".toast")
        played.choose_config(CONFIG.replace(battery, f'<Choice value="angry customer"/>{battery}'))
        expect(news).to_have_count(1)
        expect(news).to_contain_text("keys are now 1 angry customer, 2 battery, 3 network.")
        news.get_by_role("button", name="Dismiss").click()
        network = '<Choice value="network"/>'
        played.choose_config(played.fake.project["label_config"].replace(network, f'{network}<Choice value="last"/>'))
        expect(desk.page.locator(".legend-row", has_text="last")).to_be_visible()
        expect(news).to_have_count(0)
        desk.ask("select([argument])", 0)
        desk.page.get_by_label("Type a class").first.fill("mine")
        desk.press("Enter")
        desk.sign_in(ANN)
        expect(desk.page.locator(".toast", has_text="“mine” is now a class")).to_be_visible()
        expect(desk.page.locator(".toast", has_text="keys are now")).to_have_count(0)
        mine = desk.page.locator(".legend-row", has_text="mine")
        expect(mine).to_be_visible()
        without = played.fake.project["label_config"].replace('<Choice value="mine"/>', "")
        played.choose_config(without)
        expect(mine).to_have_count(0)
        played.choose_config(without.replace(battery, f'<Choice value="mine"/>{battery}'))  # by somebody else now
        expect(desk.page.locator(".toast", has_text="keys are now 2 mine, 3 battery")).to_be_visible()
