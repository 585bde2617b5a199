"""What connect, disconnect and doctor share: options, and the data folder that they find."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from ml_backend.errors import ConfigError
from ml_backend.options import http_url, url

if TYPE_CHECKING:
    from ml_backend.store.database import Database


def add_label_studio_options(parser: ArgumentParser) -> None:
    """--url, --token and --home."""
    parser.add_argument(
        "--url", help="Label Studio's address (LABEL_STUDIO_URL); `connect` remembers it", metavar="URL", type=_address
    )
    parser.add_argument(
        "--token",
        type=str.strip,
        help="personal access token or legacy token; `connect` remembers it. LABEL_STUDIO_API_KEY hides it from this "
        "machine's process list",
    )
    parser.add_argument("--home", help="Lantern's data folder (LANTERN_HOME); the one that `serve` uses", type=Path)


def add_backend_url(parser: ArgumentParser) -> None:
    """--backend-url."""
    parser.add_argument(
        "--backend-url",
        help="how Label Studio reaches Lantern (LANTERN_PUBLIC_URL, else as at the last `connect`, else localhost and "
        "the port)",
        metavar="URL",
        type=_address,
    )


def settings_of(args: Namespace) -> dict[str, object]:
    """Only the folder: address and token belong to the project that is connected, not to the server's settings."""
    return {"home": args.home}


def kept_database(home: Path) -> Database:
    """What the Lantern of this folder keeps. Raises ConfigError where none has ever been: nothing is made then."""
    # here, so that `lantern --help` does not import SQLAlchemy
    from ml_backend.store.database import Database

    db = Database.open_kept(home)
    if db is None:
        raise ConfigError(
            f"no Lantern has kept anything in {home}: start `lantern serve` first, or name the folder that it uses "
            "with --home or LANTERN_HOME"
        )
    return db


def _address(text: str) -> str:
    wanted = http_url(url(text))
    if wanted is not None:
        raise ArgumentTypeError(f"{text!r} must be {wanted}")
    return url(text)
