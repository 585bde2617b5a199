"""The map as a picture: the points of one layout in the colours of one control, with a legend.

The picture's size and where the map's square lies in it never change, so that a place in percent of the picture, which
is how Label Studio tells where somebody drew, is a place on the map.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ml_backend.engine.picture_fonts import Font, font_for

WIDTH, HEIGHT = 1250, 1000
"""Pixels."""
MARGIN = 20
SIDE = HEIGHT - 2 * MARGIN
"""Side of the map's square, which lies MARGIN from the left and the top."""
LEGEND_LEFT = MARGIN + SIDE + 2 * MARGIN
LINE = 30
SMALL, LARGE = 17, 21
LONGEST_NAME = 16
GROUND, INK, GRID = (255, 255, 255), (38, 38, 38), (226, 226, 232)
NOTHING = (176, 176, 182)
"""Of points that nothing is named for."""
NO_CLASS = 65_535
_PALE = 0.36
"""How far a propagated label's colour goes towards the ground: a person's stands out."""


@dataclass(frozen=True)
class Points:
    """Items in one order. xy (n, 2) within [-1, 1], y upward; classes (n,) index of `colours`, NO_CLASS = none; human
    (n,) a person gave the class.
    """

    xy: NDArray[np.float32]
    classes: NDArray[np.uint16]
    human: NDArray[np.bool_]


@dataclass(frozen=True)
class LegendEntry:
    """A class: its name, its colour "#rrggbb", and how many items are named so."""

    name: str
    colour: str
    named: int


def to_percent(xy: NDArray[np.floating]) -> NDArray[np.float64]:
    """(n, 2) places on the map -> (n, 2) percent of the picture's width and height, from its upper left corner."""
    pixels = _to_pixels(xy)
    return np.asarray(pixels / np.array([WIDTH, HEIGHT]) * 100.0)


def draw(points: Points, legend: Sequence[LegendEntry], title: str) -> bytes:
    """A PNG of WIDTH x HEIGHT."""
    canvas = np.full((HEIGHT, WIDTH, 3), GROUND, np.uint8)
    _square(canvas)
    palette = np.array([_rgb(entry.colour) for entry in legend] or [NOTHING], np.float64)
    pixels = np.rint(_to_pixels(points.xy)).astype(np.int64)
    radius = _radius(len(pixels))
    named = points.classes != NO_CLASS
    spread = named & ~points.human
    _splat(canvas, pixels[~named], np.broadcast_to(NOTHING, (int((~named).sum()), 3)), radius)
    _splat(canvas, pixels[spread], _pale(palette)[points.classes[spread]], radius)
    human = named & points.human
    _splat(canvas, pixels[human], np.broadcast_to(INK, (int(human.sum()), 3)), radius + 3)
    _splat(canvas, pixels[human], palette[points.classes[human]], radius + 2)
    picture = Image.fromarray(canvas)
    _write_legend(picture, legend, title, int((~named).sum()))
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=4)
    return file.getvalue()


def _to_pixels(xy: NDArray[np.floating]) -> NDArray[np.float64]:
    unit = (np.asarray(xy, np.float64) * np.array([1.0, -1.0]) + 1.0) / 2.0
    return np.asarray(MARGIN + unit * SIDE)


def _radius(n: int) -> int:
    """Pixels; smaller the more points share the square."""
    return int(np.clip(np.rint(0.3 * (SIDE * SIDE / max(n, 1)) ** 0.45), 1, 6))


def _splat(canvas: NDArray[np.uint8], pixels: NDArray[np.int64], colours: NDArray[np.floating], radius: int) -> None:
    """A disc of one colour for each point; where discs lie over each other, the last one shows."""
    span = np.arange(-radius, radius + 1)
    dx, dy = np.meshgrid(span, span)
    inside = dx * dx + dy * dy <= (radius + 0.5) ** 2
    values = np.asarray(np.clip(colours, 0, 255), np.uint8)
    for x, y in zip(dx[inside], dy[inside], strict=True):
        columns, rows = pixels[:, 0] + x, pixels[:, 1] + y
        canvas[np.clip(rows, 0, HEIGHT - 1), np.clip(columns, 0, WIDTH - 1)] = values


def _square(canvas: NDArray[np.uint8]) -> None:
    low, high = MARGIN - 8, MARGIN + SIDE + 8
    canvas[[low, high], low : high + 1] = GRID
    canvas[low : high + 1, [low, high]] = GRID


def _write_legend(picture: Image.Image, legend: Sequence[LegendEntry], title: str, unnamed: int) -> None:
    pen, small = ImageDraw.Draw(picture), ImageFont.load_default(SMALL)
    top = MARGIN
    name, font = _written(title, "labels", LARGE)
    pen.text((LEGEND_LEFT, top), name, INK, font=font)
    top += 2 * LINE
    rows = max(0, (HEIGHT - MARGIN - 5 * LINE - top) // LINE)
    for number, entry in enumerate(legend[:rows], start=1):
        _dot(pen, top, _rgb(entry.colour), large=True)
        name, font = _written(entry.name, f"label {number}", SMALL)
        pen.text((LEGEND_LEFT + 26, top), f"{name}  {entry.named:,}", INK, font=font)
        top += LINE
    if len(legend) > rows:
        pen.text((LEGEND_LEFT + 26, top), f"and {len(legend) - rows} more", INK, font=small)
        top += LINE
    _dot(pen, top, NOTHING, large=False)
    pen.text((LEGEND_LEFT + 26, top), f"no label yet  {unnamed:,}", INK, font=small)
    top += int(1.5 * LINE)
    own = _rgb(legend[0].colour) if legend else NOTHING
    for person, text in ((True, "given by a person"), (False, "spread by Lantern")):
        _dot(pen, top, own if person else _pale(np.array(own)), large=person)
        pen.text((LEGEND_LEFT + 26, top), text, INK, font=small)
        top += LINE


def _dot(pen: ImageDraw.ImageDraw, top: int, colour: Sequence[float] | NDArray[np.floating], *, large: bool) -> None:
    x, y, radius = LEGEND_LEFT + 9, top + 10, 8 if large else 4
    red, green, blue = (int(value) for value in colour)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), (red, green, blue), INK if large else None)


def _pale(colours: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(colours + (np.array(GROUND) - colours) * _PALE)


def _written(name: str, instead: str, size: int) -> tuple[str, Font]:
    """A name, short, in a font that has its letters, and `instead` where there is none: the tools beside the picture
    show the labels' names, in the same colours and order.
    """
    font = font_for(_short(name), size)
    return (instead, ImageFont.load_default(size)) if font is None else (_short(name), font)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _rgb(colour: str) -> tuple[int, int, int]:
    value = int(colour[1:], 16)
    return value >> 16, value >> 8 & 255, value & 255
