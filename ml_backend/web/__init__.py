"""The HTTP door: see README.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ml_backend.web.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """The app when it is asked for: the supervisor and gunicorn's parent read modules of this package, and must hold
    neither torch nor faiss (300 MB each, and a start that takes seconds longer).
    """
    if name != "create_app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ml_backend.web.app import create_app

    return create_app
