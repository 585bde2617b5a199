"""lantern propagate"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ml_backend.cli.data_options import add_data_options, encoder_options, progress_bar, settings_of
from ml_backend.config import Settings

__all__ = ["DESCRIPTION", "HELP", "NAME", "add_arguments", "run", "settings_of"]

NAME = "propagate"
HELP = "spread the labels of a few rows over a whole file"
DESCRIPTION = """\
Learns from the labels of a few rows and writes one row a record: label, confidence and all scores.

label, confidence   the person's where one was given (given = true), else the predicted one, calibrated
never_seen          true: unlike everything else in the file; label and confidence are empty
s_ood, ambiguity    high = unknown, doubtful      evidence  high = many labels on similar rows
novelty             p-value, low = never seen     aleatoric high = noisy in itself
suspicion           of given labels: high = the other labels contradict it"""


def add_arguments(parser: ArgumentParser) -> None:
    """The options of this command."""
    add_data_options(parser)
    parser.add_argument(
        "--labels",
        help=".csv (with a header) or .jsonl with columns id (the data's own id, else the row number from 0) and label",
        metavar="FILE",
        type=Path,
        required=True,
    )
    parser.add_argument("--output", help="file to write, .csv or .jsonl", metavar="FILE", type=Path, required=True)


def run(args: Namespace, settings: Settings) -> int:
    """Propagate and say what was written."""
    # here, so that `lantern --help` does not import torch
    from ml_backend.engine.device import check_device
    from ml_backend.engine.pool import PoolSettings
    from ml_backend.engine.propagate_file import PropagateOptions, propagate_file
    from ml_backend.engine.reading import CACHE_FILE

    options = PropagateOptions(
        encoder=args.encoder,
        seed=settings.seed,
        pool=PoolSettings(never_seen_level=settings.never_seen_level, device=settings.device),
        encoder_options=encoder_options(settings),
        cache=settings.home / CACHE_FILE,
    )
    check_device(settings.device)
    with progress_bar() as progress:
        summary = propagate_file(args.data, args.labels, args.output, options, progress=progress)
    classes = _counted(summary.classes, "class", "classes")
    print(
        f"{args.output}: {_counted(summary.records, 'record', 'records')}; "
        f"{summary.labelled:,} with a label, of {classes}; "
        f"predicted in groups without a label of their own (evidence below 1/3): {summary.guessed:,}; "
        f"like nothing else, without a predicted label: {summary.never_seen:,}; unreadable: {summary.unreadable:,}"
    )
    if summary.classes == 1:
        print(
            f"warning: all labels in {args.labels} are of one class: every predicted label is that class and every "
            "confidence is 1, which says nothing; label records of a second class, too",
            file=sys.stderr,
        )
    return 0


def _counted(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
