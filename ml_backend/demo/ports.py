"""TCP ports of this machine: is one free, and which."""

from __future__ import annotations

import socket

from ml_backend.errors import ConfigError

LOOPBACKS = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
"""Both that the name `localhost` may mean: a browser tries one, then the other."""


def require_free(port: int, what: str, option: str) -> None:
    """Raises ConfigError, naming the option that chooses another port, when something answers there already."""
    if any(_is_answered(family, host, port) for family, host in LOOPBACKS):
        raise ConfigError(
            f"port {port}, meant for {what}, is in use: stop the program that uses it, or choose another port with "
            f"{option} N (make demo ARGS='{option} {port + 1}')"
        )


def free_port() -> int:
    """A port that nothing uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_answered(family: socket.AddressFamily, host: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.settimeout(1.0)
            return probe.connect_ex((host, port)) == 0
    except OSError:
        return False  # this machine has no such loopback
