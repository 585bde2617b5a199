"""Fonts for the names of classes in pictures: Pillow's own has English letters only, the others are the machine's.

No name is written with a letter that its font lacks: that would be a box.
"""

from __future__ import annotations

from functools import lru_cache

from PIL import ImageFont

CANDIDATES = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "LiberationSans-Regular.ttf",
    "Arial.ttf",
    "arial.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "Arial Unicode.ttf",
    "PingFang.ttc",
    "msyh.ttc",
    "malgun.ttf",
    "unifont.otf",
)
"""Files that systems have under these names, those with few scripts first."""
_UNASSIGNED = "\U0010fffd"
"""Every font shows what it lacks as it shows this."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def font_for(text: str, size: int) -> Font | None:
    """The first font that has every letter of the text; None when no font of this machine does. size: pixels."""
    return next((font for font in _fonts(size) if all(_has(font, letter) for letter in text)), None)


@lru_cache(maxsize=8)
def _fonts(size: int) -> tuple[Font, ...]:
    return ImageFont.load_default(size), *(ImageFont.truetype(name, size) for name in _present())


@lru_cache(maxsize=1)
def _present() -> tuple[str, ...]:
    found = []
    for name in CANDIDATES:
        try:
            found.append(str(ImageFont.truetype(name, 10).path))
        except OSError:
            continue
    return tuple(found)


@lru_cache(maxsize=4096)
def _has(font: Font, letter: str) -> bool:
    return letter.isspace() or _drawn(font, letter) != _drawn(font, _UNASSIGNED)


def _drawn(font: Font, letter: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)
