"""How one setting is read from the environment: names, parser, check. ConfigError names the key, never a secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from ml_backend.errors import ConfigError

T = TypeVar("T")
Check = Callable[[Any], str | None]
"""None when the value is usable, else what it must be, to follow "must be"."""

METADATA_KEY = "option"
MASK = "***"


def switch(text: str) -> bool:
    """1, true, 0 or false; raises ValueError for anything else."""
    if text.lower() in ("1", "true"):
        return True
    if text.lower() in ("0", "false"):
        return False
    raise ValueError(text)


def path(text: str) -> Path:
    """A path with ~ expanded; raises ValueError for the ~ of a user whom this machine does not know."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(text) from error


PARSED: dict[Callable[[str], Any], str] = {
    int: "a whole number",
    float: "a number",
    switch: "true or false",
    path: "a path whose ~ is the folder of a user of this machine",
}
"""What a parser wants, for the message."""


@dataclass(frozen=True)
class Option:
    """One setting: `names[0]` is the documented variable, the others are aliases, read when it is unset or empty."""

    names: tuple[str, ...]
    parse: Callable[[str], Any]
    check: Check
    secret: bool

    def read(self, environ: Mapping[str, str]) -> object | None:
        """The parsed value of the first name that is set and not empty, else None. Raises ConfigError."""
        for name in self.names:
            text = environ.get(name, "").strip()
            if text:
                value = self._parsed(name, text)
                self.validate(value, name)
                return value
        return None

    def validate(self, value: object, name: str | None = None) -> None:
        """Raises ConfigError when the value, read from the variable `name`, cannot be used."""
        wanted = self.check(value)
        if wanted is not None:
            raise ConfigError(f"{name or self.names[0]}={self._shown(value)}: must be {wanted}")

    def _parsed(self, name: str, text: str) -> object:
        try:
            return cast(object, self.parse(text))
        except ValueError as error:
            wanted = PARSED.get(self.parse, "a usable value")
            raise ConfigError(f"{name}={self._shown(text)}: must be {wanted}") from error

    def _shown(self, value: object) -> str:
        return MASK if self.secret else str(value)


def option_of(of: Field[Any]) -> Option:
    """The Option that `setting` attached to a dataclass field."""
    return cast(Option, of.metadata[METADATA_KEY])


def setting(
    default: T, *names: str, parse: Callable[[str], Any] = str, check: Check = lambda _: None, secret: bool = False
) -> T:
    """A dataclass field that is read from the environment variables `names`, the first one set counts."""
    option = Option(names=names, parse=parse, check=check, secret=secret)
    return field(default=default, metadata={METADATA_KEY: option})


def between(low: float, high: float) -> Check:
    """low <= value <= high; NaN fails."""
    return lambda value: None if low <= value <= high else f"between {low:.15g} and {high:.15g}"


def one_of(*allowed: str) -> Check:
    """Exactly one of these words."""
    return lambda value: None if value in allowed else "one of " + ", ".join(allowed)


def matching(pattern: str, wanted: str) -> Check:
    """None, or a text that matches the whole pattern."""
    compiled = re.compile(pattern)
    return lambda value: None if value is None or compiled.fullmatch(value) else wanted


def http_url(value: str | None) -> str | None:
    """A check: None, or an http(s) URL with a host and without user, query or fragment."""
    if value is None:
        return None
    wanted = "an address such as http://host:8080, without user, query or fragment"
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return wanted
    return None if usable and not (parts.username or parts.query or parts.fragment) else wanted


def url(text: str) -> str:
    """Without the trailing slash, so that paths can be appended."""
    return text.rstrip("/")
