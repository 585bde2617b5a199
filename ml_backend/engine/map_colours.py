"""Colours of classes: by their order in the label config, so that they survive every training.

The first six are the Okabe-Ito colours, the rest was chosen to stay apart for colour-blind people as far as that goes.
Past the last one a class gets none of its own: colours that come twice would say that two classes are one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ml_backend.errors import InputError
from ml_backend.store.tables import JsonObject

# fmt: off
PALETTE = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#86e7be", "#715941",
    "#ef00f7", "#ff8efb", "#a60082", "#209e00", "#55929e", "#4df708", "#ba9679", "#ae00be",
    "#14efef", "#fbc282", "#d2b2c2", "#8679ff", "#9e4900", "#416571", "#00d269", "#28c2ae",
)
# fmt: on
OTHER = "#737373"
"""Of every class after the last colour, as of points that nothing is named for."""
YES_NO = ("#737373", "#0072b2")
"""Of `no` and `yes`: the box that is not ticked is the ground, not a colour of its own."""

SETTINGS_KEY = "map_colours"
_COLOUR = re.compile("#[0-9a-f]{6}", re.ASCII)


def colours_of(control: str, classes: Sequence[str], settings: Mapping[str, object], *, binary: bool) -> list[str]:
    """One colour a class; what somebody chose wins. settings: of the project's row. binary: the classes are no, yes."""
    base = YES_NO if binary else (*PALETTE, *[OTHER] * max(0, len(classes) - len(PALETTE)))
    kept = settings.get(SETTINGS_KEY)
    own = kept.get(control) if isinstance(kept, Mapping) else None
    chosen = own if isinstance(own, Mapping) else {}
    return [_usable(chosen.get(name)) or colour for name, colour in zip(classes, base, strict=False)]


def with_colour(settings: JsonObject, control: str, name: str, colour: str) -> JsonObject:
    """The settings with one class's colour, "#rrggbb". Raises InputError for anything else."""
    usable = _usable(colour.lower())
    if usable is None:
        raise InputError(f"the colour {colour[:20]!r} is not like #0072b2")
    kept = settings.get(SETTINGS_KEY)
    all_own = dict(kept) if isinstance(kept, Mapping) else {}
    all_own[control] = {**all_own.get(control, {}), name: usable}
    return {**settings, SETTINGS_KEY: all_own}


def _usable(colour: object) -> str | None:
    return colour if isinstance(colour, str) and _COLOUR.fullmatch(colour) else None
