"""The picture of the map that Label Studio shows: signed, readable by its scripts, in the present colours."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from ml_backend.engine.layout_files import PlacedItems
from ml_backend.engine.picture import HEIGHT, WIDTH, to_percent
from ml_backend.label_studio.sheet_link import SheetLink, keep_link
from ml_backend.label_studio.sheets import save_sheet
from ml_backend.store import projects, sheets

from .conftest import N_TASKS, OTHER, UID, MapWorld, make_world

LINK = SheetLink(8, "8.1783600009", "kind", "secret-of-the-sheets")
BLUE = (0, 0x72, 0xB2)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MapWorld]:
    """Guarded; two sheets, on which task 1 lies in the lower left corner, the others in the upper right."""
    made = make_world(tmp_path_factory.mktemp("picture"), basic_auth_user="ann", basic_auth_pass="password-1")
    xy = np.full((N_TASKS, 2), 0.5, np.float32)
    xy[0] = -0.5
    items = PlacedItems(np.arange(1, N_TASKS + 1), xy)
    for number in (1, 2):
        with made.db.read() as session:
            project = projects.ensure(session, UID)
        path = save_sheet(made.db, project, items)
        with made.db.write() as session:
            sheets.add(session, project, number=number, layout_number=number, path=path, task_id=number, now=0.0)
            keep_link(session, projects.ensure(session, UID), LINK)
    yield made
    made.db.close()


def address(number: int = 1, project: str = UID, link: SheetLink = LINK) -> str:
    return f"/map/{project}/picture.png?sheet={number}&signature={link.signature(number)}"


def first_task(body: bytes) -> tuple[int, ...]:
    x, y = to_percent(np.array([[-1.0, -1.0]]))[0] / 100 * (WIDTH, HEIGHT)
    found = Image.open(io.BytesIO(body)).convert("RGB").getpixel((round(x), round(y)))
    assert isinstance(found, tuple)
    return found


def test_label_studio_s_page_may_read_it(world: MapWorld) -> None:
    foreign = {"Origin": "http://label.example:8080", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    reply = world.client.get(address(), headers=foreign)
    assert (reply.status_code, reply.content_type) == (200, "image/png")
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert "private" in reply.headers["Cache-Control"]
    assert Image.open(io.BytesIO(reply.data)).size == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    "wrong",
    [
        address(2).replace("sheet=2", "sheet=1"), address().rpartition("&")[0], address(project=OTHER),
        address(project="99"), address(link=SheetLink(8, LINK.uid, "kind", "guessed")), f"/map/{UID}/picture.png",
        address().replace("sheet=1", "sheet=x"),
    ],
)  # fmt: skip
def test_nothing_else_opens_it(world: MapWorld, wrong: str) -> None:
    assert world.client.get(wrong).status_code == 403


def test_a_sheet_that_is_gone(world: MapWorld) -> None:
    assert world.client.get(address(7)).status_code == 404


def test_a_new_label_is_a_new_picture(world: MapWorld) -> None:
    """Last of its module: it labels."""
    before = world.client.get(address())
    assert first_task(before.data) == BLUE, "battery, by a person"
    again = world.client.get(address(), headers={"If-None-Match": before.headers["ETag"]})
    assert again.status_code == 304
    world.label(1, "network")
    after = world.client.get(address(), headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert first_task(after.data) not in (BLUE, (255, 255, 255))
