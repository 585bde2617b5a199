"""Colours of classes: by their order in the label config, so that they survive every training.

The first six are the Okabe-Ito colours, the rest was chosen to stay apart for colour-blind people as far as that goes.
Past the last one a class gets none of its own: colours that come twice would say that two classes are one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ml_backend.engine.map_looks import Look, looks_of

# Eight colours a row, to be compared by eye.
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


def colours_of(control: str, classes: Sequence[str], settings: Mapping[str, object], *, binary: bool) -> list[str]:
    """One colour a class; what somebody chose wins. settings: of the project's row. binary: the classes are no, yes."""
    base = YES_NO if binary else (*PALETTE, *[OTHER] * max(0, len(classes) - len(PALETTE)))
    chosen = looks_of(control, settings)
    return [chosen.get(name, Look()).colour or colour for name, colour in zip(classes, base, strict=False)]
