"""What every experiment is: named cells on some of the data, each done once and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.label_efficiency.bench import Bench
from benchmarks.label_efficiency.plan import LANTERN_SOURCES
from benchmarks.label_efficiency.sources import code_digest
from benchmarks.label_efficiency.store import CellKey, SavedCell


@dataclass(frozen=True)
class Case:
    """One cell. name: unique in the experiment. options: everything that tells it from others, fit for JSON."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """name: of the set, as `--only` takes it. data: beginnings of the names of data that it is for.

    cases: data name -> its cells. run: does one. alone: measures seconds, so nothing else may run beside it.
    """

    name: str
    data: tuple[str, ...]
    cases: Callable[[str], list[Case]]
    run: Callable[[Bench, Case], SavedCell]
    alone: bool = False

    def fits(self, data: str) -> bool:
        """Whether it is for this data set."""
        return data.startswith(self.data)

    def key(self, bench: Bench, case: Case) -> CellKey:
        """Of a cell: the data, its options, Lantern's settings, and the code of both."""
        code = code_digest(*LANTERN_SOURCES, self.run.__module__)
        options, loop = dict(case.options), asdict(bench.loop)
        settings = {"data": bench.data_digest, "options": options, "loop": loop, "code": code}
        return CellKey(self.name, bench.name, case.name, settings)

    def ensure(self, bench: Bench, case: Case) -> SavedCell:
        """The finished cell, done now unless it was before."""
        return bench.ensure(self.key(bench, case), lambda: self.run(bench, case))
