"""One picture of the documentation: what a page shows, as a small PNG."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page

FOLDER = Path(__file__).parents[3] / "docs" / "images"
SETTLE_MILLISECONDS = 1_500
"""For fonts, pictures and movements, which no event announces."""
MAX_COLOURS = 256
MAX_BYTES = 350_000
LEAST_COLOURS = 48
FREQUENT_SHARE = 0.6
"""Of the palette: the most frequent colours as they are, so that no swatch of a legend turns into another."""


def keep(page: Page, name: str, *, settle: float = SETTLE_MILLISECONDS) -> None:
    """Write what the page shows to FOLDER. settle: milliseconds to wait first."""
    page.wait_for_timeout(settle)
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / name
    path.write_bytes(small_png(page.screenshot()))
    print(f"   {path.relative_to(FOLDER.parents[1])}: {path.stat().st_size / 1024:.0f} KB", flush=True)


def small_png(png: bytes) -> bytes:
    """With a palette: as many colours as MAX_BYTES allows."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    colours, made = MAX_COLOURS, b""
    while colours >= LEAST_COLOURS:
        file = io.BytesIO()
        with_palette(picture, colours).save(file, "PNG", optimize=True)
        made = file.getvalue()
        if len(made) <= MAX_BYTES:
            break
        colours = colours * 3 // 4
    return made


def with_palette(picture: Image.Image, colours: int) -> Image.Image:
    """The RGB picture in at most so many colours."""
    found, counts = np.unique(np.asarray(picture).reshape(-1, 3), axis=0, return_counts=True)
    if len(found) <= colours:
        return picture.quantize(colours, dither=Image.Dither.NONE)
    most = np.argsort(-counts, kind="stable")[: int(FREQUENT_SHARE * colours)]
    frequent = found[most].tolist()
    between = picture.quantize(colours - len(frequent), Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette = Image.new("P", (1, 1))
    flat = [channel for colour in frequent for channel in colour]
    palette.putpalette(flat + (between.getpalette() or [])[: 3 * (colours - len(frequent))])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)
