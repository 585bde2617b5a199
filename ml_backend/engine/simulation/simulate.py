"""`simulate`: how good would the answers be after so many labels, on a file whose labels are known?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from ml_backend.data.dataset import read_dataset
from ml_backend.data.encoders import EncoderOptions
from ml_backend.engine.simulation.embedded import Embedded
from ml_backend.engine.simulation.lantern import LoopSettings, Progress
from ml_backend.engine.simulation.methods import BASELINES, LANTERN, Cell, check_method, run_baseline, run_lantern
from ml_backend.engine.simulation.oracle import AskedLabels
from ml_backend.engine.simulation.problem import Problem, make_problem
from ml_backend.errors import ConfigError, InputError

USUAL_BUDGETS = (50, 100, 300)


@dataclass(frozen=True, kw_only=True)
class SimulationOptions:
    """budgets: labels asked for, nested in one session; None: USUAL_BUDGETS, as far as the pool bears them. seeds:
    sessions, numbered from 0.

    encoder: None = `x` of the file, else its text through the default encoder. ood_labels: items with these labels are
    left out of pool and labels and must be recognised as unknown. baselines: what is run beside Lantern, by name.
    """

    budgets: tuple[int, ...] | None = None
    seeds: int = 1
    encoder: str | None = None
    ood_labels: tuple[str, ...] = ()
    oos_in_pool: bool = False
    baselines: tuple[str, ...] = BASELINES
    loop: LoopSettings = field(default_factory=LoopSettings)
    encoder_options: EncoderOptions | None = field(default=None, repr=False)
    cache: Path | None = None
    """File that remembers encoded texts; None = none."""

    def __post_init__(self) -> None:
        if self.budgets is not None and min(self.budgets, default=0) < 1:
            raise ConfigError(f"budgets {self.budgets} must be one or more numbers of at least 1")
        if self.seeds < 1:
            raise ConfigError(f"seeds {self.seeds} must be at least 1")
        for method in self.baselines:
            check_method(method)

    def budgets_for(self, problem: Problem) -> tuple[int, ...]:
        """Rising. Raises InputError when one that was asked for, or any at all, leaves nothing to predict."""
        items = len(problem.pool)
        if items < 2:
            raise InputError(f"{problem.name}: one item in the pool leaves nothing to predict: give more")
        if self.budgets is None:
            return tuple(b for b in USUAL_BUDGETS if b <= items // 2) or (max(1, items // 2),)
        if max(self.budgets) >= items:
            raise InputError(
                f"{problem.name}: a budget of {max(self.budgets):,} labels leaves nothing to predict in a pool of "
                f"{items:,} items: ask for fewer (--budgets)"
            )
        return tuple(sorted(set(self.budgets)))


@dataclass(frozen=True, kw_only=True)
class SimulationRow:
    """One method at one budget with one seed; see `Figures` and `Cell` for the meaning of each number."""

    method: str
    budget: int
    seed: int
    accuracy_pool: float | None
    accuracy_test: float | None
    auroc_novelty: float | None
    auroc_s_ood: float | None
    fpr95: float | None
    ece: float
    seconds: float
    peak_mb: float

    @staticmethod
    def of(cell: Cell) -> SimulationRow:
        """The figures of a cell."""
        shown = {field.name for field in fields(SimulationRow)}
        figures = {name: value for name, value in asdict(cell.graded.figures).items() if name in shown}
        return SimulationRow(
            method=cell.method,
            budget=cell.budget,
            seed=cell.seed,
            seconds=round(cell.seconds, 3),
            peak_mb=round(cell.peak_mb, 1),
            **figures,
        )


@dataclass(frozen=True)
class SimulationResult:
    """data: the data set's name. settings: what the figures depend on. rows: by seed, method, budget."""

    data: str
    settings: dict[str, object]
    rows: tuple[SimulationRow, ...]

    def to_json(self) -> dict[str, object]:
        """The documented form of `lantern simulate --json`."""
        return {"data": self.data, "settings": self.settings, "rows": [asdict(row) for row in self.rows]}


def simulate(path: Path, options: SimulationOptions, *, progress: Progress | None = None) -> SimulationResult:
    """Run Lantern and the baselines on a file with labels. Raises InputError when it cannot answer for a person."""
    problem = make_problem(
        read_dataset(path),
        encoder=options.encoder,
        ood_labels=options.ood_labels,
        oos_in_pool=options.oos_in_pool,
        options=options.encoder_options,
        cache=options.cache,
    )
    rows = tuple(SimulationRow.of(cell) for cell in cells(problem, options, progress=progress))
    return SimulationResult(problem.name, _settings(problem, options), rows)


def cells(problem: Problem, options: SimulationOptions, *, progress: Progress | None = None) -> Iterator[Cell]:
    """Every cell as it is done, seed by seed, Lantern first."""
    budgets, data = options.budgets_for(problem), Embedded.of(problem)
    for seed in range(options.seeds):
        report = _of_seed(progress, seed, options.seeds)
        asked: dict[int, AskedLabels] = {}
        for cell in run_lantern(problem, budgets, seed, options.loop, report):
            asked[cell.budget] = cell.labels
            yield cell
        for method in options.baselines:
            report(method, 1.0)
            yield from run_baseline(method, problem, data, budgets, seed, asked)


def _of_seed(progress: Progress | None, seed: int, seeds: int) -> Progress:
    def report(what: str, share: float) -> None:
        if progress:
            progress(f"seed {seed}: {what}", (seed + min(share, 1.0)) / seeds)

    return report


def _settings(problem: Problem, options: SimulationOptions) -> dict[str, object]:
    """Everything that the figures depend on; LANTERN's own settings under its name."""
    loop = asdict(options.loop)
    return {
        "budgets": list(options.budgets_for(problem)),
        "seeds": options.seeds,
        "encoder": problem.encoder,
        "ood_labels": list(options.ood_labels),
        "oos_in_pool": options.oos_in_pool,
        "items": {"pool": len(problem.pool), "test": len(problem.test), "ood": len(problem.ood)},
        "unreadable": problem.unreadable,
        LANTERN: loop,
    }
