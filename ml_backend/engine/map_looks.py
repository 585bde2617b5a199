"""How people chose that a class looks on the map, for everybody: its colour, and the name that it is shown as.

Labels, predictions and the whole interface go on with the class's value in the label config: another value there would
leave annotations without a class.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from ml_backend.errors import InputError
from ml_backend.store.tables import JsonObject

SETTINGS_KEY = "map_looks"
LONGEST_NAME = 80
"""Characters of a name on the map."""
_COLOUR = re.compile("#[0-9a-f]{6}", re.ASCII)
_JOINERS = "\u200c\u200d"
"""Invisible, but part of words of some languages."""
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode categories: control and format characters, half pairs, breaks of lines and paragraphs."""


@dataclass(frozen=True)
class Look:
    """What was chosen for one class; None = as without a choice."""

    colour: str | None = None
    shown_as: str | None = None


def looks_of(control: str, settings: Mapping[str, object]) -> dict[str, Look]:
    """By class value; classes that nobody chose anything for are missing. settings: of the project's row."""
    everything = settings.get(SETTINGS_KEY)
    kept = everything.get(control) if isinstance(everything, Mapping) else None
    chosen = kept if isinstance(kept, Mapping) else {}
    return {name: _look(one) for name, one in chosen.items() if isinstance(one, Mapping)}


def shown_names(control: str, classes: Sequence[str], settings: Mapping[str, object]) -> list[str]:
    """What each class is called on the map: no two of the names are the same, as far as the label config's are not.

    A choice that has become the value of another class since (the label config was changed) counts no more.
    """
    looks, owner = looks_of(control, settings), {_key(name): name for name in classes}
    names: list[str] = []
    for name in classes:
        shown = looks.get(name, Look()).shown_as
        free = shown is not None and owner.setdefault(_key(shown), name) == name
        names.append(shown if shown is not None and free else name)
    return names


def with_colour(settings: JsonObject, control: str, name: str, colour: str) -> JsonObject:
    """The settings with one class's colour, "#rrggbb". Raises InputError for anything else."""
    if not _COLOUR.fullmatch(colour.lower()):
        raise InputError(f"the colour {colour[:20]!r} is not like #0072b2")
    return _with(settings, control, name, replace(_of(settings, control, name), colour=colour.lower()))


def with_name(settings: JsonObject, control: str, classes: Sequence[str], name: str, shown_as: str) -> JsonObject:
    """The settings with the name that one class is shown as; empty: its own value again.

    Raises InputError for a name that is too long, holds what cannot be seen, or says another class of the control.
    """
    wanted = " ".join(_checked(shown_as).split())
    own = wanted in ("", name)
    if not own and not _key(wanted):
        raise InputError("the name cannot be seen: type some letters")
    shown = dict(zip(classes, shown_names(control, classes, settings), strict=True))
    for other in () if own else classes:
        if other != name and _key(wanted) in (_key(other), _key(shown[other])):
            raise InputError(f"the class {other!r} has this name already: two classes cannot be told apart then")
    return _with(settings, control, name, replace(_of(settings, control, name), shown_as=None if own else wanted))


def _checked(text: str) -> str:
    if any(unicodedata.category(letter) in _UNSEEN and letter not in _JOINERS for letter in text):
        raise InputError("the name holds control characters, such as line breaks: type letters only")
    if len(text.strip()) > LONGEST_NAME:
        raise InputError(f"the name is longer than {LONGEST_NAME} characters")
    return text


def _key(name: str) -> str:
    """The same for names that people would not tell apart."""
    seen = "".join(letter for letter in name if letter not in _JOINERS)
    return " ".join(unicodedata.normalize("NFKC", seen).casefold().split())


def _of(settings: JsonObject, control: str, name: str) -> Look:
    return looks_of(control, settings).get(name, Look())


def _with(settings: JsonObject, control: str, name: str, look: Look) -> JsonObject:
    everything = settings.get(SETTINGS_KEY)
    kept = dict(everything) if isinstance(everything, Mapping) else {}
    own = kept.get(control)
    classes = dict(own) if isinstance(own, Mapping) else {}
    classes[name] = {what: value for what, value in asdict(look).items() if value is not None}
    kept[control] = {value: chosen for value, chosen in classes.items() if chosen}
    return {**settings, SETTINGS_KEY: {value: chosen for value, chosen in kept.items() if chosen}}


def _look(kept: Mapping[str, object]) -> Look:
    colour, shown_as = kept.get("colour"), kept.get("shown_as")
    return Look(
        colour if isinstance(colour, str) and _COLOUR.fullmatch(colour) else None,
        shown_as if isinstance(shown_as, str) and shown_as else None,
    )
