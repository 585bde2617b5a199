"""Drawing on pictures of the map, with a real Label Studio and a real browser: what is drawn becomes labels of the
points inside, changes with the drawing, and goes with it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from ml_backend.data.notifications import make_notifications
from ml_backend.demo.annotator import Annotator
from ml_backend.demo.lantern_process import LanternProcess
from ml_backend.demo.ports import free_port
from ml_backend.engine.given_labels import given_labels
from ml_backend.engine.picture import HEIGHT, WIDTH, to_percent
from ml_backend.label_studio.connect import connect
from ml_backend.label_studio.sheet_link import link_of
from ml_backend.label_studio.sheets import load_sheet
from ml_backend.store import projects, sheets
from ml_backend.store.database import Database
from ml_backend.store.tables import Project
from tests.conftest import RunningLabelStudio
from tests.e2e.browser import WAIT_MILLISECONDS, signed_in
from tests.e2e.world import guarded_settings, wait_for

CONFIG = (
    '<View><Text name="text" value="$text"/>'
    '<Choices name="kind" toName="text"><Choice value="fault"/><Choice value="a &amp; b"/></Choices></View>'
)
N_TASKS = 80


class Sheets:
    """A project with a model, and the one with its sheets."""

    def __init__(self, label_studio: RunningLabelStudio, lantern: LanternProcess, db: Database) -> None:
        self.label_studio, self.lantern, self.db = label_studio, lantern, db
        self.annotator = Annotator(label_studio.api)
        self.number = self.annotator.make_project("Alerts of the night shift, a rather long name", CONFIG)
        texts = [{"text": one["text"]} for one in make_notifications(N_TASKS)]
        (self.tasks,) = self.annotator.import_tasks(self.number, texts)
        connect(db, lantern.settings, project=self.number, on_map=True)
        self.link = link_of(self.row())
        assert self.link is not None
        wait_for(lambda: None if self._sheet_tasks() else "the first sheet")
        (self.sheet_task,) = self._sheet_tasks()[:1]

    def row(self) -> Project:
        with self.db.read() as session:
            found = projects.by_label_studio_id(session, self.number)
        assert found is not None
        return found

    def _sheet_tasks(self) -> list[dict[str, Any]]:
        assert self.link is not None
        return [task for page in self.annotator.tasks(self.link.project) for task in page]

    def places(self) -> tuple[list[int], np.ndarray[Any, Any]]:
        """Task ids and percent of the picture."""
        with self.db.read() as session:
            sheet = sheets.of_task(session, self.row(), self.sheet_task["id"])
        assert sheet is not None
        items = load_sheet(self.db, sheet)
        return items.task_ids.tolist(), to_percent(items.xy)

    def labels(self) -> dict[int, tuple[str, str]]:
        """Task -> (label, annotator) by all that counts as a label."""
        with self.db.read() as session:
            given = given_labels(session, projects.ensure(session, self.row().uid))
        return {
            int(label.task_id or 0): (label.result[0]["value"]["choices"][0], str(label.annotator)) for label in given
        }

    def predicted(self) -> dict[int, str]:
        """Task -> what the newest prediction in the first project names."""
        found = {}
        for page in self.annotator.tasks(self.number):
            for task in page:
                for prediction in task["predictions"][-1:]:
                    for region in prediction["result"]:
                        found[task["id"]] = region["value"]["choices"][0]
        return found


@pytest.fixture(scope="module")
def world(label_studio: RunningLabelStudio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sheets]:
    folder = tmp_path_factory.mktemp("label-on-map")
    lantern = LanternProcess(guarded_settings(folder / "home", free_port(), label_studio), folder / "lantern.log")
    lantern.start()
    try:
        lantern.wait_until_up()
        db = Database.open(lantern.settings.home)
        yield Sheets(label_studio, lantern, db)
        db.close()
    finally:
        lantern.stop()


@pytest.fixture(scope="module")
def page(label_studio: RunningLabelStudio) -> Iterator[Page]:
    with signed_in(label_studio, 1600, 1200) as made:
        yield made


def test_connecting_again_changes_nothing(world: Sheets) -> None:
    assert world.link is not None
    changes = connect(world.db, world.lantern.settings, project=world.number, on_map=True)
    assert not [change for change in changes if change.changed]
    assert link_of(world.row()) == world.link
    found = world.label_studio.api.project(world.link.project)
    assert found["title"].endswith(" - map")
    assert len(found["title"]) <= 50
    assert world.row().title.startswith(found["title"].removesuffix(" - map"))


def test_the_picture_opens_by_its_address_alone(world: Sheets) -> None:
    address = world.sheet_task["data"]["map"]
    reply = httpx.get(address, headers={"Origin": world.label_studio.url, "Sec-Fetch-Site": "cross-site"})
    assert (reply.status_code, reply.headers["content-type"]) == (200, "image/png")
    assert reply.headers["access-control-allow-origin"] == "*", "Label Studio loads pictures by script"
    assert Image.open(io.BytesIO(reply.content)).size == (WIDTH, HEIGHT)
    again = httpx.get(address, headers={"If-None-Match": reply.headers["etag"]})
    assert again.status_code == 304
    assert httpx.get(address.replace("sheet=1", "sheet=2")).status_code == 403
    assert httpx.get(address[:-1] + ("0" if address[-1] != "0" else "1")).status_code == 403


def test_an_outline_drawn_by_hand_labels_the_points_inside(world: Sheets, page: Page) -> None:
    assert world.link is not None
    page.goto(
        f"{world.label_studio.url}/projects/{world.link.project}/data?task={world.sheet_task['id']}",
        wait_until="domcontentloaded",
    )
    page.get_by_role("button", name="Submit").wait_for(timeout=WAIT_MILLISECONDS)
    canvas = page.locator("canvas").first
    canvas.wait_for(timeout=WAIT_MILLISECONDS)
    # Label Studio draws its picture more than once while it loads: the canvas goes and comes back
    page.wait_for_function("document.querySelector('canvas')?.getBoundingClientRect().width > 300")
    box = canvas.bounding_box()
    assert box is not None
    ids, places = world.places()
    middle = np.median(places[:, 0])
    page.get_by_text("fault", exact=True).first.click()
    corners = [(1.0, 1.0), (middle, 1.0), (middle, 99.0), (1.0, 99.0), (1.0, 1.0)]
    for x, y in corners:
        page.mouse.click(box["x"] + x / 100 * box["width"], box["y"] + y / 100 * box["height"])
        page.wait_for_timeout(400)
    page.get_by_role("button", name="Submit").click()
    inside = {task for task, (x, _) in zip(ids, places, strict=True) if x < middle - 1}
    outside = {task for task, (x, _) in zip(ids, places, strict=True) if x > middle + 1}
    assert min(len(inside), len(outside)) >= N_TASKS // 4
    wait_for(lambda: None if set(world.labels()) >= inside else "labels of the points inside", 60)
    labels = world.labels()
    assert not set(labels) & outside
    assert {label for label, _ in labels.values()} == {"fault"}
    me = str(world.label_studio.api.whoami()["id"])
    assert {annotator for _, annotator in labels.values()} == {me}


def test_labels_change_and_go_with_the_drawing(world: Sheets) -> None:
    (annotation,) = world.label_studio.api.task(world.sheet_task["id"])["annotations"]
    ids, places = world.places()
    before = set(world.labels())
    own = next(iter(before))
    said = {"from_name": "kind", "to_name": "text", "type": "choices", "value": {"choices": ["fault"]}}
    world.annotator.annotate(own, [said])
    x, y = places[ids.index(own)]
    drawn = {"x": 0.0, "y": 0.0, "width": 100.0, "height": 100.0, "rotation": 0, "rectanglelabels": ["a & b"]}
    world.annotator.change(annotation["id"], [_region("rectangle", drawn)])
    wait_for(lambda: None if len(world.labels()) == N_TASKS else "labels of all points", 60)
    kinds = {task: label for task, (label, _) in world.labels().items()}
    assert kinds.pop(own) == "fault", "what was said of the task itself outweighs what was drawn around it"
    assert set(kinds.values()) == {"a & b"}

    dot = {"x": float(x), "y": float(y), "width": 0.5, "keypointlabels": ["a & b"]}
    world.annotator.change(annotation["id"], [_region("point", dot)])
    wait_for(lambda: None if len(world.labels()) <= 2 else "labels of one point", 60)
    world.annotator.delete(annotation["id"])
    wait_for(lambda: None if set(world.labels()) == {own} else "no labels of a deleted drawing", 60)


def test_the_first_project_shows_them_as_predictions(world: Sheets) -> None:
    ids, places = world.places()
    middle = float(np.median(places[:, 0]))
    left = {"x": 0.0, "y": 0.0, "width": middle, "height": 100.0, "rotation": 0, "rectanglelabels": ["fault"]}
    right = {**left, "x": middle, "width": 100.0 - middle, "rectanglelabels": ["a & b"]}
    world.annotator.annotate(world.sheet_task["id"], [_region("rectangle", left), _region("rectangle", right)])
    drawn = {task: "fault" if x < middle else "a & b" for task, (x, _) in zip(ids, places, strict=True)}

    def missing() -> str | None:
        shown = world.predicted()
        same = sum(shown.get(task) == label for task, label in drawn.items())
        return None if same >= 0.9 * N_TASKS else f"{same} of {N_TASKS} predictions as drawn"

    wait_for(missing, 120)


def test_off_again(world: Sheets) -> None:
    """Last: what the others need is gone."""
    assert world.link is not None
    connect(world.db, world.lantern.settings, project=world.number, on_map=False)
    link = link_of(world.row())
    assert link is not None
    assert not link.active
    assert world.label_studio.api.webhooks(world.link.project) == []
    assert httpx.get(world.sheet_task["data"]["map"]).status_code == 403
    assert world.label_studio.api.project(world.link.project), "what was drawn stays"


def _region(name: str, value: dict[str, Any]) -> dict[str, Any]:
    kind = next(key for key in value if key.endswith("labels"))
    shown = {"original_width": WIDTH, "original_height": HEIGHT, "image_rotation": 0, "to_name": "map"}
    return {**shown, "id": "r", "from_name": name, "type": kind, "value": value}
