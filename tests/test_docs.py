"""Every setting, route and command has its entry in docs/configuration.md, every module in docs/architecture.md, and no
entry is about what is gone.
"""

from __future__ import annotations

import re
from dataclasses import Field, fields
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from ml_backend.cli.command_line import COMMANDS
from ml_backend.config import Settings
from ml_backend.core.hyperparameters import PRIORS, LossWeights
from ml_backend.engine.settings import POOL_KEYS
from ml_backend.options import option_of
from ml_backend.web.app import create_app
from tests.web.conftest import RecordingService

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "configuration.md").read_text("utf-8")
LAYERS = ("core", "data", "store", "engine", "label_studio", "web")


def first_cells(heading: str) -> str:
    """The first cells of the tables below a `## heading`, joined."""
    section = re.split(r"^## ", TEXT.partition(f"## {heading}\n")[2], flags=re.MULTILINE)[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    return "\n".join(rows)


def entries(heading: str) -> set[str]:
    """What stands in backticks in those cells."""
    return set(re.findall(r"`([^`]+)`", first_cells(heading)))


def test_settings() -> None:
    assert entries("Settings") == {name for of in fields(Settings) for name in option_of(of).names}


@pytest.mark.parametrize("of", fields(Settings), ids=lambda of: of.name)
def test_defaults_are_told_as_they_are(of: Field[Any]) -> None:
    option = option_of(of)
    [row] = [line for line in TEXT.splitlines() if line.startswith(f"| `{option.names[0]}`")]
    told = row.split("|")[2].strip().strip("`")
    expected = option.parse(told) if told != "empty" else None
    assert of.default == expected


def test_routes(tmp_path: Path) -> None:
    app = create_app(Settings(home=tmp_path), RecordingService())
    assert entries("Routes") == {rule.rule for rule in app.url_map.iter_rules()}


def test_commands() -> None:
    assert entries("Commands") == {f"lantern {command.NAME}" for command in COMMANDS}


def test_extra_params_of_a_project() -> None:
    weights = {of.name for of in fields(LossWeights)}
    assert entries("Extra params of a project") == {*POOL_KEYS, "encoder", "field", "epochs", "weights"}
    [row] = [line for line in TEXT.splitlines() if line.startswith("| `weights`")]
    assert set(re.findall(r"`([^`]+)`", row)) == {"weights", *weights}
    [row] = [line for line in TEXT.splitlines() if line.startswith("| `prior`")]
    assert set(re.findall(r"`([^`]+)`", row)) == {"prior", *PRIORS}


@pytest.mark.parametrize("layer", LAYERS)
def test_modules_of_a_layer(layer: str) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    section = re.split(r"^##", text.partition(f"\n### {layer}\n")[2], flags=re.MULTILINE)[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    told = {name for cell in cells for names in re.findall(r"`([^`]+)`", cell) for name in names.split()}
    folder = ROOT / "ml_backend" / layer
    there = {path.name for path in folder.glob("*.py")} - {"__init__.py"}
    there |= {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}
    assert {name for name in there if not any(fnmatch(name, pattern) for pattern in told)} == set(), "not told"
    assert {pattern for pattern in told if not any(fnmatch(name, pattern) for name in there)} == set(), "gone"
