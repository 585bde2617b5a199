"""A person labels on the map: suggestion by suggestion, and whole clumps with the lasso. The truth answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Never

import numpy as np
from tqdm import tqdm

from ml_backend.demo.scenario import Scenario
from ml_backend.demo.screenshots.clump import outline, purest_clump
from ml_backend.demo.screenshots.map_data import LABELLED, NAMELESS, MapData
from ml_backend.demo.screenshots.map_page import MapPage

ROUND = 20
"""Labels given in a row; then Lantern trains, and the queue has a new order."""
CLUMP = 24
"""Points of one lasso."""
MARGIN_PIXELS = 9
CORNERS = 16
MANY = 10
"""Clumps' worth of points."""


@dataclass(frozen=True)
class Labeller:
    """Who sits before the page."""

    page: MapPage
    data: MapData
    scenario: Scenario

    def give(self, labels: int) -> None:
        """Answer suggestions in rounds until so many tasks are labelled, earlier runs' included."""
        given = self.scenario.count_labels()
        with tqdm(total=max(0, labels - given), desc="  labelling on the map", unit="label", disable=None) as bar:
            while given < labels:
                now = min(ROUND, labels - given)
                self._walk(now, bar)
                self.page.wait_until_saved()
                self.scenario.wait_until_spread()
                given += now

    def lasso_a_clump(self) -> str:
        """Draw around points of one kind that lie together, of which Lantern names none, or few; the kind."""
        labels = self._open_labels()
        rows = purest_clump(self.data.column("xy"), labels, CLUMP)
        places = np.array([self.page.ask("screenPosition", int(row)) for row in rows])
        self.page.lasso(outline(places, MARGIN_PIXELS, CORNERS))
        return str(labels[int(rows[0])])

    def drop_all_but(self, kind: str) -> None:
        """Leave only what is of this kind in the selection."""
        ids = self.data.column("ids")
        kept = [row for row in self.page.ask("selection") if self.scenario.answer(int(ids[row])) == kind]
        self.page.ask("select", kept)

    def _open_labels(self) -> list[str | None]:
        """(n) the truth of each row of the map for which nothing is named; where these are too few, of each that nobody
        has labelled. None of the others.
        """
        status = self.data.column("status")
        nameless, unlabelled = np.isin(status, NAMELESS), status != LABELLED
        wanted = nameless if nameless.sum() > MANY * CLUMP else unlabelled
        rows = zip(self.data.column("ids").tolist(), wanted.tolist(), strict=True)
        return [self.scenario.answer(task) if is_wanted else None for task, is_wanted in rows]

    def _walk(self, labels: int, bar: tqdm[Never]) -> None:
        self.page.panel("Queue")
        for _ in range(labels):
            self._answer(self.page.next_suggestion())
            bar.update()

    def _answer(self, task: int) -> None:
        """The person's answer, and on to the next suggestion."""
        known = self.scenario.answer(task)
        if known is None:
            self.page.never_seen()
        else:
            self.page.give(known)
        self.page.wait_for_another_than(task)
