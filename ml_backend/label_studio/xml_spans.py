"""Where the elements of a label config stand in its text, so that one can be put in or taken out and every other byte
stays: a parsed and rewritten config would lose the author's layout, quotes and entities.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from ml_backend.data.label_config import parse_label_config


@dataclass
class Span:
    """An element and its bytes: [start, end) with its tags, [inner_start, inner_end) between them (empty for a
    self-closing one).
    """

    tag: str
    attributes: dict[str, str]
    start: int
    inner_start: int = 0
    inner_end: int = 0
    end: int = 0
    children: list[Span] = field(default_factory=list)

    @property
    def closes_itself(self) -> bool:
        """Written as <Tag/>."""
        return self.inner_start == self.inner_end == self.end

    def walk(self) -> list[Span]:
        """The element and all below it, in document order."""
        return [self, *(below for child in self.children for below in child.walk())]


def read_spans(xml: str) -> Span:
    """The root element of a label config. Offsets count the bytes of `xml` in UTF-8.

    Raises LabelConfigError for what parse_label_config refuses, such as a DTD or nesting without end.
    """
    parse_label_config(xml)
    return _Reader(xml.encode()).root


class _Reader:
    def __init__(self, text: bytes) -> None:
        self._text = text
        self._open: list[Span] = []
        self._roots: list[Span] = []
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.Parse(text, True)

    @property
    def root(self) -> Span:
        return self._roots[0]

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        at = self._parser.CurrentByteIndex
        span = Span(tag, attributes, at, inner_start=_end_of_tag(self._text, at))
        (self._open[-1].children if self._open else self._roots).append(span)
        self._open.append(span)

    def _end(self, tag: str) -> None:
        span, at = self._open.pop(), self._parser.CurrentByteIndex
        if self._text[span.inner_start - 2 : span.inner_start] == b"/>":
            span.inner_end = span.end = span.inner_start
        else:
            span.inner_end, span.end = at, self._text.index(b">", at) + 1


def _end_of_tag(text: bytes, at: int) -> int:
    """Behind the `>` of the start tag at `at`; a `>` within quotes belongs to an attribute."""
    quote: int | None = None
    for position in range(at, len(text)):
        byte = text[position]
        if quote is not None:
            quote = None if byte == quote else quote
        elif byte in b"\"'":
            quote = byte
        elif byte == ord(">"):
            return position + 1
    raise AssertionError("the parser has accepted the tag")
