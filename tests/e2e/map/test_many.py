"""20,000 points on the page, from Lantern's real store and engine; Label Studio is played in memory, which would take
minutes to import so much.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from ml_backend.demo.ports import free_port
from ml_backend.label_studio.map_acts import MapActs
from ml_backend.label_studio.outbox import Outbox
from ml_backend.label_studio.people import People
from ml_backend.store import projects
from tests.e2e.map.desk import WAIT_MILLISECONDS, Desk
from tests.e2e.world import wait_for
from tests.label_studio.fake_people import ANN, FakeWithPeople
from tests.web.map.conftest import CONFIG, KEY, UID, MapWorld

POINTS, LABELLED = 20_000, 500
EPOCHS = 5


class ManyPoints:
    """A project of 20,000 texts of two kinds, alternately, without labels. A model of it is there."""

    def __init__(self, home: Path) -> None:
        self.world = world = MapWorld(home)
        world.connect(UID, KEY)
        world.add_tasks(n=POINTS)
        with world.db.write() as session:
            projects.configure(session, projects.ensure(session, UID), extra_params={"epochs": 1})
        world.work()
        created = datetime.fromtimestamp(float(UID.partition(".")[2]), UTC).isoformat()
        self.fake = FakeWithPeople(project={"id": 5, "created_at": created, "label_config": CONFIG, "title": "p"})
        self.fake.add_tasks(*range(1, POINTS + 1))
        people = People(world.maps.connections, api_at=self.fake.api_at)
        self.sender = Outbox(world.db, on_refused=people.forget)
        object.__setattr__(world.maps, "people", people)
        object.__setattr__(world.maps, "acts", MapActs(world.db, world.engine, self.sender))
        self.port = free_port()
        self._server = make_server("127.0.0.1", self.port, world.app, threaded=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @contextmanager
    def page(self, browser: Browser) -> Iterator[Desk]:
        """The map in a window, with its points."""
        page: Page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        page.set_default_timeout(WAIT_MILLISECONDS)
        page.goto(f"http://127.0.0.1:{self.port}/map/{UID}#key={KEY}")
        desk = Desk(page)
        desk.wait_until_ready()
        yield desk
        page.context.close()

    def close(self) -> None:
        self.sender.stop()
        self._server.shutdown()
        self.world.db.close()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ManyPoints]:
    made = ManyPoints(tmp_path_factory.mktemp("many"))
    yield made
    made.close()


def test_a_label_for_500_recolours_the_others_and_is_taken_back(browser: Browser, many: ManyPoints) -> None:
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


def test_a_training_stops_within_its_epoch(browser: Browser, many: ManyPoints) -> None:
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
