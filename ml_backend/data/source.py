"""Which task field(s) a project's items are read from, and with which encoder."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Literal

from ml_backend.data.label_config import InputKind, LabelSchema, TaskInput
from ml_backend.data.records import Record, Unreadable, read_field
from ml_backend.errors import ConfigError

SourceKind = Literal["text", "image", "vector"]

VECTOR_FIELD = "embedding"
"""Task field that, when it holds a vector or a .npy address, is used without being asked for."""
MAX_TEXT_CHARACTERS = 8_192
"""Only the beginning of longer texts is read: static and sentence encoders see a few hundred words anyway."""

_TAG_BEGINS, _TAG = re.compile(r"<[A-Za-z/!?]"), re.compile(r"<[^<>]*>")
_STORAGE_SCHEMES = ("s3:", "gs:", "azure-blob:", "azure_spi:")
_DEFAULT_SPECS: dict[SourceKind, str] = {"text": "text", "image": "pixels", "vector": "vector"}


@dataclass(frozen=True)
class Source:
    """How records become items of an encoder. inputs: the fields; several texts are joined by a line break, in this
    order.
    """

    encoder_spec: str
    kind: SourceKind
    inputs: tuple[TaskInput, ...]

    @property
    def field(self) -> str:
        """The field names joined with a comma: what a person would write as the `field` setting."""
        return ",".join(task_input.field for task_input in self.inputs)


@dataclass(frozen=True)
class Reference:
    """Address of content that must be fetched before it can be encoded."""

    address: str


def encoder_kind(spec: str) -> SourceKind:
    """What kind of item an encoder of this spec reads. Raises ConfigError for an unknown spec."""
    name = spec.partition(":")[0]
    if name in ("text", "sentence-transformers", "openai"):
        return "text"
    if spec in ("vector", "pixels"):
        return "vector" if spec == "vector" else "image"
    raise ConfigError(
        f"encoder {spec!r} is none of vector, text, pixels, sentence-transformers:NAME, openai:MODEL "
        "(`connect --encoder`, the project's extra params, or LANTERN_ENCODER)"
    )


def choose_source(
    schema: LabelSchema,
    sample_data: Mapping[str, object] | Sequence[Mapping[str, object]],
    encoder_spec: str | None = None,
    field: str | None = None,
) -> Source:
    """What an explicit encoder or field asks for; else by what the project shows and the sample task(s) hold.

    Automatic order: a vector in the field `embedding`, then `<Image>` as pixels, then `<Text>`/`<HyperText>` as text.
    Objects that a supported control points at (toName) go before others. field: one name, or several with commas.
    Raises ConfigError, with the setting to mend, when nothing can be read.
    """
    samples = [sample_data] if isinstance(sample_data, Mapping) else list(sample_data)
    shown = relevant_inputs(schema)
    kind = encoder_kind(encoder_spec) if encoder_spec else _kind_of_field(field, shown, samples)
    spec = encoder_spec or _DEFAULT_SPECS[kind]
    inputs = _explicit_inputs(field, kind, schema) if field else _inputs_of_kind(kind, shown)
    if not inputs:
        raise ConfigError(
            f"encoder {spec!r} needs a {kind}, and the label config shows none: name the task field (setting field)"
        )
    return Source(spec, kind, inputs)


def relevant_inputs(schema: LabelSchema) -> tuple[TaskInput, ...]:
    asked_about = {control.to_name for control in schema.controls}
    relevant = tuple(task_input for task_input in schema.inputs if task_input.name in asked_about)
    return relevant or schema.inputs


def _source_kind(kind: InputKind) -> SourceKind:
    return "text" if kind == "html" else kind


def _kind_of_field(
    field: str | None, shown: tuple[TaskInput, ...], samples: Iterable[Mapping[str, object]]
) -> SourceKind:
    names = [name.strip() for name in field.split(",")] if field else [VECTOR_FIELD]
    if any(is_vector_like(read_field(data, names[0])) for data in samples):
        return "vector"
    kinds = [_source_kind(task_input.kind) for task_input in shown if not field or task_input.field in names]
    if kinds:
        return "image" if "image" in kinds else kinds[0]
    if field:
        return "text"
    raise ConfigError(
        f"nothing to read: the label config shows no Text, HyperText or Image, and tasks have no vector "
        f"in `{VECTOR_FIELD}`"
    )


def _explicit_inputs(field: str, kind: SourceKind, schema: LabelSchema) -> tuple[TaskInput, ...]:
    known = {task_input.field: task_input for task_input in schema.inputs if _source_kind(task_input.kind) == kind}
    names = [name.strip().removeprefix("$") for name in field.split(",") if name.strip()]
    return tuple(known.get(name) or TaskInput(name, kind, name) for name in names)


def _inputs_of_kind(kind: SourceKind, shown: tuple[TaskInput, ...]) -> tuple[TaskInput, ...]:
    if kind == "vector":
        return (TaskInput(VECTOR_FIELD, "vector", VECTOR_FIELD),)
    fitting = tuple(task_input for task_input in shown if _source_kind(task_input.kind) == kind)
    return fitting if kind == "text" else fitting[:1]


def is_vector_like(value: object) -> bool:
    """Whether a task field holds a vector: a list of numbers (also as JSON text) or the address of a .npy file."""
    if isinstance(value, str):
        text = value.strip()
        return text.partition("?")[0].lower().endswith(".npy") or (
            text.startswith("[") and isinstance(_json_list(text), list)
        )
    return isinstance(value, Sequence) and len(value) > 1 and all(isinstance(v, int | float) for v in value[:8])


def read_item(source: Source, record: Record) -> str | list[object] | Reference | Unreadable:
    """The record's content for the encoder: text, a list of numbers, or the reference of what must be fetched."""
    if source.kind == "text" and not any(task_input.by_url for task_input in source.inputs):
        return _join_texts(source.inputs, record)
    value = read_field(record.data, source.inputs[0].field)
    if source.kind == "vector" and isinstance(value, list):
        return value
    if not isinstance(value, str) or not value.strip():
        return Unreadable(f"the field {source.inputs[0].field!r} holds no {source.kind}")
    text = value.strip()
    if source.kind == "vector" and text.startswith("["):
        return _json_list(text) or Unreadable(f"the field {source.inputs[0].field!r} is no list of numbers")
    return Reference(_fetchable(text, record.key))


def _join_texts(inputs: tuple[TaskInput, ...], record: Record) -> str | Unreadable:
    texts = []
    for task_input in inputs:
        value = read_field(record.data, task_input.field)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            texts.append(clean_text(str(value), is_html=task_input.kind == "html"))
    text = "\n".join(part for part in texts if part)
    fields = ", ".join(repr(task_input.field) for task_input in inputs)
    return text or Unreadable(f"the text field {fields} is missing or empty")


def clean_text(text: str, *, is_html: bool) -> str:
    """The readable beginning of a text: tags, scripts and styles of HTML removed, outer blanks stripped, halves of
    characters (lone surrogates, which no encoder takes) replaced by '?'.
    """
    if is_html:
        text = _strip_html(text[: 8 * MAX_TEXT_CHARACTERS])
    return text[:MAX_TEXT_CHARACTERS].strip().encode("utf-8", "replace").decode("utf-8")


def looks_like_html(content: bytes) -> bool:
    """Whether a downloaded text is an HTML document."""
    beginning = content[:512].lstrip().lower()
    return beginning.startswith((b"<!doctype html", b"<html", b"<body", b"<div", b"<p>"))


def _json_list(text: str) -> list[object] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


def _fetchable(address: str, key: str | int) -> str:
    """Cloud storage addresses are fetched through Label Studio, which holds their credentials and redirects to a signed
    address.
    """
    if address.lower().startswith(_STORAGE_SCHEMES) and isinstance(key, int):
        return f"/tasks/{key}/resolve/?fileuri={base64.urlsafe_b64encode(address.encode()).decode()}"
    return address


class _TextOfHtml(HTMLParser):
    """Collects what a reader sees."""

    _HIDDEN = ("script", "style", "template", "head")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in self._HIDDEN
        self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in self._HIDDEN))
        self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _split_unfinished(html: str) -> tuple[str, str]:
    """Without a comment that never ends; apart from it a tag that never ends, which is no tag but text. Python before
    3.11.14 would read both again from each `<` in them: half a minute for 64 kB (CVE-2025-6069).
    """
    comment = html.find("<!--", html.rfind("-->") + 1)
    html = html[:comment] if comment >= 0 else html
    tag = _TAG_BEGINS.search(html, html.rfind(">") + 1)
    return (html[: tag.start()], html[tag.start() :]) if tag else (html, "")


def _strip_html(html: str) -> str:
    whole, rest = _split_unfinished(html)
    parser = _TextOfHtml()
    try:
        parser.feed(whole)
        parser.close()
        parser.handle_data(rest)
        text = "".join(parser.parts)
    except (AssertionError, ValueError):  # of `<![x y]>`, and of character references with thousands of digits
        text = _TAG.sub(" ", whole) + rest
    return " ".join(text.split())
