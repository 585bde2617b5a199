"""lantern simulate"""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ml_backend.cli.data_options import add_data_options, encoder_options, progress_bar, settings_of
from ml_backend.config import Settings
from ml_backend.errors import InputError
from ml_backend.store.files import check_writable

if TYPE_CHECKING:
    from ml_backend.engine.simulation import SimulationOptions

__all__ = ["DESCRIPTION", "HELP", "NAME", "add_arguments", "run", "settings_of"]

NAME = "simulate"
HELP = "play an annotator on labelled data: how good would the answers be after so many labels?"
DESCRIPTION = """\
Plays a person who answers Lantern's questions truthfully on a file whose labels are known, and prints for each budget
how good the answers are, next to baselines on the same embeddings. Splits train and val (or no split) are the pool;
test is held back for scoring; oos_test must be recognised as unknown. Only the simulated person sees labels.

acc pool   accuracy on the rest of the pool            acc test  accuracy on the test split
novelty    AUROC of unknown against known items        s_OOD     AUROC of the s_OOD score (baselines: 1 - confidence)
FPR95      unknown items that pass as known when 95 % of the known are accepted, by novelty
ECE        calibration error, 15 bins of equal size    s, MB     time and memory (lantern+..: without the asking)"""


def add_arguments(parser: ArgumentParser) -> None:
    """The options of this command."""
    add_data_options(parser)
    parser.add_argument(
        "--budgets",
        help="labels given, as 50,100,300 (the default, as far as half of the pool goes)",
        metavar="N,N",
        type=_budgets,
    )
    parser.add_argument("--seeds", help="sessions to average over (default 3)", metavar="N", type=int, default=3)
    parser.add_argument(
        "--ood-label",
        help="leave the items with this label out of pool and labels: they must be recognised as unknown; repeatable",
        metavar="NAME",
        action="append",
        default=[],
    )
    parser.add_argument("--json", help="write the figures to this file as well", metavar="FILE", type=Path)


def run(args: Namespace, settings: Settings) -> int:
    """Simulate, print the table, write the JSON."""
    # here, so that `lantern --help` does not import torch
    from ml_backend.cli.tables import simulation_table
    from ml_backend.engine.device import check_device
    from ml_backend.engine.simulation import simulate

    if args.json is not None:
        check_writable(args.json, args.data)
    check_device(settings.device)
    with progress_bar() as progress:
        result = simulate(args.data, _options(args, settings), progress=progress)
    if args.json is not None:  # first: who reads the table may close it
        _write_json(args.json, result.to_json())
    print(simulation_table(result))
    return 0


def _options(args: Namespace, settings: Settings) -> SimulationOptions:
    from ml_backend.engine.pool import PoolSettings
    from ml_backend.engine.reading import CACHE_FILE
    from ml_backend.engine.simulation import LoopSettings, SimulationOptions

    pool = PoolSettings(query=settings.query, never_seen_level=settings.never_seen_level, device=settings.device)
    return SimulationOptions(
        budgets=args.budgets,
        seeds=args.seeds,
        encoder=args.encoder,
        ood_labels=tuple(args.ood_label),
        loop=LoopSettings(pool=pool),
        encoder_options=encoder_options(settings),
        cache=settings.home / CACHE_FILE,
    )


def _write_json(path: Path, content: dict[str, object]) -> None:
    try:
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8", "replace")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error


def _budgets(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ArgumentTypeError(f"{text!r} must be whole numbers of at least 1 with commas, such as 50,100,300")
    return tuple(sorted({int(part) for part in parts}))
