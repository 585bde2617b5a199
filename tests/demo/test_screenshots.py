"""What the pictures of the documentation rest on: small files in true colours, lassos around what belongs together."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ml_backend.demo.screenshots import picture
from ml_backend.demo.screenshots.clump import outline, purest_clump
from ml_backend.demo.screenshots.picture import small_png

CLASS_COLOURS = ((0, 114, 178), (230, 159, 0), (0, 158, 115), (213, 94, 0))


def png(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_the_swatches_of_a_legend_keep_their_colours_among_thousands() -> None:
    pixels = np.zeros((200, 300, 3), np.uint8)
    pixels[..., 0], pixels[..., 1] = np.mgrid[:200, :300] // 2
    pixels[..., 2] = 90
    for i, colour in enumerate(CLASS_COLOURS):
        pixels[10:22, 20 * i : 20 * i + 12] = colour
    made = Image.open(io.BytesIO(small_png(png(pixels))))
    assert (made.mode, made.size) == ("P", (300, 200))
    assert [made.convert("RGB").getpixel((20 * i + 5, 15)) for i in range(4)] == list(CLASS_COLOURS)
    away = np.abs(np.asarray(made.convert("RGB"), int) - pixels)
    assert away.max() < 40


def test_fewer_colours_where_the_file_would_be_large(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (120, 120, 3), dtype=np.uint8)
    whole = small_png(png(pixels))
    monkeypatch.setattr(picture, "MAX_BYTES", int(0.9 * len(whole)))
    assert len(small_png(png(pixels))) <= 0.9 * len(whole)


def test_a_lasso_takes_what_lies_together_and_is_of_one_kind() -> None:
    generator = np.random.default_rng(0)
    mixed, pure, far = (generator.normal(middle, 0.02, (30, 2)) for middle in ((0, 0), (0.5, 0.5), (-0.5, 0.5)))
    labels = [*(("a", "b")[i % 2] for i in range(30)), *["c"] * 30, *[None] * 30]
    rows = purest_clump(np.vstack([mixed, pure, far]), labels, 12)
    assert len(rows) == 12
    assert set(rows) <= set(range(30, 60))


def test_where_nothing_is_of_one_kind_the_purest_is_taken() -> None:
    places = np.array([[0, 0], [0.1, 0], [0.2, 0], [5, 0], [5.1, 0], [5.2, 0]], np.float64)
    rows = purest_clump(places, ["a", "b", None, "a", "a", "b"], 3)
    assert set(rows) == {3, 4, 5}


def test_the_outline_is_around_all_points() -> None:
    places = np.random.default_rng(1).normal(0, 30, (50, 2)) + 300
    corners = np.array(outline(places, 9.0, 16))
    middle = places.mean(0)
    nearest_edge = np.linalg.norm((corners + np.roll(corners, 1, 0)) / 2 - middle, axis=1).min()
    assert np.linalg.norm(places - middle, axis=1).max() < nearest_edge + 1
