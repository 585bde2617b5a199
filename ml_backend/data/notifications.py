"""Demo texts: notifications and error messages of devices and services, with a truth that the demo withholds.

Ordinary kinds come in many rephrasings; a small group is of one kind that the demo's first labels never name; a few
texts are of kinds that come once or twice only. The sentences are in notifications.toml. The same seed gives the same
texts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TypedDict

import numpy as np

from ml_backend.data.slots import fill

NEEDS_ACTION = "needs action"
TAGS = (NEEDS_ACTION, "security", "hardware", "network", "money")
SOMETHING_ELSE = "something else"
"""Truth of the texts that belong to no kind."""

GROUP_SHARE = 0.03
RARE_SHARE = 0.012
_TRIES = 30

_FRAMES = (
    "{}",
    "{}",
    "{}",
    "{}",
    "[{time}] {}",
    "{} ({time})",
    "{device}: {}",
    "{server} {}",
    "{date} {time} {}",
)
"""What may stand around any sentence, whatever its kind, so that a frame says nothing about the kind."""


class Notification(TypedDict):
    """One text and its truth. label: its kind; tags: those of TAGS that hold, in that order.

    rare: of a kind that comes once or twice. group: of the small group that the first labels leave out.
    """

    text: str
    label: str
    tags: list[str]
    rare: bool
    group: bool


@dataclass(frozen=True)
class _Sentence:
    template: str
    label: str
    tags: frozenset[str]
    rare: bool = False
    group: bool = False


def kinds() -> tuple[str, ...]:
    """The ordinary kinds, in the order of the file."""
    return tuple(_phrases()["kind"])


def group_kinds() -> tuple[str, ...]:
    """Kinds of the small group."""
    return tuple(_phrases()["group"])


def make_notifications(n: int, seed: int = 0) -> list[Notification]:
    """n notifications in random order, texts all different unless n is very large. n >= 1.

    About 3 % are of the group, 1.2 % (at most two of each sentence) are rare; the rest is spread unevenly over the
    ordinary kinds.
    """
    generator = np.random.default_rng(seed)
    made: list[Notification] = []
    texts: set[str] = set()
    for sentences in _draw(n, generator):
        sentence = sentences[int(generator.integers(len(sentences)))]
        text = _text(sentence, generator)
        for _ in range(_TRIES):
            if text not in texts:
                break
            text = _text(sentence, generator)
        texts.add(text)
        tags = [tag for tag in TAGS if tag in sentence.tags]
        made.append(Notification(text=text, label=sentence.label, tags=tags, rare=sentence.rare, group=sentence.group))
    return made


def _draw(n: int, generator: np.random.Generator) -> list[list[_Sentence]]:
    """For each text to be, the sentences to choose from; shuffled."""
    ordinary, group = _sentences("kind"), _sentences("group")
    rare = [_Sentence(s, SOMETHING_ELSE, frozenset(), rare=True) for s in _phrases()["rare"]["sentences"]]
    n_rare = min(2 * len(rare), round(n * RARE_SHARE))
    n_group = min(n - n_rare, round(n * GROUP_SHARE))
    order = generator.permutation(len(rare))
    drawn = [[rare[int(order[i % len(rare)])]] for i in range(n_rare)]
    drawn += [sentences for sentences in group.values() for _ in range(-(-n_group // len(group)))][:n_group]
    weights = generator.uniform(0.5, 1.5, len(ordinary))
    picks = generator.choice(len(ordinary), n - len(drawn), p=weights / weights.sum())
    by_kind = list(ordinary.values())
    drawn += [by_kind[int(pick)] for pick in picks]
    return [drawn[int(i)] for i in generator.permutation(n)]


def _text(sentence: _Sentence, generator: np.random.Generator) -> str:
    frame = "{}" if sentence.rare else str(generator.choice(_FRAMES))
    return fill(frame.replace("{}", sentence.template), generator)


def _sentences(section: str) -> dict[str, list[_Sentence]]:
    found: dict[str, list[_Sentence]] = {}
    for label, kind in _phrases()[section].items():
        tags = frozenset(kind["tags"])
        group = section == "group"
        asks = [_Sentence(s, label, tags | {NEEDS_ACTION}, group=group) for s in kind["asks"]]
        found[label] = asks + [_Sentence(s, label, tags, group=group) for s in kind["tells"]]
    return found


@lru_cache(maxsize=1)
def _phrases() -> Mapping[str, Mapping[str, Mapping[str, list[str]]]]:
    text = resources.files("ml_backend.data").joinpath("notifications.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
