"""Which items of a pool are copies."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ml_backend.core.copies import equal_rows
from tests.core.random_pools import seeds


@given(seeds, st.integers(0, 30), st.sampled_from(["float16", "float32", "uint8"]))
def test_rows_have_the_same_number_where_they_are_equal_and_only_there(seed: int, n: int, kind: str) -> None:
    x = np.random.default_rng(seed).integers(0, 2, (n, 2, 2)).astype(kind)
    numbers = equal_rows(x)
    flat = x.reshape(n, 4)
    np.testing.assert_array_equal(numbers[:, None] == numbers, (flat[:, None] == flat).all(axis=2))
    assert numbers.dtype == np.int32
    first = np.unique(numbers, return_index=True)[1]
    assert np.all(np.diff(first) > 0)  # counted by first appearance
    assert numbers.max(initial=-1) == len(first) - 1


def test_what_is_next_to_a_copy_is_none() -> None:
    """On a ring of 100,000 points each is at a cosine of 1 - 2e-9 of the next."""
    angle = np.linspace(0.0, 2.0 * np.pi, 100_000, endpoint=False)
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    np.testing.assert_array_equal(equal_rows(ring), np.arange(100_000))
