"""Gunicorn's log lines through Lantern's handler, which masks secrets, instead of a handler of its own."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger


class QuietLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Adds no handler: lines go up to the root logger."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn at start."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
