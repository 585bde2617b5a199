"""The pictures of the map's page, in the order in which somebody works: label, look at a clump, train, look closer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ml_backend.demo.scenario import Scenario
from ml_backend.demo.screenshots.labelling import Labeller
from ml_backend.demo.screenshots.map_data import MapData
from ml_backend.demo.screenshots.map_page import MapPage
from ml_backend.demo.screenshots.picture import keep
from ml_backend.demo.screenshots.studio import Studio

WIDTH, HEIGHT = 1440, 900
SHARP = 2.0
"""Device pixels a CSS pixel, as good screens have."""
LABELS = 60
"""Unless asked for otherwise."""
WEIGHTS = {"Classification": 2.0, "Contrastive": 1.0}
"""Other than usual, for the curves: as somebody moves the sliders."""


class MapPictures:
    """address: the map's. Whoever labels signs in with the account's own token."""

    def __init__(self, studio: Studio, scenario: Scenario, address: str) -> None:
        self.studio, self.scenario, self.address = studio, scenario, address
        self.data = MapData(address)

    def take(self, labels: int) -> None:
        """Label so many on the map, and take all pictures on the way."""
        with self._page() as page:
            labeller = Labeller(page, self.data, self.scenario)
            labeller.give(labels)
            self._selection(labeller)
            self._training(page)
            self._queue(page)
            self._components(page)
        self._whole("map.png", dark=False)
        self._whole("map-dark.png", dark=True)
        self._outside()

    def _selection(self, labeller: Labeller) -> None:
        """map-selection.png: a clump in the lasso, before it gets its label."""
        page = labeller.page
        page.panel("Selection")
        page.fit()
        label = labeller.lasso_a_clump()
        page.rest()
        keep(page.page, "map-selection.png")
        labeller.drop_all_but(label)
        page.give(label)
        page.wait_until_saved()
        page.press("Escape")
        self.scenario.wait_until_spread()

    def _training(self, page: MapPage) -> None:
        """map-training.png: the curves after a training with other weights."""
        page.panel("Training")
        for term, weight in WEIGHTS.items():
            page.set_weight(term, weight)
        page.train(5)
        self.scenario.wait_until_spread()
        page.top_of_panel()
        page.rest()
        keep(page.page, "map-training.png")

    def _queue(self, page: MapPage) -> None:
        """map-queue.png: a suggestion with its reason."""
        page.panel("Queue")
        page.next_suggestion()
        page.rest()
        keep(page.page, "map-queue.png")

    def _components(self, page: MapPage) -> None:
        """map-component.png: the largest labelled group of the class whose name comes last. In the largest of all there
        is little to see, as in ones.
        """
        page.fit()
        page.panel("Components")
        labelled = [one for one in self.data.components() if one["labelled"]]
        page.component(max(labelled, key=lambda one: (one["label"] or "", one["items"]))["c"])
        page.rest()
        keep(page.page, "map-component.png")

    def _whole(self, name: str, *, dark: bool) -> None:
        """The map after all that, as a good screen shows it."""
        with self._page(scale=SHARP, dark=dark) as page:
            page.panel("Queue")
            page.next_suggestion()
            page.fit()
            page.rest()
            keep(page.page, name)

    def _outside(self) -> None:
        """map-novelty.png: what the model has never seen."""
        with self._page("?colour=novelty") as page:
            keep(page.page, "map-novelty.png")

    @contextmanager
    def _page(self, query: str = "", *, scale: float = 1.0, dark: bool = False) -> Iterator[MapPage]:
        with self.studio.page(WIDTH, HEIGHT, scale=scale, dark=dark) as empty:
            page = MapPage(empty)
            page.open(self.address + query)
            page.sign_in(self.studio.account.token)
            yield page
