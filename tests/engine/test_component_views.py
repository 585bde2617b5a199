"""Components as people look at them: what they hold, what they mean, what they draw."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

import numpy as np
import pytest
from PIL import Image

from ml_backend.config import Settings
from ml_backend.data.pictures import to_data_uri
from ml_backend.engine.component_pictures import ComponentPictures, PictureKind
from ml_backend.engine.component_views import ComponentViews, membership
from ml_backend.engine.map_columns import MapColumns
from ml_backend.errors import InputError
from ml_backend.store import projects

from .conftest import UID, World

WORDS = {"battery": ["battery", "charger", "empty"], "network": ["router", "wifi", "signal"]}
COMMON = ["the", "your", "phone", "is", "now", "please", "look"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two kinds of texts beside vectors that tell them apart; the odd ids are about networks."""
    home = tmp_path_factory.mktemp("components")
    made = World(home, Settings(home=home, debounce_seconds=0.0))
    made.configure(n_components=8)
    random = np.random.default_rng(0)
    centres = random.normal(size=(2, 10))
    rows = []
    for task in range(1, 121):
        kind = "network" if task % 2 else "battery"
        words = [*random.choice(COMMON, 4), *random.choice(WORDS[kind], 2, replace=False)]
        vector = centres[task % 2] + 0.3 * random.normal(size=10)
        rows.append((task, {"text": " ".join(words), "embedding": vector.round(4).tolist()}))
    made.add_tasks(rows)
    made.work()
    for task in range(1, 7):
        made.label(task, "network" if task % 2 else "battery")
    made.delete_tasks([120])
    made.work()
    yield made
    made.db.close()


class Listed(TypedDict):
    """A component of the list, as the page reads it."""

    c: int
    mass: float
    items: int
    label: str | None
    labelled: int


class Details(TypedDict):
    """One component alone."""

    c: int
    mass: float
    tau: list[tuple[str, float]]
    typical: list[int]
    neighbours: list[int]
    sigma_mean: float


def views(world: World) -> ComponentViews:
    return ComponentViews(MapColumns(world.view(), "kind"))


def listed_of(shown: ComponentViews) -> list[Listed]:
    read: list[Listed] = json.loads(json.dumps(shown.listed()))
    return read


def details_of(shown: ComponentViews, component: int) -> Details:
    read: Details = json.loads(json.dumps(shown.details(component)))
    return read


def test_used_components_are_listed_by_mass_with_what_they_mean(world: World) -> None:
    listed = listed_of(views(world))
    masses = [one["mass"] for one in listed]
    assert masses == sorted(masses, reverse=True)
    assert sum(masses) == pytest.approx(1.0, abs=0.02)
    assert sum(one["items"] for one in listed) == 119
    assert sum(one["labelled"] for one in listed) == 6
    ids = world.view().snapshot.task_ids
    for one in listed[:2]:
        parity = ids[views(world).typical(one["c"], 5)] % 2
        assert one["label"] == ("network" if parity.mean() > 0.5 else "battery")


def test_a_component_s_details_are_of_its_own_items(world: World) -> None:
    shown = views(world)
    first = listed_of(shown)[0]
    details = details_of(shown, first["c"])
    assert details["tau"][0][0] == first["label"]
    assert sum(p for _, p in details["tau"]) == pytest.approx(1.0)
    assert details["sigma_mean"] > 0
    assert first["c"] not in details["neighbours"]
    r = world.view().snapshot.description.responsibilities
    share = membership(r, first["c"])
    assert all(share[row] == r.values[row].max() for row in details["typical"])
    dead = np.flatnonzero(world.view().snapshot.task_ids < 0)
    assert not set(details["typical"]) & set(dead.tolist())


def test_an_unlabelled_control_names_nothing_and_an_unknown_component_is_refused(world: World) -> None:
    shown = views(world)
    with pytest.raises(InputError):
        shown.details(8)
    with pytest.raises(InputError):
        shown.details(-1)


def test_terms_find_the_planted_words(world: World) -> None:
    shown = views(world)
    ids = world.view().snapshot.task_ids
    found: dict[str, set[str]] = {"network": set(), "battery": set()}
    for one in listed_of(shown):
        kind = "network" if (ids[shown.typical(one["c"], 50)] % 2).mean() > 0.5 else "battery"
        found[kind] |= {word for term in shown.terms(world.db, UID, one["c"]) for word in term.term.split()}
    assert found["network"] & {*WORDS["network"]}
    assert found["battery"] & {*WORDS["battery"]}
    assert not found["network"] & {*WORDS["battery"]}
    assert not found["battery"] & {*WORDS["network"]}


def test_vectors_draw_no_pictures(world: World) -> None:
    pictures = ComponentPictures(world.engine)
    assert pictures.model(UID, world.view()) is None
    assert pictures.png(UID, world.view(), 0, "prototype") is None


IMAGES = """
<View><Image name="image" value="$image"/>
<Choices name="kind" toName="image"><Choice value="a"/><Choice value="b"/></Choices></View>
"""


@pytest.mark.slow
def test_pictures_have_the_right_size_and_differ(tmp_path: Path) -> None:
    world = World(tmp_path, Settings(home=tmp_path, debounce_seconds=0.0))
    world.configure(IMAGES, n_components=4, prior="vamp", epochs=1)
    random = np.random.default_rng(0)
    pictures = np.zeros((40, 1, 10, 14), np.uint8)
    pictures[::2, :, :5] = 200
    pictures[1::2, :, :, 7:] = 200
    pictures += random.integers(0, 50, size=pictures.shape, dtype=np.uint8)
    world.add_tasks([(i + 1, {"image": to_data_uri(picture)}) for i, picture in enumerate(pictures)])
    world.work()
    drawn = ComponentPictures(world.engine)
    model = drawn.model(UID, world.view())
    assert model is not None
    assert (model.latent_dim, model.pseudo_inputs) == (16, True)

    def size(kind: PictureKind, axis: int = 0) -> tuple[int, int]:
        png = drawn.png(UID, world.view(), 0, kind, axis)
        assert png is not None
        return Image.open(io.BytesIO(png)).size

    assert size("prototype") == size("sigma") == size("pseudo") == (14 * 9, 10 * 9)
    assert size("walk") == ((9 * 14 + 8) * 5, 10 * 5)
    assert len({drawn.png(UID, world.view(), c, "prototype") for c in range(4)}) > 1
    assert drawn.png(UID, world.view(), 0, "walk", 0) != drawn.png(UID, world.view(), 0, "walk", 5)
    with pytest.raises(InputError):
        size("walk", 16)
    with pytest.raises(InputError):
        drawn.png(UID, world.view(), 99, "prototype")
    with world.db.read() as session:
        assert projects.ensure(session, UID).training_done == 1
    world.db.close()
