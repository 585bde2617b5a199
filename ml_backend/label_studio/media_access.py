"""How the engine fetches a task's media: with the project's own Label Studio, whose token goes there and nowhere
else."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ml_backend.config import Settings
from ml_backend.data.media import Fetcher, MediaFetcher
from ml_backend.errors import LabelStudioAuthError
from ml_backend.label_studio.connections import Connections
from ml_backend.store.tables import Project

log = logging.getLogger(__name__)


def fetcher_factory(settings: Settings, connections: Connections | None = None) -> Callable[[Project], Fetcher]:
    """A fetcher for each project; without a token it fetches what needs none."""
    known = connections or Connections(settings)

    def fetcher_for(project: Project) -> Fetcher:
        address = known.address(project)
        return MediaFetcher(
            address.url if address else None,
            _authorisation(known, address.url, address.token) if address else None,
            allow_private=settings.allow_private_media,
            local_root=settings.local_files,
        )

    return fetcher_for


def _authorisation(connections: Connections, url: str, token: str | None) -> Callable[[], dict[str, str]] | None:
    """Asked for at each download, so a bearer that lasts five minutes stays fresh."""
    if token is None:
        return None

    def authorise() -> dict[str, str]:
        try:
            return connections.api_at(url, token).client.authorise()
        except LabelStudioAuthError as error:
            log.warning("media of %s are fetched without a token: %s", url, error)
            return {}

    return authorise
