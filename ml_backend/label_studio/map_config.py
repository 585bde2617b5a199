"""The live map in a label config: put in beside what is there, found again, and taken out, without touching the rest.

Label Studio's own filter lets an <object> pass inside an inline <HyperText>, and the page in it runs. The map is one
element before the config's last tag; whoever edits the config afterwards may move it. It is known by the address that
it shows, not by its name or place.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from ml_backend.errors import LabelConfigError
from ml_backend.label_studio.xml_spans import Span, read_spans

NAME = "lantern_map"
"""Name of the map's tag; with a number behind it where the config has such a name already."""
PANE = "lantern-map-beside"
HEIGHT_PX = 640
"""Label Studio measures nothing inside an <object>: it needs a height of its own."""

_STYLE = (
    f".{PANE} {{ flex: 3 1 480px; min-width: 0; }} @media (min-width: 1280px) {{ "
    f"div:has(.{PANE}):not(:has(div .{PANE})) {{ display: grid; column-gap: 16px; align-items: start; "
    "grid-template-columns: minmax(min(400px, 50%), 2fr) minmax(0, 3fr); } "
    f":has(~ .{PANE}), .{PANE} ~ * {{ grid-column: 1; }} .{PANE} {{ grid-column: 2; grid-row: 1 / span 99; }} }}"
)
"""On a wide screen what stands around the map goes to its left. Without `>`, which Label Studio would escape."""
_OBJECT = re.compile(r"<object\s[^<>]*?\bdata\s*=\s*(['\"])(?P<url>.*?)\1", re.IGNORECASE | re.DOTALL)
_ADDRESS = re.compile(
    r"(?P<base>https?://[^?#]+)/map/(?P<project>[^/?#]+)(?:\?value=\$(?P<field>\w+))?#key=(?P<key>[\w-]+)"
)
_NAME = re.compile(r"name\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


@dataclass(frozen=True)
class MapAddress:
    """What the map in a label config shows. base: Lantern as browsers reach it, without a trailing slash. field: the
    task field whose value names the task to ring; None = no ring.
    """

    base: str
    project: str
    key: str
    field: str | None = None

    @property
    def url(self) -> str:
        """With Label Studio's `$field` in it. The key is in the fragment, which no server sees or logs."""
        ring = f"?value=${self.field}" if self.field else ""
        return f"{self.base}/map/{self.project}{ring}#key={self.key}"


def find_map(xml: str) -> MapAddress | None:
    """The map in a label config; None without one. Raises LabelConfigError for a config that cannot be read."""
    for span in read_spans(xml).walk():
        if (address := _address(span)) is not None:
            return address
    return None


def with_map(xml: str, address: MapAddress) -> str:
    """The config with this map and no other one. A map that is there stays where somebody moved it.

    Raises LabelConfigError for a config that has nothing to stand beside.
    """
    present = [(span, found) for span in read_spans(xml).walk() if (found := _address(span)) is not None]
    if len(present) == 1:
        span, found = present[0]
        text, old = xml.encode(), _written(found)
        tag = text[span.start : span.inner_start]
        if tag.count(old) == 1:
            return (text[: span.start] + tag.replace(old, _written(address)) + text[span.inner_start :]).decode()
    return _inserted(without_map(xml), address)


def _inserted(xml: str, address: MapAddress) -> str:
    root = read_spans(xml)
    if root.closes_itself:
        raise LabelConfigError("the label config is empty: set one in the project's Labeling Interface settings")
    text, element = xml.encode(), _element(address, _free_name(xml)).encode()
    before, after = text[: root.inner_end], text[root.inner_end :]
    if before.endswith(b"\n"):
        element = b"  " + element + b"\n"
    return (before + element + after).decode()


def without_map(xml: str) -> str:
    """The config as it would be had no map ever been put in."""
    text = xml.encode()
    for span in sorted(_ours(read_spans(xml), text), key=lambda span: -span.start):
        start, end = span.start, span.end
        if text[:start].endswith(b"\n  ") and text[end : end + 1] == b"\n":
            start, end = start - 2, end + 1
        text = text[:start] + text[end:]
    return text.decode()


def _ours(root: Span, text: bytes) -> list[Span]:
    """What to take out: a pane that holds nothing else, and else the map and the pane's style alone."""
    found: list[Span] = []
    for span in root.walk():
        maps = [child for child in span.children if _address(child) is not None]
        if not maps:
            continue
        is_pane = span is not root and span.attributes.get("className") == PANE
        styles = [child for child in span.children if is_pane and child.tag.lower() == "style"]
        found += [span] if is_pane and _holds_only([*maps, *styles], span, text) else [*maps, *styles]
    return found


def _holds_only(children: list[Span], span: Span, text: bytes) -> bool:
    inner = text[span.inner_start : span.inner_end]
    for child in children:
        inner = inner.replace(text[child.start : child.end], b"")
    return not inner.strip()


def _address(span: Span) -> MapAddress | None:
    shown = _OBJECT.search(span.attributes.get("value", "")) if span.tag.lower() == "hypertext" else None
    found = _ADDRESS.fullmatch(html.unescape(shown["url"])) if shown else None
    return MapAddress(found["base"], found["project"], found["key"], found["field"]) if found else None


def _element(address: MapAddress, name: str) -> str:
    page = (
        f"<object type='text/html' data='{html.escape(address.url)}' title='Map' "
        f"style='width:100%;height:{HEIGHT_PX}px'></object>"
    )
    shown = f'<HyperText name="{name}" inline="true" value={quoteattr(page)}/>'
    return f'<View className="{PANE}"><Style>{_STYLE}</Style>{shown}</View>'


def _written(address: MapAddress) -> bytes:
    """The address as `_element` writes it, with the quotes that follow and precede it."""
    return escape(f"'{html.escape(address.url)}'").encode()


def _free_name(xml: str) -> str:
    """Compared as Label Studio does, over the whole text."""
    taken = {first or second for first, second in _NAME.findall(xml)}
    names = (f"{NAME}_{number}" if number else NAME for number in range(len(taken) + 1))
    return next(name for name in names if name not in taken)
