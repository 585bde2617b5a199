"""Imports go down only, and core is pure: docs/architecture.md says why."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ml_backend"
RANKS = {
    "errors": 0,
    "core": 1,
    "options": 1,
    "config": 2,
    "logs": 2,
    "data": 3,
    "store": 4,
    "engine": 5,
    "label_studio": 6,
    "web": 7,
    "processes": 2,
    "worker": 8,
    "wsgi": 8,
    "serve": 8,
    "demo": 9,
    "cli": 9,
}
"""A layer imports itself and layers of a lower rank."""

IMPURE = {
    "asyncio", "datetime", "glob", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random", "requests",
    "shutil", "signal", "socket", "sqlalchemy", "sqlite3", "subprocess", "sys", "tempfile", "threading", "time",
    "urllib", "flask", "httpx", "label_studio_sdk",
}  # fmt: skip
"""What core must not know: files, clock, network, environment, logs, other processes, unseeded chance."""
IMPURE_CALLS = {"open", "print", "input"}
NO_WEB = {"core", "data", "store", "engine", "label_studio"}

FILES = sorted(PACKAGE.rglob("*.py"))


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """Full dotted names of everything imported anywhere in the file, functions and TYPE_CHECKING included."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            names |= {f"{module}.{alias.name}" for alias in node.names} if module == "ml_backend" else {module}
    return names


def own_layers(names: set[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("ml_backend.")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    layer = layer_of(path)
    if layer == "__init__":
        return
    upward = {other for other in own_layers(imports_of(path)) if other != layer and RANKS[other] >= RANKS[layer]}
    assert upward == set()


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").rglob("*.py")), ids=lambda path: path.name)
def test_core_is_pure(path: Path) -> None:
    names = imports_of(path)
    assert own_layers(names) <= {"core", "errors"}
    assert {name.split(".")[0] for name in names} & IMPURE == set()
    called = {node.func.id for node in ast.walk(ast.parse(path.read_text("utf-8")))
              if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}  # fmt: skip
    assert called & IMPURE_CALLS == set()


def test_only_the_web_layer_knows_flask() -> None:
    offenders = [
        str(path) for path in FILES if layer_of(path) in NO_WEB
        and {"flask", "werkzeug", "gunicorn"} & {name.split(".")[0] for name in imports_of(path)}
    ]  # fmt: skip
    assert offenders == []


def test_nothing_unpickles() -> None:
    """A model file from elsewhere must not be able to run code."""
    offenders = []
    for path in FILES:
        tree = ast.parse(path.read_text("utf-8"))
        loads = [
            node for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr == "load"
            and isinstance(node.value, ast.Name) and node.value.id == "torch"
        ]  # fmt: skip
        allowing = [
            node for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle"
            and not (isinstance(node.value, ast.Constant) and node.value.value is False)
        ]  # fmt: skip
        unsafe = {name.split(".")[0] for name in imports_of(path)} & {
            "pickle",
            "joblib",
            "dill",
            "cloudpickle",
            "shelve",
        }
        if loads or allowing or unsafe:
            offenders.append(str(path))
    assert offenders == []


def test_every_layer_has_a_rank() -> None:
    assert {layer_of(path) for path in FILES} - {"__init__"} <= set(RANKS)
