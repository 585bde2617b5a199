"""The legend names every mark that there is on the map, and no other."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.map.played import PlayedMap
from tests.label_studio.fake_people import ANN

POINTS = 60


@pytest.fixture
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlayedMap]:
    made = PlayedMap(tmp_path_factory.mktemp("legend"), POINTS)
    yield made
    made.close()


def test_crosses_and_labels_under_way_are_in_the_legend_while_there_are_some(
    browser: Browser, played: PlayedMap
) -> None:
    answers = threading.Event()

    def hold(request: httpx.Request) -> None:
        """Label Studio takes its time with an annotation."""
        if request.method == "POST" and "/annotations" in request.url.path:
            answers.wait(60)

    played.fake.before = hold
    with played.page(browser) as desk:
        marks = desk.page.get_by_role("list", name="Marks")
        on_its_way, aside = marks.get_by_text("Not in Label Studio yet"), marks.get_by_text("Set aside")
        expect(marks).to_contain_text("A person’s label")
        expect(on_its_way).to_be_hidden()
        expect(aside).to_be_hidden()
        desk.ask("select([argument])", 0)
        desk.press("1")
        desk.sign_in(ANN)
        expect(on_its_way).to_be_visible()
        answers.set()
        expect(on_its_way).to_be_hidden()
        desk.ask("select([argument])", 1)
        desk.press("Space")
        expect(aside).to_be_visible()
        desk.press("Control+z")
        expect(aside).to_be_hidden()
