"""Which Label Studio a project lives in, and a client for it.

`lantern connect` writes address and token into the project's row, and `--backend-url` where it was given; the
environment (LABEL_STUDIO_URL, LABEL_STUDIO_API_KEY) serves every project that has none of its own. The hostname that
/setup sends is never called: inside a container it is wrong, and anybody who can reach /setup could send another.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ml_backend.config import Settings
from ml_backend.label_studio.waits import Waits
from ml_backend.label_studio.wanted import same_address
from ml_backend.store.tables import Project

if TYPE_CHECKING:
    from ml_backend.label_studio.api import LabelStudioApi


BACKEND_URL = "backend_url"
"""In a project's connection: how its Label Studio reaches Lantern, where `connect --backend-url` said so."""


def as_connected(settings: Settings, project: Project | None) -> Settings:
    """The settings with `public_url` as `connect` was told for this project."""
    told = project.connection.get(BACKEND_URL) if project is not None else None
    return replace(settings, public_url=str(told)) if told else settings


@dataclass(frozen=True)
class Address:
    """Where a Label Studio is and how to enter it."""

    url: str
    token: str | None = field(repr=False)


class Connections:
    """Clients by address, made once. Safe for threads, but for `outages`: addresses where nothing answers, which the
    worker keeps there for its duties.
    """

    def __init__(self, settings: Settings) -> None:
        self.outages = Waits()
        self._settings = settings
        self._apis: dict[tuple[str, str], LabelStudioApi] = {}
        self._lock = threading.Lock()

    def address(self, project: Project) -> Address | None:
        """None when nobody said where Label Studio is."""
        own = project.connection
        url = own.get("url") or self._settings.label_studio_url
        if not url:
            return None
        is_configured = url == self._settings.label_studio_url
        token = own.get("token") or (self._settings.label_studio_api_key if is_configured else None)
        return Address(str(url), str(token) if token else None)

    def asked_for(self, project: Project | None, url: str | None, token: str | None) -> tuple[str | None, str | None]:
        """Label Studio's address and token as a command was given them; what it was not given is the project's own,
        else the environment's. A kept token goes to no other Label Studio than its own.
        """
        kept = self.address(project) if project is not None else None
        url = url or (kept.url if kept is not None else self._settings.label_studio_url)
        if token is None and kept is not None and same_address(url, kept.url):
            return url, kept.token
        return url, token or self._settings.label_studio_api_key

    def usable(self, project: Project) -> bool:
        """Whether Lantern may act in this project's Label Studio: it has a token and was not disconnected."""
        address = self.address(project)
        return address is not None and address.token is not None and project.connection.get("connected") is not False

    def api(self, project: Project) -> LabelStudioApi | None:
        """Calls to the project's Label Studio; None without address or token. Raises LabelStudioAuthError for a token
        that cannot be one.
        """
        address = self.address(project)
        return self.api_at(address.url, address.token) if address and address.token else None

    def api_at(self, url: str, token: str) -> LabelStudioApi:
        """Calls to that Label Studio."""
        # here, so that a web process which only answers requests does not load the SDK (1.5 s)
        from ml_backend.label_studio.api import LabelStudioApi
        from ml_backend.label_studio.client import LabelStudioClient

        with self._lock:
            found = self._apis.get((url, token))
            if found is None:
                found = self._apis[url, token] = LabelStudioApi(LabelStudioClient(url, token))
            return found
