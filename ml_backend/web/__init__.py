"""The HTTP door: see README.md."""

from ml_backend.web.app import create_app

__all__ = ["create_app"]
