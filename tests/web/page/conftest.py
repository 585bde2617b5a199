"""Made-up points for one test, and both ways of drawing them."""

from __future__ import annotations

import pytest

from tests.web.page.stage import POINTS
from tests.web.page.synthetic_map import SyntheticMap


@pytest.fixture(params=["canvas", "gl"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def world() -> SyntheticMap:
    return SyntheticMap(POINTS)
