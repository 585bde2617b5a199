"""Answers that are no class, predictions taken over, and a class that there was not."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
from playwright.sync_api import Browser, expect

from tests.e2e.map.desk import Desk, at_the_map
from tests.e2e.map.world import CONTROL, MapWorld
from tests.e2e.world import KINDS, wait_for

PREDICTED, SET_ASIDE = 1, 4
MOST_COMPONENTS = 200


def test_skip_unsure_and_never_seen_are_answers(browser: Browser, map_world: MapWorld) -> None:
    map_world.forget_labels()
    ids = map_world.column("ids")
    kinds = ("skip", "unsure", "never_seen")
    with at_the_map(browser, map_world) as desk:
        for row, how in enumerate(kinds):
            desk.ask("select([argument])", row)
            if how == "never_seen":
                desk.page.get_by_role("button", name="Never seen").click()
            else:
                desk.press("Space" if how == "skip" else "u")
            if row == 0:
                desk.sign_in(map_world.token)
            wait_for(partial(not_set_aside, map_world, row))
        wait_for(lambda: map_world.has_labels({int(ids[row]): "" for row in range(3)}))
        assert {one["kind"] for one in map_world.get("acts", limit=3).json()["acts"]} == set(kinds)
        cancelled = [
            one["was_cancelled"]
            for page in map_world.annotator.tasks(map_world.project)
            for task in page
            for one in task["annotations"]
        ]
        assert cancelled == [True] * 3, "in Label Studio they are skipped, and no label"
        queued = {one["row"] for one in map_world.get("queue", limit=50).json()["items"]}
        assert not queued & {0, 1, 2}
        for _ in kinds:
            desk.press("Control+z")
            expect(desk.page.locator(".toast", has_text="Undone").last).to_be_visible()
            dismiss_all(desk)
        wait_for(lambda: map_world.has_labels({}))
        assert (map_world.column("status") != SET_ASIDE).all()


def test_sure_predictions_of_a_component_become_labels(browser: Browser, map_world: MapWorld) -> None:
    map_world.forget_labels()
    given = {task: kind for kind in KINDS[:2] for task in map_world.of_kind(kind, 6)}
    acts = [map_world.label(kind, map_world.of_kind(kind, 6)) for kind in KINDS[:2]]
    wait_for(lambda: None if (map_world.column("status") == PREDICTED).any() else "predictions")
    with at_the_map(browser, map_world) as desk:
        component, sure = sure_component(map_world)
        open_component(desk, component)
        desk.page.get_by_role("slider", name="Accept predictions of this component").fill(str(sure))
        rows = sure_rows(map_world, component, sure)
        ids, classes = map_world.column("ids"), map_world.column("class")
        taken = {int(ids[row]): KINDS[classes[row]] for row in rows}
        noun = "item" if len(rows) == 1 else "items"
        desk.page.get_by_role("button", name=f"Accept {len(rows)} {noun}", exact=True).click()
        desk.sign_in(map_world.token)
        wait_for(lambda: map_world.has_labels({**given, **taken}))
        desk.press("Control+z")
        wait_for(lambda: map_world.has_labels(given))
    for act in acts:
        map_world.post(f"acts/{act}/undo", {})


def test_a_new_class_is_typed_and_is_one_of_label_studio(browser: Browser, map_world: MapWorld) -> None:
    map_world.forget_labels()
    api = map_world.label_studio.api
    before = api.project(map_world.project)["label_config"]
    with at_the_map(browser, map_world) as desk:
        desk.ask("select([argument])", 0)
        desk.press("y")
        desk.page.keyboard.type("coffee machine")
        desk.press("Enter")
        desk.sign_in(map_world.token)
        wait_for(lambda: map_world.has_labels({int(map_world.column("ids")[0]): "coffee machine"}))
        expect(desk.page.locator(".legend-row", has_text="coffee machine")).to_contain_text(", 1 by people")
        last = f'<Choice value="{KINDS[-1]}"/>'
        after = api.project(map_world.project)["label_config"]
        assert after == before.replace(last, f'{last}<Choice value="coffee machine"/>')
        desk.press("Control+z")
        wait_for(lambda: map_world.has_labels({}))
    api.update_project(map_world.project, {"label_config": before})
    wait_for(lambda: None if classes_of(map_world) == list(KINDS) else "the class to go")


def dismiss_all(desk: Desk) -> None:
    """Closes the messages."""
    close = desk.page.get_by_role("button", name="Dismiss")
    while close.count() > 0:
        close.first.click()


def not_set_aside(world: MapWorld, row: int) -> str | None:
    """What is missing until it is."""
    return None if world.column("status")[row] == SET_ASIDE else f"the answer of row {row}"


def sure_component(world: MapWorld) -> tuple[int, float]:
    """The component with the most predictions, and a confidence that about half of them have."""
    component, status = world.column("component"), world.column("status")
    c = int(np.bincount(component[status == PREDICTED]).argmax())
    sure = world.column("confidence")[(component == c) & (status == PREDICTED)] / 255
    return c, float(np.floor(100 * np.median(sure)) / 100)


def sure_rows(world: MapWorld, component: int, confidence: float) -> list[int]:
    """Rows of a component with a prediction at least so sure."""
    chosen = (world.column("component") == component) & (world.column("status") == PREDICTED)
    return [int(row) for row in np.flatnonzero(chosen & (world.column("confidence") / 255 >= confidence))]


def open_component(desk: Desk, component: int) -> None:
    """From the list of all, of which only the visible rows exist."""
    desk.panel("Components")
    desk.page.get_by_role("grid", name="Components").focus()
    number = desk.page.locator(".component-number", has_text=re.compile(f"^{component}$"))
    row = desk.page.locator(".component-row", has=number)
    for _ in range(MOST_COMPONENTS):
        if row.count() > 0:
            break
        desk.press("ArrowDown")
    row.click()
    expect(desk.page.get_by_role("heading", name=f"Component {component}")).to_be_visible()


def classes_of(world: MapWorld) -> list[str]:
    """As the map lists them."""
    [control] = [one for one in world.get("state").json()["controls"] if one["name"] == CONTROL]
    return [one["name"] for one in control["classes"]]
