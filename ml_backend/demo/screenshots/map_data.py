"""The map's numbers, as its page gets them: which task a point is, where it lies, what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

DTYPES: dict[int, type[np.generic]] = {1: np.uint8, 2: np.uint16, 3: np.uint32, 4: np.float32}
HEADER_BYTES = 16
SECONDS = 60.0
LABELLED = 2
"""In the column `status`: a person's label."""
NAMELESS = (0, 3)
"""In the column `status`: nothing named, never seen."""

Json = dict[str, Any]


@dataclass(frozen=True)
class MapData:
    """base: the map's address. Reads what an unguarded Lantern on this machine gives without a key."""

    base: str

    def state(self) -> Json:
        """Raises httpx.HTTPError, as all of these do."""
        found: Json = self._get("state").json()
        return found

    def column(self, name: str) -> NDArray[Any]:
        """(n,) or (n, width)."""
        raw = self._get(f"columns/{name}").content
        values = np.frombuffer(raw, DTYPES[raw[5]], offset=HEADER_BYTES)
        return values.reshape(-1, raw[6]) if raw[6] > 1 else values

    def components(self) -> list[Json]:
        """Those in use, largest first."""
        found: list[Json] = self._get("components").json()["components"]
        return found

    def queue(self) -> list[Json]:
        """What to label next, first first."""
        found: list[Json] = self._get("queue").json()["items"]
        return found

    def _get(self, path: str) -> httpx.Response:
        session = httpx.post(f"{self.base}/api/session", json={}, timeout=SECONDS)
        session.raise_for_status()
        headers = {"Authorization": f"Bearer {session.json()['token']}"}
        reply = httpx.get(f"{self.base}/api/{path}", headers=headers, timeout=SECONDS)
        reply.raise_for_status()
        return reply
