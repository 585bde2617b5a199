"""Logging set-up for every process, with secrets masked in the finished line, tracebacks included.

Threat: a token reaches a log through an exception's message, a library's DEBUG line or our own mistake. So the mask
works on the formatted text, for the configured secrets and for those that the present request brought (`hide`).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from contextvars import ContextVar

from ml_backend.options import MASK

LINE = "%(asctime)s %(levelname)s [%(process)d] %(name)s: %(message)s"
SHORTEST_MASKED = 4
"""Shorter texts are not masked: they would blank ordinary words."""

_configured: tuple[str, ...] = ()
_of_this_request: ContextVar[tuple[str, ...]] = ContextVar("secrets_of_this_request", default=())


class MaskingFormatter(logging.Formatter):
    """Formats as usual, then masks every known secret."""

    def format(self, record: logging.LogRecord) -> str:
        """The finished line or lines."""
        return mask(super().format(record))


def configure_logging(level: str, secrets: Iterable[str] = ()) -> None:
    """Lantern's own loggers at `level`, everybody else's at WARNING (SQLAlchemy's DEBUG lines show row contents)."""
    global _configured
    _configured = tuple(secret for secret in secrets if len(secret) >= SHORTEST_MASKED)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(MaskingFormatter(LINE))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("ml_backend", "gunicorn"):
        logging.getLogger(name).setLevel(level)


def hide(secrets: Iterable[object]) -> None:
    """Mask these values for the rest of this request (context); anything that is not a text is ignored."""
    texts = (secret for secret in secrets if isinstance(secret, str) and len(secret) >= SHORTEST_MASKED)
    _of_this_request.set((*_of_this_request.get(), *texts))


def forget_hidden() -> None:
    """At the start of a request: threads are reused, so the last one's secrets are still in the context."""
    _of_this_request.set(())


def mask(text: str) -> str:
    """The text with every known secret replaced."""
    for secret in (*_configured, *_of_this_request.get()):
        text = text.replace(secret, MASK)
    return text
