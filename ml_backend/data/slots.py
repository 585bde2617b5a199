"""The changing parts of demo notifications: names, numbers, times. The names are in slots.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import resources

import numpy as np

_SLOT = re.compile(r"\{(\w+)\}")
_BEGIN_A_SENTENCE = ("{device}", "{room}", "{bed}", "{colour}", "{printer}")

Numbers = np.random.Generator


def _between(low: int, high: int, text: str = "{}") -> Callable[[Numbers], str]:
    return lambda generator: text.format(int(generator.integers(low, high + 1)))


def _joined(*parts: Callable[[Numbers], str]) -> Callable[[Numbers], str]:
    return lambda generator: "".join(part(generator) for part in parts)


def _word(*words: str) -> Callable[[Numbers], str]:
    return lambda generator: str(generator.choice(words))


def _hexadecimal(digits: int) -> Callable[[Numbers], str]:
    return lambda generator: "".join(f"{int(d):X}" for d in generator.integers(0, 16, digits))


_time = _joined(_between(0, 23, "{:02d}"), _between(0, 59, ":{:02d}"))
_months = _word("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ip = _joined(_between(10, 223), _between(0, 255, ".{}"), _between(0, 255, ".{}"), _between(1, 254, ".{}"))
_server = _joined(_word("web", "db", "auth", "mail", "cache", "api", "build"), _between(1, 24, "-{:02d}"))

_MAKERS: dict[str, Callable[[Numbers], str]] = {
    "percent_tiny": _between(1, 4),
    "percent_low": _between(5, 19),
    "percent_mid": _between(25, 79),
    "percent_high": _between(86, 99),
    "minutes": _between(2, 55),
    "hours": _between(2, 14),
    "seconds": _between(10, 120),
    "ms": _between(1200, 60000),
    "count": _between(2, 19),
    "count_large": _between(300, 4900),
    "gb_small": _joined(_between(0, 9), _between(1, 9, ".{}")),
    "gb": _between(15, 950),
    "mbit": _between(40, 960),
    "dbm": _between(48, 91, "-{}"),
    "celsius": _between(71, 104),
    "celsius_low": _between(24, 43),
    "rpm": _between(1800, 6400),
    "litres": _between(8, 95),
    "port": _between(1024, 9800),
    "sector": _between(100000, 99999999),
    "pin": _between(100000, 999999),
    "last4": _between(1000, 9999),
    "decimal": _joined(_between(1, 9), _between(1, 9, ".{}")),
    "version": _joined(_between(1, 18), _between(0, 9, ".{}"), _between(0, 30, ".{}")),
    "code": _joined(_word("0x", "E", "ERR-"), _hexadecimal(4)),
    "time": _time,
    "date": _joined(_between(1, 28), _word(" "), _months),
    "money": _joined(_word("€", "$", "£"), _between(3, 480), _between(0, 99, ".{:02d}")),
    "ip": _ip,
    "ap": _joined(_word("ap-"), _between(1, 40, "{:02d}")),
    "server": _server,
    "url": _joined(_word("https://"), _server, _word("/v1/orders", "/login", "/search", "/v2/items", "/health")),
    "volume": _word("/var/log", "/home", "D:", "backup-nas", "/mnt/media", "E:", "share-marketing", "/srv/data"),
    "disk": _word("/dev/sda", "/dev/sdb", "/dev/sdc", "/dev/nvme0n1", "disk2", "disk0s3", "/dev/sdf"),
    "array": _joined(_word("md", "raid-"), _between(0, 9)),
    "job": _joined(_word("nightly-", "weekly-", "full-"), _between(1, 60)),
    "invoice": _joined(_word("INV-", "RE-", "2024-"), _between(1000, 99999)),
    "parcel": _joined(_word("JD", "1Z", "RR"), _between(1000000, 9999999)),
}


def fill(template: str, generator: np.random.Generator) -> str:
    """The template with every {slot} replaced by a random value; a sentence that begins with a word gets a capital."""
    text = _SLOT.sub(lambda match: _value(match[1], generator), template)
    return text[:1].upper() + text[1:] if template.startswith(_BEGIN_A_SENTENCE) else text


def _value(slot: str, generator: np.random.Generator) -> str:
    if slot in _MAKERS:
        return _MAKERS[slot](generator)
    words = _words()[slot]
    return words[int(generator.integers(len(words)))]


@lru_cache(maxsize=1)
def _words() -> Mapping[str, Sequence[str]]:
    text = resources.files("ml_backend.data").joinpath("slots.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
