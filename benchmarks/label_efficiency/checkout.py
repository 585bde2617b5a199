"""Which code this is."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def checkout(root: Path = ROOT) -> dict[str, str | bool]:
    """commit: its hash, shortened. clean: whether the files are those of the commit. Empty without git or history."""
    try:
        commit, changes = _git(root, "rev-parse", "--short=7", "HEAD"), _git(root, "status", "--porcelain")
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"commit": commit.strip(), "clean": not changes.strip()}


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout
