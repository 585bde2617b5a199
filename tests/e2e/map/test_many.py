"""20,000 points on the page, from Lantern's real store and engine; Label Studio is played in memory, which would take
minutes to import so much.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.map.played import PlayedMap
from tests.e2e.world import wait_for
from tests.label_studio.fake_people import ANN
from tests.web.map.conftest import UID

POINTS, LABELLED = 20_000, 500
EPOCHS = 5


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlayedMap]:
    made = PlayedMap(tmp_path_factory.mktemp("many"), POINTS)
    yield made
    made.close()


def test_a_label_for_500_recolours_the_others_and_is_taken_back(browser: Browser, many: PlayedMap) -> None:
    with many.page(browser) as desk:
        assert desk.ask("n") == POINTS
        chosen, alike = np.arange(0, 2 * LABELLED, 2), 2 * LABELLED
        desk.ask("select(argument)", chosen.tolist())
        desk.ask("fps(2)")
        plain = desk.colour(alike)  # dimmed, as it is not selected
        desk.press("1")
        desk.sign_in(ANN)
        desk.wait_for_colour(alike, other_than=plain)
        legend = desk.page.locator(".legend-row", has_text="battery")
        expect(legend).to_contain_text(f", {LABELLED} by people")
        wait_for(lambda: None if len(many.fake.labels()) == LABELLED else "the annotations")
        assert set(many.fake.labels()) == {int(row) + 1 for row in chosen}
        desk.press("Control+z")
        desk.wait_until_coloured(alike, plain)
        wait_for(lambda: None if many.fake.annotations == {} else "no annotations")


def test_a_training_stops_within_its_epoch(browser: Browser, many: PlayedMap) -> None:
    with many.page(browser) as desk:
        desk.panel("Training")
        desk.press("Shift+T")
        desk.sign_in(ANN)
        panel = desk.page.get_by_role("tabpanel")
        stop = panel.get_by_role("button", name="Stop")
        expect(stop).to_be_enabled()
        worker = threading.Thread(target=many.world.work)
        worker.start()
        desk.page.wait_for_function("document.querySelectorAll('.losses tbody tr').length > 0")
        stop.click()
        worker.join()
        expect(stop).to_be_disabled()
        expect(desk.page.locator(".runs > li").first).to_contain_text("stopped")
        run = many.world.client.get(f"/map/{UID}/api/runs", headers=many.world.headers()).get_json()["runs"][0]
        assert run["stopped"]
        assert len(run["epochs"]) < EPOCHS
