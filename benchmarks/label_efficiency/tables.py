"""Markdown tables of figures."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

NOTHING = "-"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table."""
    return [line(head), line(["---"] * len(head)), *(line(row) for row in rows)]


def line(cells: Sequence[str]) -> str:
    """One row."""
    return f"| {' | '.join(cells)} |"


def mean_and_spread(values: Sequence[float], decimals: int = 3) -> str:
    """Mean ± standard deviation; the mean alone of one value; NOTHING of none."""
    if not values:
        return NOTHING
    mean = number(statistics.mean(values), decimals)
    return mean if len(values) == 1 else f"{mean} ± {number(statistics.stdev(values), decimals)}"


def lead(mean: float, error: float) -> str:
    """A difference with its standard error, which a single seed does not have."""
    return f"{mean:+.3f}" + ("" if math.isnan(error) else f" ± {error:.3f}")


def number(value: float, decimals: int = 3) -> str:
    """With thousands separated; nan is NOTHING."""
    # + 0.0: no minus before zero
    return NOTHING if math.isnan(value) else f"{round(value, decimals) + 0.0:,.{decimals}f}"
