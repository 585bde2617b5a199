"""What a person's acts on the map do to one annotation: small edits, applied in order to what was there before.

An edit is plain JSON, so that it can be kept: undoing one act of several is applying the others again. What the map
answers is marked in the region's `meta`: on the map a person answers one question, while an annotation submitted in
Label Studio answers every box on the screen, unticked ones included (see `answers.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Mapping
from typing import Any, Literal, get_args

from ml_backend.data.label_config import Control
from ml_backend.errors import InputError

Content = dict[str, Any]
"""`{"result": [region], "was_cancelled": bool}` of an annotation."""
Edit = dict[str, Any]
SetAside = Literal["skip", "unsure", "never_seen"]
SET_ASIDE: tuple[SetAside, ...] = get_args(SetAside)

META, MARK, ASKED = "lantern", "map", "asked"
"""`meta` of a region that was answered on the map: {"lantern": "map"}, of a `multiple` control also the choices asked:
{"lantern": "map", "asked": [choice]}."""

_OF_EDITOR = ("origin",)


def choose(control: Control, label: str) -> Edit:
    """The answer of a single or taxonomy control. Raises InputError for a label that it does not offer."""
    _check(control, label)
    chosen = list(control.paths[label]) if control.kind == "taxonomy" else label
    return {"choose": control.name, "to": control.to_name, "type": control.result_type, "value": [chosen]}


def tick(control: Control, choice: str, *, on: bool) -> Edit:
    """The box of one choice of a `multiple` control. Raises InputError for a choice that it does not offer."""
    _check(control, choice)
    return {"tick": control.name, "to": control.to_name, "choice": choice, "on": on}


def set_aside(kind: SetAside) -> Edit:
    """No answer, and why."""
    return {"aside": kind}


def apply_edits(base: Content | None, edits: Iterable[Edit], seed: str) -> Content | None:
    """The annotation after the edits; None when there was none and nothing was done. seed: makes region ids unique."""
    content = base
    for edit in edits:
        content = _applied(content, edit, seed)
    return content


def aside_kind(edits: Iterable[Edit]) -> SetAside | None:
    """Why no answer was given, when that was the last edit."""
    last = None
    for edit in edits:
        last = edit.get("aside")
    return last


def is_marked(region: object) -> bool:
    """Whether a region of a result was answered on the map."""
    meta = region.get("meta") if isinstance(region, Mapping) else None
    return isinstance(meta, Mapping) and meta.get(META) == MARK


def is_of_map_alone(result: object) -> bool:
    """Whether a result holds regions answered on the map and no others: then nothing else was asked."""
    return isinstance(result, list) and bool(result) and all(is_marked(region) for region in result)


def says_the_same(one: Content | None, other: Content | None) -> bool:
    """Whether two annotations answer alike. Label Studio's editor adds a field of its own (`origin`) to every region of
    what it saves, changed or not; it keeps `meta`.
    """
    return _said(one) == _said(other)


def answers_alike(one: Content | None, other: Content | None, edits: Iterable[Edit]) -> bool:
    """Whether two annotations say the same of all that the edits are about: a skip is about the whole annotation."""
    edits = list(edits)
    if any("aside" in edit for edit in edits):
        return says_the_same(one, other)
    asked = {_control(edit) for edit in edits}
    return _is_skipped(one) == _is_skipped(other) and _regions(one, asked) == _regions(other, asked)


def _said(content: Content | None) -> object:
    return None if content is None else (content["was_cancelled"], _regions(content))


def _is_skipped(content: Content | None) -> bool:
    return content is not None and content["was_cancelled"]


def _regions(content: Content | None, controls: Container[str] | None = None) -> list[dict[str, Any]]:
    """Regions without what the editor adds, of these controls where given."""
    return [
        {name: value for name, value in region.items() if name not in _OF_EDITOR}
        for region in (() if content is None else content["result"])
        if isinstance(region, Mapping) and (controls is None or region.get("from_name") in controls)
    ]


def _control(edit: Edit) -> str:
    return str(edit.get("choose") or edit.get("tick"))


def _applied(content: Content | None, edit: Edit, seed: str) -> Content:
    result = [] if content is None else list(content["result"])
    if "aside" in edit:
        return {"result": [region for region in result if not is_marked(region)], "was_cancelled": True}
    of_map = content is None or content["was_cancelled"] or is_of_map_alone(result)
    control = _control(edit)
    own = [region for region in result if isinstance(region, Mapping) and region.get("from_name") == control]
    others = [region for region in result if region not in own]
    region = _chosen(edit, of_map) if "choose" in edit else _ticked(edit, own, of_map)
    region |= {"id": hashlib.sha256(f"{seed}/{control}".encode()).hexdigest()[:10], "from_name": control}
    return {"result": [*others, region], "was_cancelled": False}


def _chosen(edit: Edit, of_map: bool) -> dict[str, Any]:
    region = {"to_name": edit["to"], "type": edit["type"], "value": {edit["type"]: edit["value"]}}
    return region | ({"meta": {META: MARK}} if of_map else {})


def _ticked(edit: Edit, own: list[Mapping[str, Any]], of_map: bool) -> dict[str, Any]:
    """All boxes of the control in one region: one more ticked or unticked."""
    ticked = [c for region in own for c in _choices(region) if c != edit["choice"]]
    ticked += [edit["choice"]] if edit["on"] else []
    region: dict[str, Any] = {"to_name": edit["to"], "type": "choices", "value": {"choices": ticked}}
    if of_map:
        asked = {c for region_before in own for c in asked_choices(region_before)} | {edit["choice"]}
        region["meta"] = {META: MARK, ASKED: sorted(asked)}
    return region


def asked_choices(region: Mapping[str, Any]) -> list[str]:
    """Choices of a `multiple` control that were asked about on the map in this region, and those that were ticked in it
    since: in Label Studio's editor, which keeps the mark.
    """
    meta = region.get("meta")
    asked = meta.get(ASKED) if is_marked(region) and isinstance(meta, Mapping) else None
    if not isinstance(asked, list):
        return []
    return list(dict.fromkeys([*(choice for choice in asked if isinstance(choice, str)), *_choices(region)]))


def _choices(region: Mapping[str, Any]) -> list[str]:
    value = region.get("value")
    found = value.get("choices") if isinstance(value, Mapping) else None
    return [choice for choice in found if isinstance(choice, str)] if isinstance(found, list) else []


def _check(control: Control, label: str) -> None:
    if label not in control.classes:
        raise InputError(f"the control {control.name!r} has no class {label[:80]!r}: reload the map")
