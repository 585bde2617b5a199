"""Which points a region that was drawn on the map's picture holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ml_backend.engine.picture import HEIGHT, MARGIN, SIDE, WIDTH, to_percent
from ml_backend.label_studio.regions import in_polygon, labels_of

TYPES = {"polygonlabels", "rectanglelabels", "ellipselabels", "keypointlabels"}


def region(kind: str, label: str = "a", /, **value: Any) -> dict[str, Any]:
    """As Label Studio 1.23.2 sends it."""
    shown = {"original_width": WIDTH, "original_height": HEIGHT, "image_rotation": 0, "to_name": "map"}
    return {**shown, "type": kind, "from_name": kind, "id": "x", "value": {**value, kind: [label]}}


def held(item: dict[str, Any], *points: tuple[float, float]) -> list[int]:
    found = labels_of([item], np.array(points, np.float64).reshape(-1, 2))
    return [int(row) for row in found.get("a", ())]


def test_the_square_lies_in_the_picture_where_it_is_told_to() -> None:
    corners = to_percent(np.array([[-1.0, 1.0], [1.0, -1.0], [0.0, 0.0]]))
    assert corners[0] == pytest.approx([100 * MARGIN / WIDTH, 100 * MARGIN / HEIGHT]), "up is up"
    assert corners[1] == pytest.approx([100 * (MARGIN + SIDE) / WIDTH, 100 * (MARGIN + SIDE) / HEIGHT])
    assert corners[2] == pytest.approx([100 * 500 / WIDTH, 50.0])


def test_a_concave_polygon() -> None:
    horseshoe = [[10, 10], [40, 10], [40, 40], [30, 40], [30, 20], [20, 20], [20, 40], [10, 40]]
    inside, gap, outside = (15.0, 30.0), (25.0, 30.0), (50.0, 50.0)
    assert held(region("polygonlabels", points=horseshoe, closed=True), inside, gap, outside) == [0]
    assert held(region("polygonlabels", points=horseshoe[::-1]), inside, gap, outside) == [0], (
        "drawn the other way round"
    )


def test_a_polygon_that_crosses_itself_is_filled_as_it_is_shown() -> None:
    star = [[50, 10], [73, 82], [11, 37], [89, 37], [27, 82]]
    assert held(region("polygonlabels", points=star), (50.0, 45.0), (50.0, 80.0)) == [0]


def test_polygons_agree_with_angles_summed_up() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 100, (200, 2))
    for corners in rng.uniform(0, 100, (20, 7, 2)):
        vectors = corners[None] - points[:, None]
        angles = np.arctan2(vectors[..., 1], vectors[..., 0])
        turns = np.diff(angles, axis=1, append=angles[:, :1])
        winding = np.rint(((turns + np.pi) % (2 * np.pi) - np.pi).sum(axis=1) / (2 * np.pi))
        np.testing.assert_array_equal(in_polygon(points, corners), winding != 0)


def test_an_ellipse_turned_clockwise() -> None:
    """Radii in percent of different lengths: 20 % of the width is 250 pixels, 5 % of the height is 50."""
    flat = {"x": 50.0, "y": 50.0, "radiusX": 20.0, "radiusY": 5.0}
    right, below = (69.0, 50.0), (50.0, 54.0)
    far_below, diagonal = (50.0, 70.0), (50 + 100 * 150 / WIDTH, 50 + 100 * 150 / HEIGHT)
    points = (right, below, far_below, diagonal)
    assert held(region("ellipselabels", **flat, rotation=0), *points) == [0, 1]
    assert held(region("ellipselabels", **flat, rotation=90), *points) == [1, 2]
    assert held(region("ellipselabels", **flat, rotation=45), *points) == [1, 3], (
        "clockwise on the screen: down to the right"
    )


def test_a_rectangle_turns_around_its_upper_left_corner() -> None:
    box = {"x": 40.0, "y": 40.0, "width": 20.0, "height": 10.0}
    points = ((50.0, 45.0), (39.0, 55.0), (61.0, 45.0))
    assert held(region("rectanglelabels", **box, rotation=0), *points) == [0]
    assert held(region("rectanglelabels", **box), *points, (59.9, 40.1), (40.1, 49.9)) == [0, 3, 4]
    assert held(region("rectanglelabels", **box, rotation=90), *points) == [1]


def test_a_key_point_takes_the_nearest_point_within_its_width() -> None:
    click = {"x": 50.0, "y": 50.0}
    near, same, next_to = (50.5, 50.0), (50.5, 50.0), (49.0, 50.0)
    assert held(region("keypointlabels", **click, width=0.8), near, same, next_to) == [0, 1]
    assert held(region("keypointlabels", **click, width=0.8), (52.0, 50.0)) == []
    assert held(region("keypointlabels", **click, width=3.0), (52.0, 50.0)) == [0]
    assert held(region("keypointlabels", **click, width=3.0)) == []


def test_the_region_drawn_last_lies_on_top() -> None:
    box = {"x": 0.0, "y": 0.0, "height": 100.0}
    result = [region("rectanglelabels", **box, width=60.0), region("rectanglelabels", "b", **box, width=30.0)]
    points = np.array([[10.0, 50.0], [50.0, 50.0], [90.0, 50.0]])
    assert {k: v.tolist() for k, v in labels_of(result, points).items()} == {"a": [1], "b": [0]}


@pytest.mark.parametrize(
    "item",
    [
        None, 7, {}, {"type": "polygonlabels"}, {"type": "brushlabels", "value": {"brushlabels": ["a"], "rle": [1]}},
        region("polygonlabels", points=[[0, 0], [1, 1]]), region("polygonlabels", points=[[0, 0], [1, 1], [2]]),
        region("polygonlabels", points=[[0, 0], [99, 0], [float("nan"), 99]]), region("polygonlabels", points="x"),
        region("polygonlabels", points=[[0, 0], [99, 0], [0, 99]]) | {"value": {"points": [[0, 0], [99, 0], [0, 99]]}},
        region("ellipselabels", x=1, y=1, radiusX=0, radiusY=0, rotation=0), region("ellipselabels", x="1", y=1),
        region("rectanglelabels", x=0, y=0, width=99, height=99) | {"image_rotation": 90},
        region("rectanglelabels", x=0, y=0, width=None, height=99), region("keypointlabels", x=True, y=1, width=100),
    ],
)  # fmt: skip
def test_what_is_no_region_is_left_out(item: Any) -> None:
    assert labels_of([item], np.array([[1.0, 1.0]])) == {}
    assert labels_of(item, np.array([[1.0, 1.0]])) == {}
