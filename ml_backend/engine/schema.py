"""The label schema of a project row, parsed once per config."""

from __future__ import annotations

from functools import lru_cache

from ml_backend.data.label_config import LabelSchema, parse_label_config
from ml_backend.errors import LabelConfigError
from ml_backend.store.tables import Project

NOTHING = LabelSchema(controls=(), inputs=())


def schema_of(project: Project) -> LabelSchema:
    """What the project asks; nothing while it has no label config, or one that cannot be parsed (doctor says why)."""
    return _parsed(project.label_config) if project.label_config else NOTHING


@lru_cache(maxsize=64)
def _parsed(xml: str) -> LabelSchema:
    try:
        return parse_label_config(xml)
    except LabelConfigError:
        return NOTHING
