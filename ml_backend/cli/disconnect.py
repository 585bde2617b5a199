"""lantern disconnect"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ml_backend.cli.label_studio_options import add_label_studio_options, kept_database, settings_of
from ml_backend.cli.output import print_changes
from ml_backend.config import Settings
from ml_backend.errors import ConfigError

__all__ = ["DESCRIPTION", "HELP", "NAME", "add_arguments", "run", "settings_of"]

NAME = "disconnect"
HELP = "restore in Label Studio what connect changed"
DESCRIPTION = """\
Removes what `lantern connect` made in Label Studio and puts back what it changed. Labels, and the predictions that were
pushed, stay. Address and token are those that `lantern connect` remembers; the token is then forgotten."""


def add_arguments(parser: ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "--project", help="the project's number, as in its address", metavar="ID", type=int, required=True
    )
    add_label_studio_options(parser)


def run(args: Namespace, settings: Settings) -> int:
    """Disconnect and print what was done; a project that is not connected is left as it is."""
    # here, so that `lantern --help` does not import Label Studio's SDK
    from ml_backend.label_studio.connections import Connections
    from ml_backend.label_studio.disconnect import disconnect
    from ml_backend.store import projects

    db = kept_database(settings.home)
    with db.read() as session:
        row = projects.by_label_studio_id(session, args.project)
    if row is None:
        raise ConfigError(f"project {args.project} is not known in {settings.home}: see --home")
    if not row.connection.get("connected"):
        print(f"project {args.project} is not connected to this Lantern: there is nothing to put back")
        return 0
    connections = Connections(settings)
    url, token = connections.asked_for(row, args.url, args.token)
    if not url or not token:
        raise ConfigError("disconnecting needs Label Studio's --url and --token")
    print_changes(disconnect(db, settings, connections.api_at(url, token), args.project))
    return 0
