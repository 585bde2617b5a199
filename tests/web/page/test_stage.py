"""The map itself in a real browser: both renderers, drawing, hovering, moving points, lost connections and contexts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.web.page.synthetic_map import CLASSES, FIRST_TASK, SyntheticMap, serving

pytestmark = pytest.mark.e2e

POINTS = 20_000
SIDE = 40
"""Of the squares that are drawn, in pixels."""
WATCH = """
window.__complaints = []; window.__contexts = [];
document.addEventListener('securitypolicyviolation', (event) =>
  window.__complaints.push(`${event.violatedDirective} ${event.sourceFile}`));
const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
  const made = get.call(this, kind, ...more);
  if (String(kind).startsWith('webgl') && made !== null) window.__contexts.push(made);
  return made;
};
"""
PIXEL = """([x, y]) => {
  const canvas = document.querySelector('.map-host canvas'), ratio = canvas.width / canvas.clientWidth;
  return [...canvas.getContext('2d').getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data];
}"""

COVER = """([x, y]) => {
  const canvas = document.querySelectorAll('.map-host canvas')[1], ratio = canvas.width / canvas.clientWidth;
  return canvas.getContext('2d').getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data[3];
}"""
"""How opaque what lies over the points is at a place, 0 to 255."""
FRAME = """(address) => {
  const frame = document.createElement('iframe');
  frame.sandbox = 'allow-same-origin allow-scripts allow-presentation';  // Label Studio's, where it has one
  Object.assign(frame, {src: address, width: 880, height: 640});
  document.body.append(frame);
}"""


@pytest.fixture(params=["canvas", "gl"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def world() -> SyntheticMap:
    return SyntheticMap(POINTS)


@contextmanager
def opened(browser: Browser, world: SyntheticMap, query: str = "") -> Iterator[Page]:
    """The page with its points; whatever its policy forbids fails the test."""
    with serving(world) as address:
        page = browser.new_page(viewport={"width": 1200, "height": 760}, reduced_motion="reduce")
        page.add_init_script(WATCH)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address + query)
        settle(page)
        yield page
        assert errors == []
        assert page.evaluate("window.__complaints") == []
        page.close()


@contextmanager
def inside_another_page(browser: Browser, world: SyntheticMap, query: str = "") -> Iterator[tuple[Page, Frame]]:
    """The map in a frame of another page, as Label Studio shows it."""
    with serving(world) as address:
        page = browser.new_page(viewport={"width": 900, "height": 700}, reduced_motion="reduce")
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.route("**/outside", lambda route: route.fulfill(body="<body></body>", content_type="text/html"))
        page.goto(address.replace("/map/5", "/outside"))
        yield page, framed(page, address + query)
        assert errors == []
        page.close()


def framed(page: Page, address: str) -> Frame:
    """The map in a new frame, with its points."""
    page.evaluate(FRAME, address)
    element = page.wait_for_selector("iframe")
    assert element is not None
    frame = element.content_frame()
    assert frame is not None
    frame.wait_for_function("window.__map?.ready === true")
    return frame


def settle(page: Page) -> None:
    """Until the points are on the canvas."""
    page.wait_for_function("window.__map?.ready === true")
    page.evaluate("window.__map.fps(2)")


def on_screen(page: Page, row: int) -> tuple[float, float]:
    """Pixels within the map's element."""
    x, y = page.evaluate("(row) => window.__map.screenPosition(row)", row)
    return x, y


def draw_square(page: Page, row: int, *held: str, corners: Sequence[int] = (0, 1, 2, 3)) -> None:
    """A drag around a point, SIDE wide, as a person draws it: not closed. corners: clockwise from the top left."""
    box = page.locator(".map-host").bounding_box()
    assert box is not None
    x, y = on_screen(page, row)
    left, top, half = box["x"] + x, box["y"] + y, SIDE / 2
    square = [
        (left - half, top - half),
        (left + half, top - half),
        (left + half, top + half),
        (left - half, top + half),
    ]
    places = [square[corner] for corner in corners]
    for key in held:
        page.keyboard.down(key)
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()
    for key in held:
        page.keyboard.up(key)


def selection(page: Page) -> list[int]:
    found: list[int] = page.evaluate("window.__map.selection()")
    return found


def rows_around(world: SyntheticMap, page: Page, row: int) -> tuple[set[int], set[int]]:
    """Rows certainly in the square around a point, and those that may be: a pixel more."""
    view = page.evaluate("window.__map.view()")
    unit = view["zoom"] * 0.94 * min(view["width"], view["height"]) / 2
    away = np.abs(world.xy - world.xy[row]).max(axis=1) * unit
    return set(np.flatnonzero(away < SIDE / 2 - 1).tolist()), set(np.flatnonzero(away < SIDE / 2 + 1).tolist())


def lonely_human(world: SyntheticMap) -> int:
    """A row labelled by a person with room around it, so that its pixel is its own."""
    xy = world.xy
    humans = np.flatnonzero(world.columns["status"] == 2)
    near = [np.partition(np.linalg.norm(xy - xy[row], axis=1), 1)[1] for row in humans]
    return int(humans[int(np.argmax(near))])


def test_drawing_selects_adds_takes_out_and_keeps(
    browser_without_gl: Browser, browser_with_gl: Browser, world: SyntheticMap, kind: str
) -> None:
    with opened(
        browser_without_gl if kind == "canvas" else browser_with_gl, world, "" if kind == "canvas" else "?renderer=gl"
    ) as page:
        assert page.evaluate("window.__map.renderer") == kind
        draw_square(page, 5)
        first = set(selection(page))
        surely, maybe = rows_around(world, page, 5)
        assert surely <= first <= maybe
        draw_square(page, 777, "Shift")
        surely, maybe = rows_around(world, page, 777)
        assert first | surely <= set(selection(page)) <= first | maybe
        draw_square(page, 777, "Alt")
        left = set(selection(page))
        assert left <= first - surely
        draw_square(page, 777, "Shift")
        draw_square(page, 5, "Shift", "Alt")
        surely, maybe = rows_around(world, page, 5)
        assert left & surely <= set(selection(page)) <= maybe
        assert len(set(selection(page)) - first) == 0
        page.keyboard.press("Escape")
        assert selection(page) == []
        expect(page.get_by_role("button", name="Lasso", exact=True)).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Pan", exact=True)).to_have_attribute("aria-pressed", "true")


def test_a_point_has_its_class_colour_and_another_after_a_label(
    browser_without_gl: Browser, browser_with_gl: Browser, world: SyntheticMap, kind: str
) -> None:
    row = lonely_human(world)
    with opened(
        browser_without_gl if kind == "canvas" else browser_with_gl,
        world,
        "?ood=1" + ("" if kind == "canvas" else "&renderer=gl"),
    ) as page:
        before = colour_of(page, row)
        assert pixel(page, row) == pytest.approx(before, abs=12)
        other = CLASSES[(int(world.columns["class"][row]) + 1) % len(CLASSES)]
        world.act({"label": other, "tasks": [FIRST_TASK + row]})
        page.wait_for_function(
            "([row, was]) => !window.__map.colourOf(row).startsWith(was)", arg=[row, " ".join(map(str, before))]
        )
        page.evaluate("window.__map.fps(2)")
        assert pixel(page, row) == pytest.approx(colour_of(page, row), abs=12)


def test_a_crowd_of_fresh_labels_shows_its_colour(
    browser_without_gl: Browser, browser_with_gl: Browser, kind: str
) -> None:
    world = SyntheticMap(3000)
    rows = crowd(world, 160)
    with opened(
        browser_without_gl if kind == "canvas" else browser_with_gl, world, "" if kind == "canvas" else "?renderer=gl"
    ) as page:
        before = page.evaluate("(row) => window.__map.colourOf(row)", rows[0])
        page.evaluate("(rows) => window.__map.select(rows)", rows)
        world.act({"label": CLASSES[-1], "tasks": [FIRST_TASK + row for row in rows]})
        page.wait_for_function("([row, was]) => window.__map.colourOf(row) !== was", arg=[rows[0], before])
        for selected in (rows, []):  # with the marks of the selection, and with those of what is under way alone
            page.evaluate("(rows) => window.__map.select(rows)", selected)
            page.evaluate("window.__map.fps(2)")
            covers = [page.evaluate(COVER, on_screen(page, row)) for row in rows]
            assert np.mean(np.array(covers) > 0) < 0.1


def crowd(world: SyntheticMap, n: int) -> list[int]:
    """The n rows that are nearest to the middle of the largest clump."""
    xy = world.xy
    component = world.columns["component"]
    spread = component[world.columns["status"] == 1]
    own = component == np.bincount(spread.astype(np.int64)).argmax()
    return [int(row) for row in np.argsort(np.linalg.norm(xy - xy[own].mean(axis=0), axis=1))[:n]]


def colour_of(page: Page, row: int) -> list[int]:
    return [int(part) for part in page.evaluate("(row) => window.__map.colourOf(row)", row).split()[:3]]


def pixel(page: Page, row: int) -> list[int]:
    found: list[int] = page.evaluate(PIXEL, list(on_screen(page, row)))
    return found[:3]


def test_a_lost_graphics_card_comes_back(browser_with_gl: Browser, world: SyntheticMap) -> None:
    row = lonely_human(world)
    with opened(browser_with_gl, world, "?renderer=gl&ood=1") as page:
        page.evaluate("window.__contexts.at(-1).getExtension('WEBGL_lose_context').loseContext()")
        page.wait_for_function("window.__contexts.length === 2")
        page.evaluate("window.__map.fps(3)")
        assert pixel(page, row) == pytest.approx(colour_of(page, row), abs=12)


def test_software_graphics_are_not_taken_by_themselves(browser_with_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_with_gl, world) as page:
        assert page.evaluate("window.__map.renderer") == "canvas"


def test_a_rectangle_takes_what_is_between_two_corners(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world, "?mode=rectangle") as page:
        draw_square(page, 5, corners=(0, 2))
        surely, maybe = rows_around(world, page, 5)
        assert surely <= set(selection(page)) <= maybe


def test_the_brush_takes_all_that_it_passes_over(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world, "?mode=brush") as page:
        draw_square(page, 5)
        surely, _ = rows_around(world, page, 5)
        assert surely <= set(selection(page))


def test_what_the_legend_hides_is_not_met(browser_without_gl: Browser, world: SyntheticMap) -> None:
    kind = world.columns["class"][5]
    with opened(browser_without_gl, world, f"?hide={int(kind)}") as page:
        draw_square(page, 5)
        surely, _ = rows_around(world, page, 5)
        of_the_kind = set(np.flatnonzero(world.columns["class"] == kind).tolist())
        assert surely & of_the_kind
        assert not set(selection(page)) & of_the_kind


def test_a_click_pins_and_with_shift_it_selects(browser_without_gl: Browser, world: SyntheticMap) -> None:
    row = lonely_human(world)
    with opened(browser_without_gl, world, "?ood=1") as page:
        x, y = on_screen(page, row)
        page.locator(".map-host").click(position={"x": x, "y": y})
        expect(page.get_by_role("group", name=f"Item {FIRST_TASK + row}")).to_contain_text("pinned")
        assert selection(page) == []
        page.locator(".map-host").click(position={"x": x, "y": y}, modifiers=["Shift"])
        assert selection(page) == [row]


def test_points_move_and_the_selection_and_the_view_stay(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world, "?view=0.1,0.2,2") as page:
        page.evaluate("window.__map.select([3, 4])")
        before, view = on_screen(page, 3), page.evaluate("window.__map.view()")
        moved = world.xy.copy()
        moved[3] += 0.05
        world.move(moved)
        page.wait_for_function("([x]) => Math.abs(window.__map.screenPosition(3)[0] - x) > 5", arg=list(before))
        assert selection(page) == [3, 4]
        assert page.evaluate("window.__map.view()") == view
        page.keyboard.press("k")
        still = on_screen(page, 3)
        moved = moved.copy()
        moved[3] -= 0.1
        world.move(moved)
        frame = world.versions["frame"]
        page.wait_for_function("(frame) => window.__map.version().frame === frame", arg=frame)
        page.evaluate("window.__map.fps(3)")
        assert on_screen(page, 3) == still
        page.keyboard.press("k")
        page.wait_for_function("([x]) => Math.abs(window.__map.screenPosition(3)[0] - x) > 5", arg=list(still))


def test_the_selection_follows_its_tasks_when_rows_get_other_numbers(
    browser_without_gl: Browser, world: SyntheticMap
) -> None:
    with opened(browser_without_gl, world) as page:
        page.evaluate("window.__map.select([0, 7])")
        for name, values in world.columns.items():
            world.columns[name] = np.ascontiguousarray(values[::-1])
        world.versions = {**world.versions, "rows": "b", "publication": 2}
        page.wait_for_function("window.__map.version().rows === 'b' && window.__map.selection()[0] > 7")
        assert selection(page) == [POINTS - 8, POINTS - 1]


def test_a_lost_stream_is_taken_up_again_and_a_refused_one_is_replaced_by_asking(
    browser_without_gl: Browser, world: SyntheticMap
) -> None:
    with opened(browser_without_gl, world) as page:
        world.drop_events = True
        page.wait_for_timeout(400)
        world.drop_events = False
        world.act({"label": CLASSES[0], "tasks": [FIRST_TASK]})
        page.wait_for_function("window.__map.version().labels === 2")
    world.refuse_events = True
    with opened(browser_without_gl, world) as page:
        world.act({"label": CLASSES[1], "tasks": [FIRST_TASK]})
        page.wait_for_function("window.__map.version().labels === 3")


def test_the_address_keeps_what_is_shown_and_never_the_key(browser_without_gl: Browser, world: SyntheticMap) -> None:
    with opened(browser_without_gl, world, "#key=secret-1") as page:
        assert ("session", {"key": "secret-1"}) in world.bodies
        assert "secret-1" not in page.url
        page.keyboard.press("r")
        page.keyboard.press("c")
        page.keyboard.press("+")
        page.wait_for_url("**/map/5?*view=*mode=rectangle*")
        view = page.evaluate("window.__map.view()")
        world.bodies.clear()
        page.reload()
        settle(page)
        assert ("session", {"key": "secret-1"}) in world.bodies
        assert page.evaluate("window.__map.view().zoom") == pytest.approx(view["zoom"], abs=0.01)
        expect(page.get_by_label("Colour by")).to_have_value("confidence")
        expect(page.get_by_role("button", name="Rectangle", exact=True)).to_have_attribute("aria-pressed", "true")


def test_arrow_keys_go_from_point_to_point_and_say_where_one_is(
    browser_without_gl: Browser, world: SyntheticMap
) -> None:
    with opened(browser_without_gl, world) as page:
        page.locator(".map-host").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("[aria-live=polite]").filter(has_text="Task ")).to_have_count(1)
        first = page.locator("[aria-live=polite]").filter(has_text="Task ").text_content()
        page.keyboard.press("ArrowRight")
        expect(page.locator("[aria-live=polite]").filter(has_text="Task ")).not_to_have_text(first or "")


def test_the_next_task_in_label_studio_finds_the_map_as_it_was(
    browser_without_gl: Browser, world: SyntheticMap
) -> None:
    """Label Studio builds the page anew for each task, always at the same address."""
    row = lonely_human(world)
    with inside_another_page(browser_without_gl, world, f"?task={FIRST_TASK + row}") as (page, frame):
        page.mouse.click(300, 300)
        page.keyboard.press("c")
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("g")
        frame.wait_for_function("window.__map.view().zoom > 1.5")
        x, y = frame.evaluate("(row) => window.__map.screenPosition(row)", row)
        shown = frame.evaluate("window.__map.view()")
        assert (x, y) == pytest.approx((shown["width"] / 2, shown["height"] / 2), abs=2)
        page.wait_for_timeout(500)  # what is shown is written down when it has rested
        address = page.evaluate("document.querySelector('iframe').src")
        page.evaluate("document.querySelector('iframe').remove()")
        again = framed(page, address)
        assert again.evaluate("window.__map.view().zoom") == pytest.approx(shown["zoom"], abs=0.01)
        again.get_by_role("tab", name="Colours").click()
        expect(again.get_by_label("Colour by")).to_have_value("confidence")


def test_inside_another_page_the_wheel_scrolls_until_the_map_is_clicked(
    browser_without_gl: Browser, world: SyntheticMap
) -> None:
    with inside_another_page(browser_without_gl, world) as (page, frame):
        before = frame.evaluate("window.__map.view()")
        page.mouse.move(300, 300)
        page.mouse.wheel(0, -400)
        expect(frame.get_by_text("Click the map first")).to_be_visible()
        assert frame.evaluate("window.__map.view()") == before
        page.mouse.click(300, 300)
        page.mouse.wheel(0, -400)
        frame.wait_for_function("(before) => window.__map.view().zoom > 1.2 * before", arg=before["zoom"])
