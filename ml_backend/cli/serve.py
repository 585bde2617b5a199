"""lantern serve"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ml_backend.config import Settings

NAME = "serve"
HELP = "start the backend: web server and background worker"
DESCRIPTION = """\
Starts the web server that Label Studio calls and the worker that trains, and keeps both running until Ctrl-C or
SIGTERM. Without BASIC_AUTH_USER and BASIC_AUTH_PASS only this machine can reach it."""


def add_arguments(parser: ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("-p", "--port", help="port to listen at (PORT, default 9090)", metavar="N", type=int)
    parser.add_argument("--host", help="address to bind (LANTERN_HOST); other than loopback needs credentials")
    parser.add_argument(
        "--home", help="folder for the database and models (LANTERN_HOME, default ~/.lantern)", type=Path
    )
    parser.add_argument("--workers", help="web processes (WORKERS, default 1)", metavar="N", type=int)
    parser.add_argument("--threads", help="threads per web process (THREADS, default 8)", metavar="N", type=int)
    parser.add_argument(
        "--log-level",
        help="DEBUG, INFO, WARNING, ERROR, CRITICAL (LOG_LEVEL, default INFO)",
        metavar="LEVEL",
        type=str.upper,
    )


def settings_of(args: Namespace) -> dict[str, object]:
    """Settings that the options set; None = not given."""
    return {name: getattr(args, name) for name in ("port", "host", "home", "workers", "threads", "log_level")}


def run(_args: Namespace, settings: Settings) -> int:
    """Serve until told to stop."""
    from ml_backend.serve import serve  # here, so that `lantern --help` does not import the whole server

    return serve(settings)
