"""Parses the command line, runs the sub-command, and turns errors into one clear line and an exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from ml_backend.cli import connect, disconnect, doctor, propagate, serve, simulate
from ml_backend.config import Settings
from ml_backend.errors import ConfigError, InputError, LanternError
from ml_backend.logs import configure_logging, mask

COMMANDS = (serve, connect, disconnect, doctor, simulate, propagate)

FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130

DESCRIPTION = """\
Lantern labels with your team: a few labels in Label Studio, many labelled tasks out.

On your own Label Studio:
  lantern serve                                             start the backend (leave it running)
  lantern connect --url URL --token TOKEN --project ID      connect a project to it
  lantern doctor --url URL --token TOKEN --project ID       what is wrong, and the exact mend

Without Label Studio:
  lantern simulate DATA --budgets 50,100,300                how many labels will this data need?
  lantern propagate DATA --labels FILE --output FILE        spread labels over a file
"""
EPILOGUE = """\
Settings are read from environment variables (docs/configuration.md); an option wins over its variable.
Exit status: 0 done, 1 failed, 2 bad input or settings.
`lantern COMMAND --help` tells more about one command.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    try:
        args = _parser().parse_args(argv)
        settings = Settings.from_environment(os.environ, **args.settings_of(args))
        configure_logging(settings.log_level, (*settings.secrets(), getattr(args, "token", None) or ""))
        return int(args.run(args, settings))
    except (ConfigError, InputError) as error:
        return _complain(error, BAD_INPUT)
    except LanternError as error:
        return _complain(error, FAILED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has enough (`lantern simulate ... | head`); Python's own flush at exit must not
        # complain a second time.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="lantern", description=DESCRIPTION, epilog=EPILOGUE, formatter_class=raw, allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('lantern-ml-backend')}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = subparsers.add_parser(
            command.NAME, help=command.HELP, description=command.DESCRIPTION, formatter_class=raw, allow_abbrev=False
        )
        command.add_arguments(sub)
        sub.set_defaults(run=command.run, settings_of=command.settings_of)
    return parser


def _complain(error: LanternError, status: int) -> int:
    print(f"lantern: {mask(str(error))}", file=sys.stderr)
    return status
