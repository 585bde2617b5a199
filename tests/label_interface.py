"""Label Studio's own reading of a label config; the SDK's class has no types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from label_studio_sdk.label_interface.interface import LabelInterface


class ControlTag(Protocol):
    """What asks the annotator."""

    name: str
    tag: str
    labels: Iterable[str]


class Interface(Protocol):
    """The part of the SDK's interface that tests ask."""

    @property
    def controls(self) -> Iterable[ControlTag]: ...

    def validate(self) -> None: ...

    def get_control(self, name: str) -> ControlTag: ...

    def validate_prediction(self, prediction: Mapping[str, object], *, return_errors: bool) -> list[str]: ...


def label_interface(label_config: str) -> Interface:
    """How Label Studio reads the config. Raises what the SDK raises."""
    return LabelInterface(label_config)
