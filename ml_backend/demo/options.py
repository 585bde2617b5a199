"""The demo's command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_backend.demo.dataset_subject import MAX_TASKS

DESCRIPTION = """\
Starts a real Label Studio and Lantern side by side, makes two projects (handwritten digits, device notifications),
labels a handful of tasks as a person would, waits until the labels have spread, says what came of it, and keeps both
running until Ctrl-C. A second run goes on with what the first one left."""


@dataclass(frozen=True)
class DemoOptions:
    """What the demo was asked to do. tasks: at most as many of a data set. labels: of each project; None = as many as
    its data need."""

    once: bool
    port: int
    label_studio_port: int
    dataset: Path | None
    tasks: int
    labels: int | None
    fresh: bool
    folder: Path
    label_studio_environment: Path


def parse_options(argv: Sequence[str] | None = None) -> DemoOptions:
    """Exits with a message and status 2 when they cannot be read."""
    parser = argparse.ArgumentParser(
        prog="make demo", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--once", action="store_true", help="end after the summary")
    parser.add_argument("--port", type=_port, default=9090, metavar="N", help="Lantern's port (default 9090)")
    parser.add_argument(
        "--label-studio-port", type=_port, default=8080, metavar="N", help="Label Studio's port (default 8080)"
    )
    parser.add_argument(
        "--dataset",
        type=Path,
        metavar="FILE",
        help="one project of this .npz, .jsonl or .csv file with labels instead of the two",
    )
    parser.add_argument(
        "--tasks",
        type=_tasks,
        default=MAX_TASKS,
        metavar="N",
        help=f"take at most N rows of the data set, drawn at random (default {MAX_TASKS:,})",
    )
    parser.add_argument("--labels", type=_count, metavar="N", help="labels given in each project")
    parser.add_argument("--fresh", action="store_true", help="throw away what earlier runs left")
    parser.add_argument(
        "--folder", type=Path, default=Path(".demo"), metavar="DIR", help="where all data go (default .demo)"
    )
    parser.add_argument(
        "--label-studio-environment",
        type=Path,
        default=Path(".venv-label-studio"),
        metavar="DIR",
        help="virtual environment that has Label Studio (default .venv-label-studio)",
    )
    return DemoOptions(**vars(parser.parse_args(argv)))


def _port(text: str) -> int:
    return _between(text, 1, 65_535)


def _count(text: str) -> int:
    return _between(text, 1, 10_000)


def _tasks(text: str) -> int:
    return _between(text, 20, 100_000)


def _between(text: str, low: int, high: int) -> int:
    try:
        number = int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from error
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f"{number} is not between {low} and {high}")
    return number
