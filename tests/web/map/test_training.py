"""Steering over HTTP: who may, what is refused, and what a page reads of it."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from werkzeug.test import TestResponse

from ml_backend.data.pictures import to_data_uri
from ml_backend.label_studio.people import People
from ml_backend.store import projects, tasks
from tests.label_studio.fake_people import ANN, FakeWithPeople
from tests.web.map.conftest import CONFIG, OTHER, OTHER_KEY, UID, MapWorld, make_world

HEADER = "X-Label-Studio-Token"
WRITES = ["training", "training/stop", "runs/1/restore", "settings"]


class Page:
    """The page of project five, with Ann's token."""

    def __init__(self, home: Path) -> None:
        self.world: MapWorld = make_world(home)
        created = datetime.fromtimestamp(1_783_600_000, UTC).isoformat()
        fake = FakeWithPeople(project={"id": 5, "created_at": created, "label_config": CONFIG, "title": "p"})
        object.__setattr__(self.world.maps, "people", People(self.world.maps.connections, api_at=fake.api_at))
        self.token = self.world.headers()

    def post(self, path: str, body: object = None, *, token: str | None = ANN) -> TestResponse:
        headers = self.token | ({HEADER: token} if token is not None else {})
        return self.world.client.post(f"/map/{UID}/api/{path}", json=body or {}, headers=headers)

    def reply(self, path: str, **headers: str) -> TestResponse:
        return self.world.client.get(f"/map/{UID}/api/{path}", headers=self.token | headers)

    def get(self, path: str) -> Any:
        reply = self.reply(path)
        assert reply.status_code == 200, reply.text
        return reply.get_json()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    made = Page(tmp_path_factory.mktemp("training"))
    yield made
    made.world.db.close()


@pytest.mark.parametrize("path", WRITES)
def test_steering_needs_the_person_s_own_token(page: Page, path: str) -> None:
    assert page.post(path, token=None).status_code == 401
    assert page.post(path, token="nobody's").status_code == 401
    assert page.world.client.post(f"/map/{UID}/api/{path}", json={}, headers={HEADER: ANN}).status_code == 401


@pytest.mark.parametrize("path", ["training", "runs", "components", "components/0", "components/0/walk.png"])
def test_reading_needs_the_token_of_just_this_project(page: Page, path: str) -> None:
    address = f"/map/{UID}/api/{path}"
    assert page.world.client.get(address).status_code == 401
    assert page.world.client.get(address, headers=page.world.headers(OTHER, OTHER_KEY)).status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("training", {"epochs": 9}),
        ("training", {"epochs": 1, "weights": {"kl": -1}}),
        ("training", {"epoch": 1}),
        ("settings", {"alpha0": 0}),
        ("settings", {"colour": 1}),
        ("runs/4711/restore", {}),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(page: Page, path: str, body: object) -> None:
    reply = page.post(path, body)
    assert reply.status_code == 400
    assert reply.get_json()["error"]


@pytest.mark.parametrize("path", ["runs/{}/restore", "acts/{}/undo", "acts/{}/redo"])
def test_a_number_that_no_database_holds_is_of_nothing(page: Page, path: str) -> None:
    assert page.post(path.format(10**30), {}).status_code == 404


def test_a_run_from_the_sliders_to_its_effect_and_back(page: Page) -> None:
    weights = {**page.get("training")["defaults"], "classification": 4.0, "sparsity": 0.0}
    first = page.get("runs")["runs"][0]
    number = page.post("training", {"epochs": 2, "weights": weights, "prior": None, "phase": None}).get_json()["run"]
    assert page.post("training", {"epochs": 1}).status_code == 409
    assert page.get("state")["training"]["status"] == "queued"
    page.world.work()
    run = page.get("runs")["runs"][0]
    assert (run["id"], run["status"], run["requested_by"]) == (number, "done", "Ann Lee")
    assert run["weights"] == weights
    assert [epoch["epoch"] for epoch in run["epochs"]] == [1, 2]
    assert run["started_at"] <= run["finished_at"] <= datetime.now(UTC).isoformat()
    assert run["restorable"]
    assert run["effect"]["changed"] == page.get("state")["changed"]["count"]
    overview = page.get("training")
    assert overview["weights"] == weights
    assert sum(overview["contributions"].values()) == pytest.approx(1.0)
    back = page.post(f"runs/{first['id']}/restore").get_json()["run"]
    page.world.work()
    restored = page.get("runs")["runs"][0]
    assert (restored["id"], restored["restores"], restored["status"]) == (back, first["id"], "done")
    assert restored["epochs"] == []
    assert page.get("training")["weights"] == first["weights"]


def test_a_run_that_waits_can_be_stopped_once(page: Page) -> None:
    number = page.post("training", {"epochs": 1}).get_json()["run"]
    assert page.post("training/stop").get_json() == {"run": number}
    assert page.post("training/stop").status_code == 409
    run = page.get("runs")["runs"][0]
    assert (run["id"], run["status"], run["stopped"]) == (number, "done", True)


def test_alpha0_changes_columns_at_once(page: Page) -> None:
    before = page.reply("columns/s_ood?control=kind")
    assert page.post("settings", {"alpha0": 20}).get_json()["settings"]["alpha0"] == 20.0
    after = page.reply("columns/s_ood?control=kind", **{"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.data != before.data
    assert page.get("state")["settings"]["alpha0"] == 20.0
    assert page.post("settings", {"alpha0": None}).get_json()["settings"]["alpha0"] is None
    assert page.reply("columns/s_ood?control=kind").data == before.data


def test_components_have_words_and_no_pictures(page: Page) -> None:
    listed = page.get("components?control=kind")["components"]
    assert sum(one["items"] for one in listed) == 60
    details = page.get(f"components/{listed[0]['c']}?control=kind")
    assert details["typical"]
    assert not details["pictures"]
    assert details["latent_dim"] is None
    assert page.reply(f"components/{listed[0]['c']}/prototype.png").status_code == 404
    assert page.reply("components/9999").status_code == 400
    assert page.reply("components/0/other.png").status_code == 404


@pytest.mark.slow
def test_pictures_are_sent_once(page: Page) -> None:
    uid, config = "8.1783600003", CONFIG.replace("<Text", "<Image").replace('value="$text"', 'value="$image"')
    world = page.world
    world.connect(uid, "key-8")
    with world.db.write() as session:
        project = projects.ensure(session, uid)
        projects.configure(session, project, label_config=config, extra_params={"n_components": 4, "epochs": 1})
    add_pictures(world, uid)
    world.work(uid)
    headers = world.headers(uid, "key-8")
    details = world.client.get(f"/map/{uid}/api/components/0", headers=headers).get_json()
    assert (details["pictures"], details["latent_dim"], details["pseudo_inputs"]) == (True, 16, False)
    for kind in ("prototype", "sigma", "walk"):
        reply = world.client.get(f"/map/{uid}/api/components/0/{kind}.png?axis=1", headers=headers)
        assert reply.content_type == "image/png"
        assert Image.open(io.BytesIO(reply.data)).format == "PNG"
        again = headers | {"If-None-Match": reply.headers["ETag"]}
        assert world.client.get(f"/map/{uid}/api/components/0/{kind}.png?axis=1", headers=again).status_code == 304
    assert world.client.get(f"/map/{uid}/api/components/0/walk.png?axis=16", headers=headers).status_code == 400
    assert world.client.get(f"/map/{uid}/api/components/0/pseudo.png", headers=headers).status_code == 404


def add_pictures(world: MapWorld, uid: str) -> None:
    random = np.random.default_rng(0)
    rows = [(i, {"image": to_data_uri(random.integers(0, 255, (1, 8, 8), np.uint8))}) for i in range(1, 31)]
    with world.db.write() as session:
        project = projects.ensure(session, uid)
        projects.touch_data(session, project, tasks.upsert_many(session, project, rows), time.time())
