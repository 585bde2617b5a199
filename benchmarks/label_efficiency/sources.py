"""Which code a figure depends on: figures of other code are other figures."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from functools import cache
from pathlib import Path

FOLLOWED = ("ml_backend.core", "ml_backend.data.index", "ml_backend.engine", "benchmarks.label_efficiency")
"""Packages whose modules count; readers of files and the rest of the server leave the figures alone."""


@cache
def code_digest(*modules: str) -> str:
    """Of the sources of these modules and of everything in FOLLOWED that they import, directly or not."""
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found or not name.startswith(FOLLOWED) or (path := _path(name)) is None:
            continue
        found[name] = path
        waiting += _imported(path)
    return hashlib.sha256(b"".join(found[name].read_bytes() for name in sorted(found))).hexdigest()[:12]


def _imported(path: Path) -> list[str]:
    """Modules, and names that may be modules."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _path(name: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:  # the name of something inside a module
        return None
    return Path(spec.origin) if spec and spec.origin else None
