"""The folder of the demo: what an earlier run left there is used again."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_backend.demo.subjects import Subject


@dataclass(frozen=True)
class Made:
    """A project that exists in Label Studio with all its tasks. tasks: their ids, in the order of `Subject.data`."""

    project: int
    tasks: tuple[int, ...]


class Workspace:
    """Paths below one folder, and which projects were made."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.account = self.root / "account.json"
        self.label_studio_data = self.root / "label-studio"
        self.lantern_home = self.root / "lantern"
        self.lantern_log = self.root / "lantern.log"
        self._state = self.root / "projects.json"

    def clear(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.root, ignore_errors=True)

    def made(self, subject: Subject) -> Made | None:
        """The project that an earlier run made of exactly this subject."""
        known = self._read().get(subject.key)
        if known is None or known["fingerprint"] != subject.fingerprint:
            return None
        return Made(int(known["project"]), tuple(known["tasks"]))

    def remember(self, subject: Subject, made: Made) -> None:
        """Keep it for the next run."""
        state = self._read()
        state[subject.key] = {"fingerprint": subject.fingerprint, "project": made.project, "tasks": list(made.tasks)}
        temporary = self._state.with_suffix(".tmp")
        temporary.write_text(json.dumps(state), "utf-8")
        temporary.rename(self._state)

    def _read(self) -> dict[str, Any]:
        if not self._state.exists():
            return {}
        state: dict[str, Any] = json.loads(self._state.read_text("utf-8"))
        return state
