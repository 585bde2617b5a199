"""What somebody drew on the map's picture in Label Studio: regions of an annotation, and which points each holds.

A region is told in percent of the picture's width and height from its upper left corner. Nothing of a result is
trusted: what is no region on the picture, or has no label, is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.engine.picture import HEIGHT, WIDTH

Percent = NDArray[np.float64]
Inside = NDArray[np.bool_]

LONGEST_OUTLINE = 10_000
"""Corners of one polygon; more are no work of a hand."""
LEAST_REACH = 1.0
"""Percent of the picture's width within which a key point finds its point, at least."""
_PIXELS = np.array([WIDTH, HEIGHT]) / 100.0


@dataclass(frozen=True)
class Region:
    """One region: its label, and (n, 2) points in percent -> (n,) whether each lies in it."""

    label: str
    holds: Callable[[Percent], Inside]


def read_regions(result: object) -> Iterator[Region]:
    """The regions of an annotation's `result`, in the order in which they were drawn."""
    for item in result if isinstance(result, list) else ():
        if not isinstance(item, Mapping) or item.get("image_rotation"):
            continue  # a picture that was turned has other percents
        value = item.get("value")
        label = _label(value, item.get("type")) if isinstance(value, Mapping) else None
        make = _SHAPES.get(str(item.get("type")))
        holds = make(value) if make is not None and label is not None and isinstance(value, Mapping) else None
        if holds is not None and label is not None:
            yield Region(label, holds)


def labels_of(result: object, points: Percent) -> dict[str, NDArray[np.int64]]:
    """Label -> indices of the (n, 2) points that get it; where regions lie over each other, the last one counts."""
    names: dict[str, int] = {}
    given = np.full(len(points), -1, np.int64)
    for region in read_regions(result):
        given[region.holds(points)] = names.setdefault(region.label, len(names))
    return {name: np.flatnonzero(given == i) for name, i in names.items() if (given == i).any()}


def _label(value: Mapping[object, object], kind: object) -> str | None:
    """The one label of a region."""
    labels = value.get(kind)
    return labels[0] if isinstance(labels, list) and labels and isinstance(labels[0], str) else None


def _numbers(value: Mapping[object, object], *names: str) -> tuple[float, ...] | None:
    found = [value.get(name, 0.0 if name == "rotation" else None) for name in names]
    numbers = tuple(float(x) for x in found if isinstance(x, int | float) and not isinstance(x, bool))
    return numbers if len(numbers) == len(names) and all(map(math.isfinite, numbers)) else None


def _polygon(value: Mapping[object, object]) -> Callable[[Percent], Inside] | None:
    given = value.get("points")
    try:
        corners = np.array(given, np.float64)
    except (TypeError, ValueError):
        return None
    if corners.ndim != 2 or corners.shape[1] != 2 or not 3 <= len(corners) <= LONGEST_OUTLINE:
        return None
    return (lambda points: in_polygon(points, corners)) if np.isfinite(corners).all() else None


def _rectangle(value: Mapping[object, object]) -> Callable[[Percent], Inside] | None:
    numbers = _numbers(value, "x", "y", "width", "height", "rotation")
    if numbers is None:
        return None
    x, y, width, height, rotation = numbers

    def holds(points: Percent) -> Inside:
        along, down = _turned(points, x, y, rotation)
        size = np.array([width, height]) * _PIXELS
        return np.asarray((along >= 0) & (along <= size[0]) & (down >= 0) & (down <= size[1]))

    return holds


def _ellipse(value: Mapping[object, object]) -> Callable[[Percent], Inside] | None:
    numbers = _numbers(value, "x", "y", "radiusX", "radiusY", "rotation")
    if numbers is None or min(numbers[2:4]) <= 0:
        return None
    x, y, across, high, rotation = numbers

    def holds(points: Percent) -> Inside:
        along, down = _turned(points, x, y, rotation)
        radii = np.array([across, high]) * _PIXELS
        return np.asarray((along / radii[0]) ** 2 + (down / radii[1]) ** 2 <= 1.0)

    return holds


def _key_point(value: Mapping[object, object]) -> Callable[[Percent], Inside] | None:
    """The nearest point within the mark's width, and all that lie in the same place."""
    numbers = _numbers(value, "x", "y", "width")
    if numbers is None:
        return None
    x, y, width = numbers

    def holds(points: Percent) -> Inside:
        distance = np.linalg.norm((points - (x, y)) * _PIXELS, axis=1)
        nearest = distance.min(initial=np.inf)
        reach = max(width, LEAST_REACH) * _PIXELS[0]
        return np.asarray((distance <= nearest) & (distance <= reach))

    return holds


_SHAPES: Mapping[str, Callable[[Mapping[object, object]], Callable[[Percent], Inside] | None]] = {
    "polygonlabels": _polygon,
    "rectanglelabels": _rectangle,
    "ellipselabels": _ellipse,
    "keypointlabels": _key_point,
}


def in_polygon(points: Percent, corners: Percent) -> Inside:
    """(n,) whether the closed outline winds around each of the (n, 2) points (non-zero rule, as it is shown filled)."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    candidates = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    x, y = points[candidates].T
    winding = np.zeros(len(candidates), np.int64)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        left = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)
        winding += (y0 <= y) & (y1 > y) & (left > 0)
        winding -= (y0 > y) & (y1 <= y) & (left < 0)
    inside = np.zeros(len(points), np.bool_)
    inside[candidates[winding != 0]] = True
    return inside


def _turned(points: Percent, x: float, y: float, degrees: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixels from (x, y), along the axes of a shape that was turned clockwise around it."""
    dx, dy = ((points - (x, y)) * _PIXELS).T
    angle = math.radians(degrees)
    return dx * math.cos(angle) + dy * math.sin(angle), dy * math.cos(angle) - dx * math.sin(angle)
