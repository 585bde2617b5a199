"""From the lasso to Label Studio and back: labels given on the map are annotations of the person who gave them, they
spread, and one undo takes them all back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.map.desk import at_the_map
from tests.e2e.map.world import LABELLED, NO_LABEL, UNNAMED, MapWorld
from tests.e2e.world import KINDS, wait_for

LASSO_PIXELS = 16


def test_lasso_digit_annotations_colours_undo_redo(browser: Browser, map_world: MapWorld) -> None:
    map_world.forget_labels()
    ids = map_world.column("ids")
    with at_the_map(browser, map_world) as desk:
        middle = densest(map_world)
        rows = desk.draw_around(middle, LASSO_PIXELS)
        assert 2 <= len(rows) < len(ids) / 2
        assert middle in rows
        given = {int(ids[row]): KINDS[2] for row in rows}
        plain = desk.colour(middle)

        desk.press("3")
        desk.sign_in(map_world.token)
        desk.wait_for_colour(middle, other_than=plain)
        wait_for(lambda: map_world.has_labels(given))

        spread = spread_rows(map_world, rows)
        assert spread, "a label reaches what is like it"
        expect(desk.page.locator(".legend-row", has_text=KINDS[2])).to_contain_text(f", {len(rows)} by people")
        coloured = desk.colour(spread[0])
        wait_for(lambda: None if {int(ids[row]) for row in spread} <= set(map_world.predicted()) else "predictions")
        assert set(map_world.predicted().values()) == {KINDS[2]}

        desk.press("Control+z")
        desk.wait_until_coloured(middle, plain)
        desk.wait_for_colour(spread[0], other_than=coloured)
        wait_for(lambda: map_world.has_labels({}))
        assert (map_world.column("status") != LABELLED).all()

        desk.press("Control+Shift+Z")
        desk.wait_until_coloured(spread[0], coloured)
        wait_for(lambda: map_world.has_labels(given))


def test_ctrl_z_means_the_label_just_given(browser: Browser, map_world: MapWorld) -> None:
    """However fast it comes: the server has not answered by then."""
    map_world.forget_labels()
    ids = map_world.column("ids")
    with at_the_map(browser, map_world) as desk:
        desk.ask("select([argument])", 0)
        desk.press("1")
        desk.sign_in(map_world.token)
        desk.ask("select([argument])", 1)
        desk.press("2")
        desk.press("Control+z")
        undone = f"Undone: Labelled 1 as {KINDS[1]}."
        expect(desk.page.locator(".toast .grow", has_text=KINDS[1])).to_have_text([undone])  # not that it is labelled
        expect(desk.page.locator(".toast .grow", has_text=KINDS[0])).to_have_text([f"Labelled 1 as {KINDS[0]}."])
        desk.press("Control+Shift+Z")
        expect(desk.page.locator(".toast .grow", has_text=KINDS[1])).to_have_text([f"Labelled 1 as {KINDS[1]}."])
        desk.press("Control+z")
        expect(desk.page.locator(".toast .grow", has_text=KINDS[1])).to_have_text([undone])
        wait_for(lambda: map_world.has_labels({int(ids[0]): KINDS[0]}))
        desk.press("Control+z")
        wait_for(lambda: map_world.has_labels({}))


@pytest.mark.parametrize("kind", ["canvas", "gl"])
def test_both_renderers_select_and_colour_alike(
    browser_without_gl: Browser, browser_with_gl: Browser, map_world: MapWorld, kind: str
) -> None:
    map_world.forget_labels()
    middle = densest(map_world)
    browser, query = (browser_without_gl, "") if kind == "canvas" else (browser_with_gl, "renderer=gl")
    with at_the_map(browser, map_world, query) as desk:
        assert desk.ask("renderer") == kind
        rows = desk.draw_around(middle, LASSO_PIXELS)
        assert middle in rows
        plain = desk.colour(middle)
        act = map_world.label(KINDS[1], [int(map_world.column("ids")[middle])])
        desk.wait_for_colour(middle, other_than=plain)
        map_world.post(f"acts/{act}/undo", {})
        desk.wait_until_coloured(middle, plain)


def densest(world: MapWorld) -> int:
    """The point with the most others around it."""
    xy = world.column("xy")
    away = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    return int((away < 0.1).sum(axis=1).argmax())


def spread_rows(world: MapWorld, labelled: Sequence[int]) -> list[int]:
    """Rows that nobody labelled and that have a class."""
    classes, status = world.column("class"), world.column("status")
    found = np.flatnonzero((classes != UNNAMED) & (status != NO_LABEL) & (status != LABELLED))
    return [int(row) for row in found if row not in set(labelled)]
