"""Options that connect, disconnect and doctor share."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

from ml_backend.options import http_url, url


def add_label_studio_options(parser: ArgumentParser) -> None:
    """--url, --token and --home."""
    parser.add_argument("--url", help="Label Studio's address (LABEL_STUDIO_URL)", type=_address)
    parser.add_argument(
        "--token",
        type=str.strip,
        help="personal access token or legacy token; LABEL_STUDIO_API_KEY hides it from this machine's process list",
    )
    parser.add_argument("--home", help="Lantern's data folder (LANTERN_HOME); the one that `serve` uses", type=Path)


def add_backend_url(parser: ArgumentParser) -> None:
    """--backend-url."""
    parser.add_argument(
        "--backend-url",
        help="how Label Studio reaches Lantern (LANTERN_PUBLIC_URL, else localhost and the port)",
        metavar="URL",
        type=_address,
    )


def settings_of(args: Namespace) -> dict[str, object]:
    """Only the folder: address and token belong to the project that is connected, not to the server's settings."""
    return {"home": args.home}


def _address(text: str) -> str:
    wanted = http_url(url(text))
    if wanted is not None:
        raise ArgumentTypeError(f"{text!r} must be {wanted}")
    return url(text)
