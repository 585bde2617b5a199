"""The newest picture of the map that Label Studio has for drawing on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_backend.demo.scenario import Scenario
from ml_backend.demo.waiting import wait_until
from ml_backend.engine.picture import to_percent
from ml_backend.label_studio.sheet_link import link_of
from ml_backend.label_studio.sheets import load_sheet
from ml_backend.store import projects, sheets
from ml_backend.store.database import Database

SECONDS = 300.0


@dataclass(frozen=True)
class Sheet:
    """project, task: where Label Studio has it. tasks: (n) of its points. places: (n, 2) percent of the picture."""

    project: int
    task: int
    tasks: list[int]
    places: NDArray[np.float64]


def newest_sheet(db: Database, scenario: Scenario) -> Sheet:
    """Waits until there is one. Raises DemoError."""
    found: list[Sheet] = []

    def missing() -> str | None:
        sheet = _newest(db, scenario)
        found.extend([sheet] if sheet is not None else [])
        return None if found else "no picture of the map yet"

    wait_until("a picture of the map to draw on", missing, SECONDS)
    return found[0]


def _newest(db: Database, scenario: Scenario) -> Sheet | None:
    with db.read() as session:
        project = projects.by_label_studio_id(session, scenario.made.project)
        link = None if project is None else link_of(project)
        sheet = None if project is None else sheets.newest(session, project)
    if link is None or sheet is None or not sheet.task_id:
        return None
    items = load_sheet(db, sheet)
    return Sheet(link.project, sheet.task_id, items.task_ids.tolist(), to_percent(items.xy))
