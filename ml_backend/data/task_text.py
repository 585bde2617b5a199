"""What a person would read of a task: its text, and what kind of thing it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from ml_backend.data.label_config import LabelSchema
from ml_backend.data.records import read_field
from ml_backend.data.source import clean_text, relevant_inputs

ItemKind = Literal["text", "image", "vector"]

KEY_FIELD = "lantern_key"
"""The task field that lets the map beside a task ring this task's point: a name for machines, nothing to read."""

_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|data:|/[\w.-]+/)\S*", re.IGNORECASE)
"""What is no text although it is a string: an address, or a path of Label Studio."""
_BLANKS = re.compile(r"\s+")


def text_of(schema: LabelSchema, data: Mapping[str, object]) -> str:
    """What the label config shows as text, else whatever text the task holds; "" where there is none. One line."""
    shown = [i for i in relevant_inputs(schema) if i.kind in ("text", "html") and not i.by_url]
    texts = [clean_text(value, is_html=i.kind == "html") for i in shown if (value := _text(read_field(data, i.field)))]
    return one_line(texts if texts else _all_texts(data))


def kind_of(schema: LabelSchema, data: Mapping[str, object]) -> ItemKind:
    """An image where the label config shows one and the task has its address; a vector where nothing can be read."""
    if image_address(schema, data) is not None:
        return "image"
    return "text" if text_of(schema, data) else "vector"


def image_address(schema: LabelSchema, data: Mapping[str, object]) -> str | None:
    """Address of the first picture that the label config shows of the task."""
    for task_input in schema.inputs:
        if task_input.kind == "image":
            value = read_field(data, task_input.field)
            if isinstance(value, str) and value.strip():
                return value.strip()
    return None


def one_line(texts: Iterable[str]) -> str:
    """Joined, every run of blanks and line breaks a single blank."""
    return _BLANKS.sub(" ", " ".join(texts)).strip()


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value)
    return "" if _ADDRESS.fullmatch(text.strip()) else text


def _all_texts(data: Mapping[str, object]) -> list[str]:
    values = [value for field, value in data.items() if field != KEY_FIELD and isinstance(value, str)]
    return [text for value in values if (text := _text(value))]
