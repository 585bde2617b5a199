"""Small pictures as they are: grey or colour, up to 64 x 64, for the convolutional nets of the model."""

from __future__ import annotations

from collections.abc import Sequence

from ml_backend.data.cache import Array
from ml_backend.data.encoders.base import Item, Value
from ml_backend.data.pictures import fit_picture, read_picture
from ml_backend.data.records import Unreadable
from ml_backend.data.source import SourceKind
from ml_backend.errors import EncodingError


class PixelsEncoder:
    """(C, H, W) uint8, 0..255. A project has one shape; a picture of another shape is fitted into it."""

    name = "pixels"
    kind: SourceKind = "image"
    batch = 512

    def encode(self, items: Sequence[Item]) -> list[Value]:
        """Items: bytes of image files. Larger than 64 x 64 is Unreadable, and the reason names the way out."""
        return [_read(item) for item in items]

    def conform(self, value: Array, shape: tuple[int, ...]) -> Value:
        """Fits the picture: proportions kept, margin in the colour of its border."""
        return fit_picture(value.astype("uint8", copy=False), shape)


def _read(item: Item) -> Value:
    if not isinstance(item, bytes):
        return Unreadable("it is no picture")
    try:
        return read_picture(item)
    except EncodingError as error:
        return Unreadable(str(error))
