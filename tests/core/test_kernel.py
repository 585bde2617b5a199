"""What a label is worth at a distance."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ml_backend.core.kernel import label_weight


@given(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_a_copy_is_worth_a_label_and_what_is_farther_never_more(one: float, other: float) -> None:
    weights = label_weight(np.array([1.0, max(one, other), min(one, other), 0.0, -1.0]))
    assert weights[0] == 1.0
    assert weights[1] >= weights[2] >= 0.0
    assert weights[3] == weights[4] == 0.0


def test_half_a_label_is_at_a_cosine_of_nine_tenths() -> None:
    np.testing.assert_allclose(label_weight(np.array([0.5 ** (1 / 8)])), 0.5)
    assert label_weight(np.array([0.7]))[0] < 0.06
