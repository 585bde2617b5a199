"""What the main table runs on which data: methods, budgets, seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TypeVar

from benchmarks.label_efficiency.bench import WHOLE, Bench, Variant
from benchmarks.label_efficiency.sources import code_digest
from benchmarks.label_efficiency.store import CellKey
from ml_backend.data.encoders.words import WordLlamaEncoder
from ml_backend.engine.simulation import LoopSettings
from ml_backend.engine.simulation.methods import LANTERN

T = TypeVar("T")

MAIN = "main"
METHODS = (
    LANTERN,
    "random+logreg",
    "random+labelspreading",
    "random+poisson",
    "typiclust+logreg",
    "margin+logreg",
    "medoid+kmeans+tau",
    "medoid+gmm+tau",
    "lantern+logreg",
    "lantern+knn",
    "lantern+labelspreading",
    "lantern+poisson",
    "lantern+kmeans+tau",
    "lantern+gmm+tau",
)
"""Lantern first: `lantern+..` take the labels that it asked for."""

BUDGETS = {"clinc150": (150, 300, 600, 1500), "mnist": (10, 50, 100, 500), "loghub": (25, 50, 100)}
SEEDS = {"clinc150": 5, "mnist": 3, "loghub": 5}
"""By the beginning of the data's name."""
OTHER_BUDGETS, OTHER_SEEDS = (50, 100, 300), 3
THIRD = {"clinc150": {"random+logreg": (1000,), LANTERN: (333,)}}
"""Budgets beside the table: what random choice reaches with 1,000 labels, and Lantern with a third of them."""

NO_TEXTS = ("clinc150", "mnist")
"""Data that come as vectors or pixels: no text encoder has a say in their figures."""

LANTERN_SOURCES = ("ml_backend.engine.simulation.lantern", "ml_backend.engine.simulation.grading")
BASELINE_SOURCES = (
    "ml_backend.engine.simulation.learners",
    "ml_backend.engine.simulation.queries",
    "ml_backend.engine.simulation.grading",
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Of one data set. extra: method -> budgets beside those of the table."""

    budgets: tuple[int, ...]
    seeds: int
    methods: tuple[str, ...] = METHODS
    variant: Variant = WHOLE
    loop: LoopSettings = field(default_factory=LoopSettings)
    extra: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @staticmethod
    def of(
        name: str,
        *,
        budgets: Sequence[int] = (),
        seeds: int | None = None,
        methods: Sequence[str] = (),
        pool_items: int | None = None,
        loop: LoopSettings | None = None,
    ) -> Plan:
        """The data's own plan, where nothing else is asked for."""
        return Plan(
            budgets=tuple(sorted(budgets)) or by_name(BUDGETS, name, OTHER_BUDGETS),
            seeds=seeds or by_name(SEEDS, name, OTHER_SEEDS),
            methods=tuple(methods) or METHODS,
            variant=Variant(pool_items),
            loop=loop or LoopSettings(),
            extra={} if budgets else by_name(THIRD, name, {}),
        )

    def budgets_of(self, method: str) -> tuple[int, ...]:
        """The table's and its own, sorted."""
        return tuple(sorted({*self.budgets, *self.extra.get(method, ())}))

    def key(self, bench: Bench, method: str, seed: int) -> CellKey:
        """Of a cell. Lantern's settings and code count only where its labels or answers do."""
        budgets = self.budgets_of(LANTERN if method.startswith(LANTERN) else method)
        settings: dict[str, object] = {"data": bench.data_digest, "budgets": list(budgets), **asdict(self.variant)}
        if not bench.name.startswith(NO_TEXTS):
            settings["encoder"] = WordLlamaEncoder.name
        if method != LANTERN:
            settings["code"] = code_digest(*BASELINE_SOURCES)
        if method.startswith(LANTERN):
            settings |= {"loop": asdict(self.loop), "lantern": code_digest(*LANTERN_SOURCES)}
        return CellKey(MAIN, bench.name, f"{method}.seed{seed}", settings)


def by_name(table: Mapping[str, T], name: str, other: T) -> T:
    """The entry whose key the name begins with."""
    return next((value for start, value in table.items() if name.startswith(start)), other)
