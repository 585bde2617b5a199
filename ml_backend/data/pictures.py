"""Pictures as arrays: bytes of an image file -> uint8 (C, H, W), and back to PNG.

Threats stopped here: decompression bombs (the header's size is judged before a pixel is decoded), exotic formats (only
the common ones are tried), truncated files.
"""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ml_backend.errors import EncodingError

MAX_SIDE = 64
"""Pixels. The model's convolutional nets are made for small pictures."""

MOST_PIXELS = 50_000_000
"""Of a picture that only a thumbnail is made of."""

_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
_TOO_LARGE = (
    "it is {width} x {height} pixels, more than the {side} x {side} that the encoder `pixels` reads: encode larger "
    "pictures with a model of yours and give each task their vector (task field `embedding`, encoder `vector`)"
)


def read_picture(content: bytes) -> NDArray[np.uint8]:
    """(1, H, W) for grey and (3, H, W) for colour pictures; transparency is laid over white. Raises EncodingError with
    the reason.
    """
    try:
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise EncodingError(f"it is no picture of the kinds {', '.join(_FORMATS)}") from error
    width, height = image.size
    if max(width, height) > MAX_SIDE or min(width, height) < 1:
        raise EncodingError(_TOO_LARGE.format(width=width, height=height, side=MAX_SIDE))
    try:
        return _to_array(image)
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise EncodingError("its picture is damaged") from error


def thumbnail(content: bytes, side: int) -> bytes:
    """PNG of at most side x side pixels of an image file, proportions kept. Raises EncodingError with the reason."""
    try:
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
        if image.width * image.height > MOST_PIXELS:
            raise EncodingError(f"it is {image.width} x {image.height} pixels: too large for a thumbnail")
        image.draft("RGB", (side, side))  # a JPEG is then read at an eighth of its size
        image.thumbnail((side, side))
        small = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
    except (
        UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError, EOFError
    ) as error:  # fmt: skip
        raise EncodingError("its picture cannot be read") from error
    stream = io.BytesIO()
    small.save(stream, "PNG")
    return stream.getvalue()


def to_png(picture: NDArray[np.uint8], *, scale: int = 1) -> bytes:
    """PNG of a (1|3, H, W) picture; scale enlarges every pixel to a square of that side."""
    pixels = np.repeat(np.repeat(picture, scale, axis=1), scale, axis=2)
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, -1))
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def to_data_uri(picture: NDArray[np.uint8], *, scale: int = 1) -> str:
    """The PNG as a data: address, which Label Studio shows and `pixels` reads without a download."""
    return "data:image/png;base64," + base64.b64encode(to_png(picture, scale=scale)).decode()


def fit_picture(picture: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The picture in another (C, H, W): colours made grey or grey repeated; scaled to fit with its proportions kept,
    centred; the margin takes the median of its border, which is the background of most small pictures.
    """
    channels, height, width = shape
    image = Image.fromarray(picture[0] if len(picture) == 1 else np.moveaxis(picture, 0, -1))
    image = image.convert("L" if channels == 1 else "RGB")
    factor = min(height / image.height, width / image.width)
    size = (min(width, max(1, round(image.width * factor))), min(height, max(1, round(image.height * factor))))
    pixels = np.asarray(image.resize(size, Image.Resampling.BILINEAR), dtype=np.uint8).reshape(
        size[1], size[0], channels
    )
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    fitted = np.empty((height, width, channels), dtype=np.uint8)
    fitted[:] = np.median(border, axis=0).astype(np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    fitted[top : top + size[1], left : left + size[0]] = pixels
    return np.ascontiguousarray(np.moveaxis(fitted, -1, 0))


def _to_array(image: Image.Image) -> NDArray[np.uint8]:
    grey = image.mode in ("1", "L", "LA", "I;16", "I", "F")
    if image.mode in ("I;16", "I", "F"):
        image = _to_eight_bits(image)
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    pixels = np.asarray(image.convert("L" if grey else "RGB"), dtype=np.uint8)
    return pixels[None] if grey else np.ascontiguousarray(np.moveaxis(pixels, -1, 0))


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey keeps its upper byte; other deep greys are clipped to 0..255."""
    deep = np.asarray(image).astype(np.float64)
    return Image.fromarray(
        np.clip(deep / 257 if image.mode.startswith("I") and deep.max() > 255 else deep, 0, 255).astype(np.uint8)
    )
