"""One map to compute: what the worker asks of the process that computes it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from ml_backend.errors import InputError


@dataclass(frozen=True)
class LayoutJob:
    """Paths are absolute. kind: of `layouts.Kind`. previous: the layout onto which the new one is laid, None = none.
    root, name: where the result goes. seed: of the computation.
    """

    kind: str
    model_path: str
    description_path: str
    previous: str | None
    root: str
    name: str
    seed: int

    def to_text(self) -> str:
        """One argument of a command."""
        return json.dumps(asdict(self))

    @staticmethod
    def of_text(text: str) -> LayoutJob:
        """What `to_text` gave. Raises InputError."""
        try:
            return LayoutJob(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise InputError(f"not a layout job: {error}") from error
