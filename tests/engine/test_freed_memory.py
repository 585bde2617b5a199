"""What glibc does with freed memory while pictures are pretrained, and afterwards."""

from __future__ import annotations

import ctypes
import resource
from pathlib import Path

import pytest
import torch

from ml_backend.engine.freed_memory import MMAP_THRESHOLD, freed_memory_kept

FLOATS, MEGABYTES, PAGES = 2 * 1024**2, 8, 2048
"""Of one block."""
BLOCKS = 20

pytestmark = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="another C library than glibc keeps memory by rules of its own"
)


class MallocInfo(ctypes.Structure):
    """mallinfo2(3)"""

    _fields_ = tuple((f"field{i}", ctypes.c_size_t) for i in range(10))


def mapped_blocks() -> int:
    """How many blocks the system has mapped for themselves; such a block is given back when it is freed."""
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = MallocInfo
    return int(libc.mallinfo2().field3)


def mapped_of_new(blocks: int) -> int:
    """How many of so many new blocks are."""
    before = mapped_blocks()
    held = [torch.ones(FLOATS) for _ in range(blocks)]
    return mapped_blocks() - before if held else 0


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * resource.getpagesize() / 1024**2


def test_blocks_are_used_again_while_it_lasts_and_all_are_given_back_afterwards() -> None:
    with freed_memory_kept():
        assert mapped_of_new(BLOCKS) == 0
        kept, faults = resident_mb(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(BLOCKS):
            torch.ones(FLOATS)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults < 5 * PAGES
    assert kept - resident_mb() > BLOCKS * MEGABYTES / 2
    assert mapped_of_new(3 * BLOCKS) > 0  # more than fit where the first ones were


def test_what_the_environment_sets_holds_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MMAP_THRESHOLD, str(2 * MEGABYTES * 1024**2))
    with freed_memory_kept():
        pass
    assert mapped_of_new(BLOCKS) == 0
