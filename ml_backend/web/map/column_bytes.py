"""A column on the wire: 16 bytes of header, then the values, little-endian; gzip made once and kept.

Header: `LNTN`, u8 version 1, u8 dtype, u8 width, u8 0, u32 n, u32 0.
"""

from __future__ import annotations

import gzip
import struct
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

VERSION = 1
DTYPES = {"u1": 1, "u2": 2, "u4": 3, "f4": 4}
"""numpy's kind and size -> code."""
_HEADER = struct.Struct("<4sBBBBII")
GZIP_LEVEL = 1
KEPT_BYTES = 128 * 2**20
"""Columns that a process keeps ready, all projects together."""


def pack(values: NDArray[np.generic]) -> bytes:
    """(n,) or (n, width) values -> header and values. Raises KeyError for a type that does not travel."""
    width = values.shape[1] if values.ndim == 2 else 1
    kind = DTYPES[f"{values.dtype.kind}{values.dtype.itemsize}"]
    head = _HEADER.pack(b"LNTN", VERSION, kind, width, 0, len(values), 0)
    return head + np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False).tobytes()


@dataclass(frozen=True)
class Packed:
    """One column, ready to be sent."""

    body: bytes

    @cached_property
    def zipped(self) -> bytes:
        """The same, compressed; made at first use."""
        return gzip.compress(self.body, GZIP_LEVEL, mtime=0)


class PackedColumns:
    """The columns last asked for, by their ETag, at most KEPT_BYTES. Safe for threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Packed] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, etag: str, make: Callable[[], NDArray[np.generic]]) -> Packed:
        """The column of this ETag, made when it is not there."""
        with self._lock:
            found = self._kept.get(etag)
            if found is not None:
                self._kept.move_to_end(etag)
                return found
        made = Packed(pack(make()))
        with self._lock:
            if etag not in self._kept:
                self._kept[etag] = made
                self._bytes += len(made.body)
                while self._bytes > KEPT_BYTES and len(self._kept) > 1:
                    self._bytes -= len(self._kept.popitem(last=False)[1].body)
        return made
