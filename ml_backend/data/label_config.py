"""A label config (XML) -> what Lantern predicts and what it reads.

Threats stopped here: entity bombs, external entities and DTDs (defusedxml opens no file and no socket), huge and deeply
nested documents. Tag and attribute behaviour follows Label Studio 1.23: tags are matched without case, a choice is
stored by its `alias` where it has one, only the outermost `Choice` of a `Choices` counts, a Taxonomy node is stored as
the path from its root.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from ml_backend.errors import LabelConfigError

ControlKind = Literal["single", "multiple", "taxonomy"]
InputKind = Literal["text", "html", "image", "vector"]

MAX_CONFIG_BYTES = 1_000_000
"""Longest config, in UTF-8 bytes. Label Studio's own editor slows down long before."""
MAX_DEPTH = 100
"""Deepest nesting of tags."""

PATH_SEPARATOR = " / "
"""Joins a taxonomy path to a class name, as Label Studio's own `pathSeparator` default does."""

_INPUT_KINDS: dict[str, InputKind] = {"text": "text", "hypertext": "html", "image": "image"}
_CONTROL_TAGS = ("choices", "taxonomy")
_VARIABLE = re.compile(r"\$([\w\[\].{}]+)")
_EMBEDS = re.compile(r"<(object|embed|iframe)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Control:
    """One question: a `Choices` or `Taxonomy` tag.

    classes: the labels as Label Studio stores them (alias or value); of a taxonomy, paths joined with " / ". In the
    config's order. paths: of a taxonomy, class -> path from the root; empty otherwise.
    """

    name: str
    to_name: str
    kind: ControlKind
    classes: tuple[str, ...]
    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def result_type(self) -> str:
        """`type` of this control's regions in a Label Studio result, which is also the key inside `value`."""
        return "taxonomy" if self.kind == "taxonomy" else "choices"


@dataclass(frozen=True)
class TaskInput:
    """One thing shown to the annotator that Lantern can read. by_url: the field holds the address of the text."""

    name: str
    kind: InputKind
    field: str
    by_url: bool = False


@dataclass(frozen=True)
class Unsupported:
    """A control that the config has and Lantern does not predict, and why."""

    name: str
    tag: str
    reason: str


@dataclass(frozen=True)
class LabelSchema:
    """What a label config asks (`controls`) and shows (`inputs`), in its order. Empty controls: nothing that Lantern
    supports.
    """

    controls: tuple[Control, ...]
    inputs: tuple[TaskInput, ...]
    unsupported: tuple[Unsupported, ...] = ()

    @property
    def digest(self) -> str:
        """Hash of the controls and their classes: changes when a label is renamed, added, moved or removed."""
        asked = [(c.name, c.to_name, c.kind, c.classes, sorted(c.paths.items())) for c in self.controls]
        return hashlib.sha256(repr(asked).encode()).hexdigest()[:16]

    @property
    def inputs_digest(self) -> str:
        """Hash of what is shown and which of it is asked about: changes when tasks must be read anew."""
        shown = [(i.name, i.kind, i.field, i.by_url) for i in self.inputs]
        return hashlib.sha256(repr((shown, sorted({c.to_name for c in self.controls}))).encode()).hexdigest()[:16]


def parse_label_config(xml: str) -> LabelSchema:
    """The schema of a Label Studio label config.

    Raises LabelConfigError if it is too large, not well-formed, has a DTD or entities, uses a name twice, or asks about
    an object that it does not have. A valid config without supported controls gives a schema with empty `controls`.
    """
    elements = list(_walk(_parse_xml(xml)))
    names = _unique_names(elements)
    controls: list[Control] = []
    unsupported: list[Unsupported] = []
    for element in elements:
        if not (element.get("name") and element.get("toName")) or element.tag == "Filter":
            continue
        read = _read_control(element, names)
        if isinstance(read, Control):
            controls.append(read)
        else:
            unsupported.append(read)
    inputs = tuple(task_input for element in elements for task_input in _read_inputs(element))
    return LabelSchema(tuple(controls), inputs, tuple(unsupported))


def _parse_xml(xml: str) -> Element:
    if not isinstance(xml, str) or not xml.strip():
        raise LabelConfigError("the label config is empty: set one in the project's Labeling Interface settings")
    try:
        size = len(xml.encode())
    except UnicodeEncodeError as error:
        raise LabelConfigError("the label config holds characters that are no valid text") from error
    if size > MAX_CONFIG_BYTES:
        raise LabelConfigError(f"the label config has {size:,} bytes, more than {MAX_CONFIG_BYTES:,}")
    try:
        root: Element = defusedxml.ElementTree.fromstring(xml, forbid_dtd=True)
    except DefusedXmlException as error:
        raise LabelConfigError(
            "the label config has a DTD or entities, which are refused: remove <!DOCTYPE ...>"
        ) from error
    except (ParseError, ValueError) as error:
        raise LabelConfigError(f"the label config is not well-formed XML: {error}") from error
    return root


def _walk(root: Element) -> Iterator[Element]:
    """All elements in document order, without recursion."""
    stack = [(root, 1)]
    while stack:
        element, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise LabelConfigError(f"the label config nests tags deeper than {MAX_DEPTH}")
        yield element
        stack.extend((child, depth + 1) for child in reversed(element))


def _unique_names(elements: list[Element]) -> set[str]:
    names: set[str] = set()
    for element in elements:
        name = element.get("name")
        if name and name in names:
            raise LabelConfigError(f'the label config uses name="{name}" twice: every name must be unique')
        if name:
            names.add(name)
    return names


def _read_control(element: Element, names: set[str]) -> Control | Unsupported:
    name, to_names = element.attrib["name"], [part.strip() for part in element.attrib["toName"].split(",")]
    for to_name in to_names:
        if to_name not in names:
            raise LabelConfigError(f'toName="{to_name}" of "{name}" is the name of no tag in the label config')
    reason = _why_unsupported(element)
    if reason:
        return Unsupported(name, element.tag, reason)
    if element.tag.lower() == "taxonomy":
        paths = _taxonomy_paths(element)
        control = Control(name, to_names[0], "taxonomy", tuple(paths), paths)
    else:
        kind: ControlKind = "multiple" if element.get("choice") == "multiple" else "single"
        control = Control(name, to_names[0], kind, _choices(element))
    return control if control.classes else Unsupported(name, element.tag, "has no <Choice> with a value")


def _why_unsupported(element: Element) -> str | None:
    if element.tag.lower() not in _CONTROL_TAGS:
        return f"<{element.tag}> is not predicted; Lantern predicts <Choices> and <Taxonomy>"
    if _is_true(element, "perRegion") or _is_true(element, "perItem"):
        return "asks about a region or an item, not about the task (perRegion, perItem)"
    if element.get("value") or element.get("apiUrl"):
        return "takes its labels from each task or from an address (value, apiUrl); write them as <Choice> tags"
    if _is_true(element, "allowNested"):
        return 'stores paths (allowNested); use <Taxonomy> instead of <Choices allowNested="true">'
    if _is_true(element, "labeling"):
        return "labels regions of a text (labeling)"
    return None


def _is_true(element: Element, attribute: str) -> bool:
    value = element.get(attribute, element.get(attribute.lower(), "false"))
    return value.strip().lower() == "true"


def _stored_value(choice: Element) -> str:
    return choice.get("alias") or choice.get("value") or ""


def _choices(element: Element) -> tuple[str, ...]:
    """Labels of a Choices tag; those inside another Choice are shown but never stored by Label Studio."""
    found: dict[str, None] = {}
    stack = list(reversed(element))
    while stack:
        child = stack.pop()
        if child.tag.lower() != "choice":
            stack.extend(reversed(child))
        elif value := _stored_value(child):
            found[value] = None
    return tuple(found)


def _taxonomy_paths(element: Element) -> dict[str, tuple[str, ...]]:
    """Class -> path of every selectable node. Inner nodes can be chosen too unless leafsOnly."""
    leaves_only = _is_true(element, "leafsOnly")
    paths: dict[str, tuple[str, ...]] = {}
    stack: list[tuple[Element, tuple[str, ...]]] = [(child, ()) for child in reversed(element)]
    while stack:
        node, parents = stack.pop()
        value = _stored_value(node)
        if node.tag.lower() != "choice" or not value:
            continue
        path = (*parents, value)
        children = [child for child in node if child.tag.lower() == "choice"]
        if not (leaves_only and children):
            name = PATH_SEPARATOR.join(path)
            if paths.setdefault(name, path) != path:
                raise LabelConfigError(f'two taxonomy paths read "{name}": remove "{PATH_SEPARATOR}" from the labels')
        stack.extend((child, path) for child in reversed(children))
    return paths


def _read_inputs(element: Element) -> Iterator[TaskInput]:
    """One input per task field that the tag shows; a literal text without `$` shows none."""
    kind = _INPUT_KINDS.get(element.tag.lower())
    name, value = element.get("name"), element.get("value")
    if kind is None or not name or not value or element.get("toName"):
        return
    if kind == "html" and _EMBEDS.search(value):
        return  # another page, whose address holds the field: nothing that the task itself says
    by_url = (element.get("valueType") or element.get("valuetype")) == "url" and kind != "image"
    for variable in dict.fromkeys(_VARIABLE.findall(value)):
        yield TaskInput(name, kind, variable.rstrip("."), by_url)
