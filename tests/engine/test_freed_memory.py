"""What glibc does with freed memory while pictures are pretrained, and afterwards."""

from __future__ import annotations

import ctypes
import resource

import pytest
import torch

from ml_backend.engine.freed_memory import MMAP_THRESHOLD, freed_memory_kept

BLOCK = 2 * 1024**2
"""float32 numbers: 8 MB, 2,048 pages."""

glibc_only = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallopt"), reason="another C library than glibc keeps memory by rules of its own"
)


def new_pages(rounds: int = 20) -> int:
    """How many pages the system hands out while blocks come and go."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        torch.ones(BLOCK)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@glibc_only
def test_blocks_are_used_again_while_it_lasts_and_given_back_afterwards() -> None:
    with freed_memory_kept():
        torch.ones(BLOCK)
        kept = new_pages()
    assert kept < 5 * 2048
    assert new_pages() > 10 * 2048


@glibc_only
def test_what_the_environment_sets_holds_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MMAP_THRESHOLD, str(16 * 1024**2))
    with freed_memory_kept():
        torch.ones(BLOCK)
    torch.ones(BLOCK)
    assert new_pages() < 5 * 2048
