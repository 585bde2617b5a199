"""What stands around the map, in a real browser with made-up points: labels, guard, legend, queue, training, access."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from ml_backend.web.map.page import BUILT
from tests.web.page.synthetic_map import CLASSES, FIRST_TASK, SyntheticMap, serving

pytestmark = pytest.mark.e2e

POINTS = 20_000
AXE = Path(BUILT.parent) / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
WEIGHTS = {
    "reconstruction": 1.0,
    "kl": 1.0,
    "prior": 0.1,
    "spread": 0.3,
    "sparsity": 0.05,
    "classification": 1.0,
    "contrastive": 1.0,
}
QUEUED = (5, 6)


@dataclass
class Desk:
    """A page on a world of its own, and what the browser complained about."""

    page: Page
    world: SyntheticMap
    address: str
    complaints: list[str] = field(default_factory=list)

    def open(self) -> Page:
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(self.address)
        self.page.wait_for_function("window.__map?.ready === true")
        return self.page

    def select(self, n: int, first: int = 0) -> None:
        self.page.evaluate(
            "([n, first]) => window.__map.select([...Array(n).keys()].map((i) => i + first))", [n, first]
        )

    def sign_in(self) -> None:
        self.page.get_by_label("Your Label Studio access token").fill("token")
        self.page.keyboard.press("Enter")

    def posted(self, path: str) -> list[dict[str, Any]]:
        """Bodies that came in under a path, waited for."""
        for _ in range(100):
            found = [body for at, body in self.world.bodies if at == path]
            if found:
                return found
            self.page.wait_for_timeout(50)
        raise AssertionError(f"nothing was posted to {path}: {[at for at, _ in self.world.bodies]}")


@pytest.fixture
def desk(browser: Browser) -> Iterator[Desk]:
    world = SyntheticMap(POINTS)
    world.answers |= {
        "queue": {"items": [suggestion(row) for row in QUEUED]},
        "ranked": {"rows": list(range(100, 130)), "p": [0.99 - i / 100 for i in range(30)]},
        "search": {"rows": list(range(40)), "total": 40, "cut": False},
        "training": {
            "weights": WEIGHTS,
            "defaults": WEIGHTS,
            "presets": {"cluster-tight": {**WEIGHTS, "kl": 2.0}},
            "prior": "mixture",
            "phase": None,
            "next_phase": "labels",
            "contributions": {"kl": 0.4},
        },
    }
    with serving(world) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        yield Desk(page, world, address)
        page.close()


def test_a_label_asks_who_it_is_from_and_is_then_given_and_undone(desk: Desk) -> None:
    page = desk.open()
    desk.select(30)
    page.keyboard.press("3")
    expect(page.get_by_role("heading", name="Sign in to label")).to_be_visible()
    assert not [at for at, _ in desk.world.bodies if at == "acts"]
    desk.sign_in()
    [body] = desk.posted("acts")
    assert body["label"] == CLASSES[2]
    assert body["overwrite"] is False
    assert body["tasks"] == unlabelled(range(30))
    number = [at for at, _ in desk.world.bodies].index("acts") + 1
    page.locator(".toast").get_by_role("button", name="Undo").click()
    assert desk.posted(f"acts/{number}/undo") == [{}]


def test_a_label_for_many_asks_back_and_can_be_dropped(desk: Desk) -> None:
    page = desk.open()
    desk.select(5000)
    page.keyboard.press("1")
    guard = page.get_by_role("group", name="Please confirm")
    expect(guard).to_contain_text(f"Assign “{CLASSES[0]}” to")
    expect(guard).to_contain_text("labelled by people (kept)")
    page.keyboard.press("Escape")
    expect(guard).to_be_hidden()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    desk.sign_in()
    [body] = desk.posted("acts")
    assert len(body["tasks"]) > 4000


def test_what_is_dropped_in_the_gallery_gets_no_label(desk: Desk) -> None:
    page = desk.open()
    rows = [row for row in range(POINTS) if desk.world.columns["status"][row] == 1][:4]
    page.evaluate("(rows) => window.__map.select(rows)", rows)
    page.get_by_role("button", name=f"Question {rows[1]}", exact=False).click()
    expect(page.get_by_role("heading", name="3 items selected")).to_be_visible()
    page.keyboard.press("2")
    desk.sign_in()
    [body] = desk.posted("acts")
    assert body["tasks"] == [FIRST_TASK + row for row in rows if row != rows[1]]


def test_a_class_is_found_by_typing_and_a_new_one_is_made(desk: Desk) -> None:
    page = desk.open()
    desk.select(5, first=9)
    page.keyboard.press("y")
    page.keyboard.type("exch")
    page.keyboard.press("Enter")
    desk.sign_in()
    assert desk.posted("acts")[0]["label"] == "exchange rate"
    page.keyboard.press("y")
    page.keyboard.type("something new")
    page.keyboard.press("Enter")
    expect(page.locator(".toast", has_text="label already")).to_be_visible()
    assert not [at for at, _ in desk.world.bodies if at == "controls/intent/classes"], "nothing would get it"
    desk.select(5, first=20)
    page.keyboard.press("y")
    page.keyboard.type("something new")
    page.keyboard.press("Enter")
    assert desk.posted("controls/intent/classes") == [{"name": "something new"}]


def test_the_legend_hides_on_a_click_and_isolates_on_a_double_click(desk: Desk) -> None:
    page = desk.open()
    row = page.locator(".legend-row", has_text=CLASSES[0])
    row.click()
    expect(row).to_have_attribute("aria-pressed", "false")
    row.focus()
    page.keyboard.press("Enter")
    expect(row).to_have_attribute("aria-pressed", "true")
    row.dblclick()
    expect(page.locator('.legend-row[aria-pressed="true"]')).to_have_count(1)


def test_one_labelled_class_promises_no_accuracy(desk: Desk) -> None:
    known: dict[str, Any] = desk.world.state()
    for place, one in enumerate(known["controls"][0]["classes"]):
        one["human"] = 3 if place == 0 else 0
    known["progress"]["accuracy"] = None
    desk.world.answers["state"] = known
    progress = desk.open().get_by_role("region", name="Progress")
    expect(progress).to_contain_text("needs labels of a second class")
    known["controls"][0]["classes"][1]["human"] = 2
    known["progress"]["accuracy"] = {"estimate": 0.8, "low": 0.4, "high": 0.95, "labels": 5}
    desk.page.reload()
    expect(progress).to_contain_text("80% 40–95%")


def test_the_queue_is_walked_and_answered_by_keys(desk: Desk) -> None:
    page = desk.open()
    before = page.evaluate("JSON.stringify(window.__map.view())")
    page.keyboard.press("n")
    expect(page.locator(".reason")).to_have_text("Reason 5")
    page.wait_for_function("(before) => JSON.stringify(window.__map.view()) !== before", arg=before)
    page.keyboard.press("n")
    expect(page.locator(".reason")).to_have_text("Reason 6")
    page.keyboard.press("Enter")
    desk.sign_in()
    [body] = desk.posted("acts")
    assert body["tasks"] == [FIRST_TASK + 6]
    assert body["label"] == class_of(6)


def test_all_above_a_row_of_the_ranked_list_are_labelled(desk: Desk) -> None:
    page = desk.open()
    page.get_by_role("tab", name="Class").click()
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "30")
    page.locator(".ranked").nth(2).click()
    page.get_by_role("button", name="Label 3 items").click()
    desk.sign_in()
    [body] = desk.posted("acts")
    assert body["tasks"] == [FIRST_TASK + row for row in (100, 101, 102)]
    assert body["label"] == CLASSES[0]


def test_hits_of_a_search_become_the_selection(desk: Desk) -> None:
    page = desk.open()
    page.keyboard.press("/")
    page.keyboard.type("card")
    page.get_by_role("button", name="Label all 40").click()
    assert page.evaluate("window.__map.selection().length") == 40


def test_a_broken_pattern_shows_no_hits_of_an_earlier_text(desk: Desk) -> None:
    page = desk.open()
    page.keyboard.press("/")
    page.keyboard.type("card")
    hits = page.locator(".hits")
    expect(hits).to_contain_text("40 hits")
    found, colours = hits.bounding_box(), page.locator("aside").first.bounding_box()
    assert found is not None
    assert colours is not None
    assert found["x"] >= colours["x"] + colours["width"], "hits lie over the map, not over the colours"
    refused = '{"error": "the pattern is no regular expression"}'
    page.route("**/api/search?*", lambda route: route.fulfill(status=400, body=refused))
    page.keyboard.type("((")
    expect(page.locator(".toast")).to_contain_text("no regular expression")
    expect(hits).to_be_hidden()
    desk.complaints.clear()


def test_what_was_found_is_within_a_narrow_page(desk: Desk) -> None:
    desk.page.set_viewport_size({"width": 420, "height": 800})
    page = desk.open()
    page.keyboard.press("/")
    page.keyboard.type("card")
    end = page.get_by_role("button", name="End the search").bounding_box()
    assert end is not None
    assert end["x"] + end["width"] <= 420
    page.get_by_role("button", name="End the search").click()
    expect(page.locator(".hits")).to_be_hidden()


def test_more_like_this_counts_the_item_itself(desk: Desk) -> None:
    page = desk.open()
    alike = '{"rows": [7, 8, 9]}'
    page.route("**/api/items/5/similar?*", lambda route: route.fulfill(body=alike))
    page.evaluate("window.__map.select([5])")
    page.locator(".gallery .tile").click(button="right")
    page.get_by_role("button", name="More like this").click()
    expect(page.locator(".hits")).to_contain_text("4 hits")
    expect(page.get_by_role("button", name="Label all 4")).to_be_visible()


def test_escape_leaves_the_card_the_selection_and_the_hits_one_by_one(desk: Desk) -> None:
    page = desk.open()
    alike = '{"rows": [7, 8, 9]}'
    page.route("**/api/items/5/similar?*", lambda route: route.fulfill(body=alike))
    page.evaluate("window.__map.select([5])")
    page.locator(".gallery .tile").click(button="right")
    card = page.locator(".card.pinned")
    page.get_by_role("button", name="More like this").click()
    expect(page.locator(".hits")).to_be_visible()
    page.locator(".map-host").focus()
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    assert page.evaluate("window.__map.selection().length") == 4
    page.keyboard.press("Escape")
    assert page.evaluate("window.__map.selection().length") == 0
    expect(page.locator(".hits")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".hits")).to_be_hidden()
    expect(page.get_by_role("button", name="Lasso", exact=True)).to_have_attribute("aria-pressed", "true")


def test_escape_empties_the_search_field_with_the_hits(desk: Desk) -> None:
    page = desk.open()
    page.keyboard.press("/")
    page.keyboard.type("card")
    expect(page.locator(".hits")).to_be_visible()
    page.locator(".map-host").focus()
    page.keyboard.press("Escape")
    expect(page.locator(".hits")).to_be_hidden()
    expect(page.get_by_label("Search the items")).to_have_value("")


def test_messages_do_not_cover_a_pinned_card(desk: Desk) -> None:
    desk.page.set_viewport_size({"width": 1280, "height": 420})
    page = desk.open()
    page.evaluate("window.__map.select([5])")
    page.locator(".gallery .tile").click(button="right")
    expect(page.locator(".card.pinned")).to_contain_text("More like this")
    desk.select(30)
    page.keyboard.press("3")
    desk.sign_in()
    toast = page.locator(".toast")
    expect(toast).to_be_visible()
    page.wait_for_function(
        """() => document.querySelector('.card.pinned').getBoundingClientRect().bottom
             <= document.querySelector('.toast').getBoundingClientRect().top"""
    )
    toast.get_by_role("button", name="Dismiss").click()


def test_a_refused_link_is_no_lost_connection(desk: Desk) -> None:
    desk.world.refuse_link = True
    desk.page.goto(desk.address)
    expect(desk.page.get_by_role("alert").filter(has_text="wrong or was revoked")).to_be_visible()
    tries = len([at for at, _ in desk.world.bodies if at == "session"])
    for _ in range(100):  # the page goes on asking, and says nothing else meanwhile
        if len([at for at, _ in desk.world.bodies if at == "session"]) > tries:
            break
        desk.page.wait_for_timeout(50)
    else:
        raise AssertionError("the page gave up")
    expect(desk.page.get_by_text("No connection")).to_have_count(0)
    expect(desk.page.get_by_text("Loading")).to_have_count(0)


def test_moved_sliders_reach_the_training(desk: Desk) -> None:
    page = desk.open()
    page.get_by_role("tab", name="Training").click()
    slider = page.get_by_role("slider", name="KL")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.get_by_label("KL, as a number")).to_have_value("0")
    page.get_by_label("Classification, as a number").fill("2,5")
    page.get_by_role("tabpanel").get_by_role("button", name="Train 5").click()
    desk.sign_in()
    [body] = desk.posted("training")
    assert body == {"epochs": 5, "weights": {**WEIGHTS, "kl": 0, "classification": 2.5}, "prior": None, "phase": None}


def test_single_keys_can_be_switched_off(desk: Desk) -> None:
    page = desk.open()
    page.keyboard.press("?")
    page.get_by_label("Single keys act", exact=False).uncheck()
    page.keyboard.press("Escape")
    desk.select(5)
    page.keyboard.press("1")
    page.wait_for_timeout(300)
    expect(page.get_by_label("Your Label Studio access token")).to_be_hidden()
    page.keyboard.press("Control+z")
    expect(page.get_by_label("Your Label Studio access token")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 700), (600, 640)])
def test_nothing_is_out_of_reach(desk: Desk, width: int, height: int, scheme: Literal["light", "dark"]) -> None:
    """axe-core finds nothing serious in any panel, and the page's own policy is never broken."""
    desk.page.set_viewport_size({"width": width, "height": height})
    desk.page.emulate_media(color_scheme=scheme)
    page = desk.open()
    desk.select(200)
    for tab in ("Selection", "Queue", "Class", "Training", "Components"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(400)
        found = page.evaluate(AXE.read_text("utf-8") + "; axe.run(document).then((result) => result.violations)")
        assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS] == [], tab
    assert desk.complaints == []


def suggestion(row: int) -> dict[str, object]:
    """One item of the queue."""
    return {"row": row, "task": FIRST_TASK + row, "reason": f"Reason {row}", "score": 0}


def unlabelled(rows: Iterable[int]) -> list[int]:
    """Tasks of those rows that no person had labelled when the page was opened."""
    status = SyntheticMap(POINTS).columns["status"]
    return [FIRST_TASK + row for row in rows if status[row] != 2]


def class_of(row: int) -> str:
    """The class that is predicted of a row when the page is opened."""
    return CLASSES[int(SyntheticMap(POINTS).columns["class"][row])]


def test_labels_that_wait_for_somebody_s_token_ask_for_it_and_go_on(desk: Desk) -> None:
    """Lantern was restarted: it keeps no token."""
    desk.world.outbox = {"waiting": 3, "failed": 0, "sent": 0, "needs": [{"id": 1, "name": "Ada", "waiting": 3}]}
    page = desk.open()
    page.get_by_role("button", name="3 labels wait for Ada").click()
    desk.sign_in()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert desk.posted("sign-in")
    desk.world.bodies.clear()
    page.reload()
    for _ in range(2):
        desk.posted("sign-in")  # by itself, with the tab's own token
    expect(page.get_by_text("Saving 3 labels")).to_be_visible()
    desk.world.outbox |= {"needs": [{"id": 2, "name": "Bob", "waiting": 3}]}
    page.reload()
    expect(page.get_by_text("3 labels wait for Bob")).to_be_visible()
