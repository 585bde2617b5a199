"""Whether the C library gives freed memory back to the system at once, or keeps it for what comes next. glibc only."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

MMAP_THRESHOLD, TRIM_THRESHOLD = "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"
GIVEN_BACK = {"MALLOC_ARENA_MAX": "2", MMAP_THRESHOLD: "4194304", TRIM_THRESHOLD: "67108864"}
"""Environment of a process that gives large blocks back at once: kept for reuse, torch's temporaries made the worker
with 100,000 vectors a third larger (`benchmarks/worker_memory.py`)."""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""mallopt(3)"""
LARGEST_KEPT = 32 * 1024**2
"""Bytes; the most that glibc takes."""
MOST_KEPT = 2**31 - 1


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """While it lasts, freed blocks of up to 32 MB are used again; then all that is free goes back to the system.

    A step of the pretraining on pictures frees some hundred MB. Given back at once, they come again as new pages for
    every step: a model of 8,000 pictures took 85 seconds to make in the worker, 53 with this.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if not hasattr(libc, "mallopt"):
        yield
        return
    assert libc is not None
    libc.mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)
    libc.mallopt(M_TRIM_THRESHOLD, MOST_KEPT)
    try:
        yield
    finally:
        libc.mallopt(M_MMAP_THRESHOLD, _chosen(MMAP_THRESHOLD))
        libc.mallopt(M_TRIM_THRESHOLD, _chosen(TRIM_THRESHOLD))
        libc.malloc_trim(0)


def _chosen(name: str) -> int:
    """Bytes; what the environment sets wins, as it does in glibc."""
    value = os.environ.get(name, "")
    return int(value) if value.isascii() and value.isdigit() else int(GIVEN_BACK[name])
