"""Lantern goes away and comes back, and the connection is cut: the page says so, goes on by itself, and shows what
happened meanwhile; no label is lost.
"""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.e2e.map.desk import Desk, at_the_map
from tests.e2e.map.wire import wire_to
from tests.e2e.map.world import MapWorld
from tests.e2e.world import KINDS, wait_for

FAILED_REQUEST = "Failed to load resource"
"""What the console says of a request that finds nobody, or a Lantern that is ending (503)."""
MANY = 150
"""Labels that take Label Studio several times as long (8 a second at best) as Lantern needs to end."""
PATIENCE_MILLISECONDS = 90_000
LOST = "No connection"


def test_a_restart_loses_no_label_and_the_page_goes_on(browser: Browser, map_world: MapWorld) -> None:
    world = map_world
    world.forget_labels()
    ids = world.column("ids")
    with at_the_map(browser, world, may_say=FAILED_REQUEST) as desk:
        desk.remember()
        desk.ask("select([...Array(argument).keys()])", MANY)
        desk.press("1")
        desk.sign_in(world.token)
        expect(desk.page.locator(".toast", has_text=f"Labelled {MANY}")).to_be_visible()
        world.lantern.stop()
        try:
            given = {int(ids[row]): KINDS[0] for row in range(MANY)}
            assert len(world.answers()) < MANY, "the restart came in between"
            is_lost(desk)
        finally:
            world.lantern.start()
            world.lantern.wait_until_up()
        expect(desk.page.get_by_text(LOST)).to_be_hidden(timeout=PATIENCE_MILLISECONDS)
        wait_for(lambda: world.has_labels(given))  # by the page's doing alone: Lantern forgot the token
        expect(desk.page.locator(".saved")).to_have_text("All labels saved", timeout=PATIENCE_MILLISECONDS)
        assert desk.is_the_same_page()
        assert len(desk.selection()) == MANY
        desk.press("Control+z")
        wait_for(lambda: world.has_labels({}))


def test_a_cut_connection_is_taken_up_again(browser: Browser, map_world: MapWorld) -> None:
    world = map_world
    world.forget_labels()
    ids = world.column("ids")
    with (
        wire_to(world.lantern.port) as wire,
        at_the_map(browser, world, may_say=FAILED_REQUEST, port=wire.port) as desk,
    ):
        desk.remember()
        wire.cut()
        is_lost(desk)
        plain = desk.colour(0)
        act = world.label(KINDS[2], [int(ids[0])])
        wire.mend()
        desk.wait_for_colour(0, other_than=plain)
        expect(desk.page.get_by_text(LOST)).to_be_hidden()
        assert desk.is_the_same_page()
        world.post(f"acts/{act}/undo", {})
        desk.wait_until_coloured(0, plain)


def is_lost(desk: Desk) -> None:
    """Until the page says that it hears nothing."""
    expect(desk.page.get_by_text(LOST)).to_be_visible(timeout=PATIENCE_MILLISECONDS)
