"""A raw Label Studio result -> what the annotator answered, by control.

A result is a list of regions from any tool, version or person: nothing in it is trusted. Only whole-task regions of
controls that the present config has are read; labels that the config does not have (any more) are dropped and reported,
never shifted to another class.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ml_backend.data.edits import asked_choices, is_of_map_alone
from ml_backend.data.label_config import PATH_SEPARATOR, Control, LabelSchema

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class UnknownLabel:
    """A label in a result that the control of this name does not offer."""

    control: str
    label: str


@dataclass(frozen=True)
class Answers:
    """given: control name -> classes chosen, in the result's order, without repeats. unknown: what had to be dropped.

    A `multiple` control that was submitted with nothing ticked is given as (); other controls without a known label are
    absent.

    asked: of an annotation made on the map alone, the choices asked about, by `multiple` control; nothing is known of
    the others. None: submitted in Label Studio, where every box was on the screen.
    """

    given: dict[str, tuple[str, ...]]
    unknown: tuple[UnknownLabel, ...] = ()
    asked: Mapping[str, frozenset[str]] | None = None

    def says(self, control: Control, choice: str) -> bool | None:
        """Whether a choice of a `multiple` control was ticked; None when it was not asked about."""
        if self.asked is not None and choice not in self.asked.get(control.name, frozenset()):
            return None
        return choice in self.given.get(control.name, ())

    def answers(self, control: Control) -> bool:
        """Whether anything is said about a control: an unticked box says no."""
        if control.kind == "multiple":
            return self.asked is None or control.name in self.asked
        return bool(self.given.get(control.name))


def parse_answers(result: object, schema: LabelSchema) -> Answers:
    """Answers in a raw result (the `result` of an annotation or prediction). Anything that is not a list of regions
    gives none.
    """
    controls = {control.name: control for control in schema.controls}
    chosen: dict[str, dict[str, None]] = {}
    unknown: list[UnknownLabel] = []
    for control, value in _regions(result, controls):
        labels = chosen.setdefault(control.name, {})
        for label, known in _labels(control, value):
            if known:
                labels[label] = None
            else:
                unknown.append(UnknownLabel(control.name, label))
    given = {name: tuple(labels) for name, labels in chosen.items() if labels or controls[name].kind == "multiple"}
    return Answers(given, tuple(unknown), _asked(result, controls) if is_of_map_alone(result) else None)


def log_unknown(answers: Iterable[Answers]) -> None:
    """Logs what had to be dropped of all these in one line: how many, and the controls' names only."""
    unknown = [label for one in answers for label in one.unknown]
    if unknown:
        names = sorted({label.control for label in unknown})
        _log.info("dropped %d label(s) that the label config does not have, of %s", len(unknown), ", ".join(names))


def _asked(result: object, controls: dict[str, Control]) -> dict[str, frozenset[str]]:
    """Of a result that is a list of regions made on the map."""
    asked: dict[str, frozenset[str]] = {}
    for region in result if isinstance(result, list) else ():
        name = region.get("from_name")
        control = controls.get(name) if isinstance(name, str) else None
        if control is not None and control.kind == "multiple":
            asked[control.name] = asked.get(control.name, frozenset()) | frozenset(asked_choices(region))
    return asked


def _regions(result: object, controls: dict[str, Control]) -> Iterator[tuple[Control, object]]:
    for region in result if isinstance(result, list) else ():
        if not isinstance(region, dict):
            continue
        name = region.get("from_name")
        control = controls.get(name) if isinstance(name, str) else None
        value = region.get("value")
        if (
            control
            and region.get("type") == control.result_type
            and isinstance(value, dict)
            and control.result_type in value
        ):
            yield control, value[control.result_type]


def _labels(control: Control, value: object) -> Iterator[tuple[str, bool]]:
    """(label, does the control offer it) of a region's value: a list of texts (a lone text is taken too), or of
    taxonomy paths.
    """
    items = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    for item in items:
        if control.kind != "taxonomy" and isinstance(item, str):
            yield item, item in control.classes
        elif (
            control.kind == "taxonomy"
            and isinstance(item, list)
            and item
            and all(isinstance(part, str) for part in item)
        ):
            name = PATH_SEPARATOR.join(item)
            yield name, control.paths.get(name) == tuple(item)
