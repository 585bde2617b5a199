"""lantern connect"""

from __future__ import annotations

from argparse import ArgumentParser, BooleanOptionalAction, Namespace

from ml_backend.cli.label_studio_options import add_backend_url, add_label_studio_options, kept_database, settings_of
from ml_backend.cli.output import print_changes
from ml_backend.config import Settings

__all__ = ["DESCRIPTION", "HELP", "NAME", "add_arguments", "run", "settings_of"]

NAME = "connect"
HELP = "connect a Label Studio project to Lantern, or repair the connection"
DESCRIPTION = """\
Checks that Label Studio and Lantern reach each other, then makes or repairs the ML backend, its one webhook, the
sampling and the "Label next" tab. Safe to repeat. `lantern serve` must be running. --map puts the live map beside the
tasks, --label-on-map makes a second project with pictures of the map to draw on; --no-map and --no-label-on-map undo
that."""


def add_arguments(parser: ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "--project", help="the project's number, as in its address", metavar="ID", type=int, required=True
    )
    add_label_studio_options(parser)
    add_backend_url(parser)
    parser.add_argument("--encoder", help="vector, text, pixels, sentence-transformers:NAME or openai:MODEL")
    parser.add_argument("--field", help="the field of the task data to read; else the labeling config says")
    parser.add_argument(
        "--map",
        action=BooleanOptionalAction,
        help="whether the live map stands beside the tasks (browsers reach it at LANTERN_BROWSER_URL); else as it is",
    )
    parser.add_argument(
        "--label-on-map",
        action=BooleanOptionalAction,
        help="whether a second Label Studio project shows pictures of the map to draw on; else as it is",
    )


def run(args: Namespace, settings: Settings) -> int:
    """Connect and print what was done."""
    # here, so that `lantern --help` does not import Label Studio's SDK
    from ml_backend.label_studio.connect import connect

    chosen = {name: getattr(args, name) for name in ("encoder", "field") if getattr(args, name) is not None}
    changes = connect(
        kept_database(settings.home),
        settings,
        project=args.project,
        url=args.url,
        token=args.token,
        backend_url=args.backend_url,
        extra_params=chosen or None,
        beside=args.map,
        on_map=args.label_on_map,
    )
    print_changes(changes)
    return 0
