"""The map as a picture: who opens it sees each point where and as it is."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ml_backend.engine import picture_fonts
from ml_backend.engine.picture import (
    GROUND,
    HEIGHT,
    INK,
    LEGEND_LEFT,
    MARGIN,
    NO_CLASS,
    NOTHING,
    SIDE,
    WIDTH,
    LegendEntry,
    Points,
    draw,
    to_percent,
)

LEGEND = [LegendEntry("a", "#0072b2", 1), LegendEntry("b", "#e69f00", 1)]
BLUE, ORANGE = (0, 0x72, 0xB2), (0xE6, 0x9F, 0)
PLACES = np.array([[-0.5, 0.5], [0.5, 0.5], [0.0, -0.5]], np.float32)


def picture(points: Points) -> Image.Image:
    return Image.open(io.BytesIO(draw(points, LEGEND, "kind"))).convert("RGB")


def at(image: Image.Image, place: NDArray[np.float32], right: int = 0) -> tuple[int, ...]:
    x, y = to_percent(place[None])[0] / 100 * (WIDTH, HEIGHT)
    found = image.getpixel((round(x) + right, round(y)))
    assert isinstance(found, tuple)
    return found


def test_a_person_s_label_a_propagated_one_and_none() -> None:
    human = np.array([True, False, False])
    image = picture(Points(PLACES, np.array([0, 1, NO_CLASS], np.uint16), human))
    assert image.size == (WIDTH, HEIGHT)
    assert at(image, PLACES[0]) == BLUE
    assert at(image, PLACES[2]) == NOTHING
    pale = at(image, PLACES[1])
    assert all(full <= seen < 255 or full == seen for full, seen in zip(ORANGE, pale, strict=True))
    assert pale != ORANGE
    rims = [{at(image, place, right) for right in range(4, 12)} for place in PLACES]
    assert [INK in rim for rim in rims] == [True, False, False], "only a person's has a rim"
    assert at(image, PLACES[0], 30) == GROUND


def test_a_person_s_label_is_never_hidden_and_points_at_the_edge_are_whole() -> None:
    places = np.vstack([np.zeros((500, 2)), [[1.0, -1.0]]]).astype(np.float32)
    classes = np.where(np.arange(501) < 499, 1, 0).astype(np.uint16)
    image = picture(Points(places, classes, np.arange(501) == 0))
    assert at(image, places[0]) == ORANGE
    x, y = (to_percent(places[-1:])[0] / 100 * (WIDTH, HEIGHT)).round().astype(int)
    assert (x, y) == (MARGIN + SIDE, MARGIN + SIDE)
    assert image.getpixel((int(x), int(y))) != GROUND


@pytest.mark.parametrize("n", [0, 1])
def test_next_to_nothing(n: int) -> None:
    image = picture(Points(PLACES[:n], np.full(n, NO_CLASS, np.uint16), np.zeros(n, bool)))
    assert image.getcolors(WIDTH * HEIGHT) is not None


def test_many_classes_without_colours_or_letters_of_their_own() -> None:
    legend = [LegendEntry(f"класс 日本 {i} " + "long " * 9, "#737373", 0) for i in range(60)]
    body = draw(Points(PLACES, np.array([59, 0, NO_CLASS], np.uint16), np.zeros(3, bool)), legend, "x" * 200)
    assert Image.open(io.BytesIO(body)).size == (WIDTH, HEIGHT)


def legend_of(*names: str) -> NDArray[np.uint8]:
    """Pixels right of the map."""
    colours = ["#0072b2", "#e69f00", "#009e73"]
    legend = [LegendEntry(name, colour, 1) for name, colour in zip(names, colours, strict=False)]
    nobody = np.full(3, NO_CLASS, np.uint16)
    drawn = Image.open(io.BytesIO(draw(Points(PLACES, nobody, np.zeros(3, np.bool_)), legend, "kind")))
    return np.asarray(drawn.convert("RGB"))[:, LEGEND_LEFT:]


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It has no fonts."""
    monkeypatch.setattr(picture_fonts, "_present", tuple)
    picture_fonts._fonts.cache_clear()
    yield
    picture_fonts._fonts.cache_clear()


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize("name", ["сеть", "网络", "Störung", "شبكة"])
def test_a_name_without_its_letters_is_a_number_and_no_row_of_boxes(name: str) -> None:
    assert np.array_equal(legend_of("a", name), legend_of("a", "label 2"))
    assert not np.array_equal(legend_of(name, "a"), legend_of("a", name))


def test_a_font_of_the_machine_writes_what_the_own_one_cannot() -> None:
    fonts = {name: picture_fonts.font_for(name, 17) for name in ("Störung", "сеть")}
    if None in fonts.values():
        pytest.skip("this machine has no font for them")
    assert not np.array_equal(legend_of("Störung"), legend_of("label 1"))
    assert not np.array_equal(legend_of("сеть"), legend_of("label 1"))
    assert not np.array_equal(legend_of("сеть"), legend_of("есть"))
