"""Training steered from the page: the weights on the sliders reach the run, its losses are drawn while it runs, what
changed is shown, and the person keeps what they were looking at; going back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.map.desk import Desk, at_the_map
from tests.e2e.map.world import MapWorld
from tests.e2e.world import KINDS, wait_for

LABELS = 6
"""Right ones of each of two classes, and as many wrong ones."""
NEWEST = ".losses tbody th"
"""The number of the last epoch that the chart and its table show comes first."""
RECORD = """() => {
  window.__growth = [];
  const epoch = () => parseInt(document.querySelector('.losses tbody th')?.textContent);
  const look = () => window.__growth.push([epoch(), document.querySelector('progress') !== null]);
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


@pytest.fixture(scope="module")
def labelled(map_world: MapWorld) -> Iterator[MapWorld]:
    """With labels that contradict each other, so that a training changes minds; the last step takes them back."""
    map_world.forget_labels()
    tasks = [map_world.of_kind(kind, 2 * LABELS) for kind in KINDS[:2]]
    acts = [map_world.label(KINDS[i], [task for found in tasks for task in found[i::2]]) for i in range(2)]
    yield map_world
    for act in acts:
        map_world.post(f"acts/{act}/undo", {})


class TestTraining:
    steps = True

    def test_sliders_reach_the_run_and_the_map_follows(self, browser: Browser, labelled: MapWorld) -> None:
        world = labelled
        with at_the_map(browser, world) as desk:
            middle = int(world.column("ids").argmax())
            selected = desk.draw_around(middle, 40)
            desk.press("+")
            desk.panel("Training")
            kl = desk.page.get_by_role("slider", name="KL")
            kl.focus()
            desk.press("Home")
            desk.page.get_by_label("Classification, as a number").fill("30")
            desk.page.get_by_label("Contrastive, as a number").fill("0.25")
            settle(desk)
            view, drawn = desk.ask("view()"), newest_epoch(desk)
            before, classes = world.column("xy").copy(), world.column("class").copy()
            desk.page.evaluate(RECORD)

            panel = desk.page.get_by_role("tabpanel")
            panel.get_by_role("button", name="Train 5").click()
            desk.sign_in(world.token)
            run = finished(world)
            weights = run["weights"]
            assert (weights["kl"], weights["classification"], weights["contrastive"]) == (0.0, 30.0, 0.25)
            assert [epoch["epoch"] for epoch in run["epochs"]] == [1, 2, 3, 4, 5]
            desk.page.wait_for_function(f"parseInt(document.querySelector('{NEWEST}')?.textContent) === {drawn + 5}")
            growth = desk.page.evaluate("window.__growth")
            assert any(busy and epoch > drawn for epoch, busy in growth), "drawn while it runs"

            effect = run["effect"]
            assert effect["changed"] == int((world.column("class") != classes).sum()) > 0
            entry = desk.page.locator(".runs > li").first
            expect(entry).to_contain_text(f"Run {run['id']}")
            expect(entry).to_contain_text(f"{effect['changed']} changed label")
            expect(entry).to_contain_text("kl 0")
            expect(desk.page.get_by_role("button", name=f"{effect['changed']} changed label – show")).to_be_visible()

            moved = int(np.abs(world.column("xy") - before).max(axis=1).argmax())
            assert (world.column("xy")[moved] != before[moved]).all()
            desk.wait_until_at(moved, world.column("xy")[moved])
            assert desk.selection() == selected
            assert desk.ask("view()") == view

    def test_what_changed_alone_is_bright(self, browser: Browser, labelled: MapWorld) -> None:
        changed = labelled.column("changed")
        some, other = int(changed.argmax()), int((changed == 0).argmax())
        with at_the_map(browser, labelled) as desk:
            was = desk.colour(some), desk.colour(other)
            desk.page.get_by_role("button", name=re.compile("changed label – show")).click()
            desk.wait_for_colour(other, other_than=was[1])
            assert desk.colour(some) == was[0]

    def test_an_earlier_run_comes_back(self, browser: Browser, labelled: MapWorld) -> None:
        world = labelled
        first = next(run["id"] for run in world.runs() if run["epochs"])
        classes, confidence = world.column("class"), world.column("confidence")
        world.post(
            "training", {"epochs": 5, "weights": {"kl": 9.0, "classification": 0.0}, "prior": None, "phase": None}
        )
        finished(world)
        assert (world.column("confidence") != confidence).any()
        with at_the_map(browser, world) as desk:
            desk.panel("Training")
            desk.page.get_by_role("button", name=f"Restore run {first}").click()
            desk.sign_in(world.token)
            wait_for(lambda: None if world.runs()[0]["restores"] == first else "the run that restores")
            assert finished(world)["restores"] == first
            expect(desk.page.locator(".runs > li").first).to_contain_text(f"Run {world.runs()[0]['id']}")
        assert (world.column("confidence") == confidence).all()
        assert (world.column("class") == classes).all()


def finished(world: MapWorld) -> dict[str, Any]:
    """The newest run, once it is over and what it made is served."""

    def missing() -> str | None:
        run = world.runs()[0]
        return None if run["status"] == "done" else f"run {run['id']} is {run['status']}"

    wait_for(missing)
    return world.runs()[0]


def newest_epoch(desk: Desk) -> int:
    """The last epoch that the page knows of."""
    return int((desk.page.locator(NEWEST).first.text_content() or "").split()[0])


def settle(desk: Desk) -> None:
    """Until the camera stands still."""
    desk.page.wait_for_function(
        """() => new Promise((resolve) => {
          const before = JSON.stringify(window.__map.view());
          window.setTimeout(() => resolve(JSON.stringify(window.__map.view()) === before), 300);
        })"""
    )
