"""lantern doctor"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ml_backend.cli.label_studio_options import add_backend_url, add_label_studio_options, settings_of
from ml_backend.cli.output import print_findings
from ml_backend.config import Settings

__all__ = ["DESCRIPTION", "HELP", "NAME", "add_arguments", "run", "settings_of"]

NAME = "doctor"
HELP = "say what is wrong between Label Studio and Lantern, and the exact mend"
DESCRIPTION = """\
Looks at both sides of the connection: addresses, tokens, switches, ML backend, webhook, labeling config. Changes
nothing. Of a connected project address and token are those that `lantern connect` remembers. Exit status 1 when
something does not work."""

FAILED = 1


def add_arguments(parser: ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "--project", help="the project's number; without it only the servers are checked", metavar="ID", type=int
    )
    add_label_studio_options(parser)
    add_backend_url(parser)


def run(args: Namespace, settings: Settings) -> int:
    """Diagnose and print; 1 when there is an error among the findings."""
    # here, so that `lantern --help` does not import Label Studio's SDK
    from ml_backend.label_studio.doctor import diagnose
    from ml_backend.label_studio.findings import Severity
    from ml_backend.store.database import Database

    findings = diagnose(
        Database.open_kept(settings.home),
        settings,
        project=args.project,
        url=args.url,
        token=args.token,
        backend_url=args.backend_url,
    )
    print_findings(findings)
    return FAILED if any(finding.severity is Severity.ERROR for finding in findings) else 0
