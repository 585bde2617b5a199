"""Whether the Lantern that answers at an address works with this data folder.

The commands write to a data folder, and a running Lantern reads its own. Where these are two, what a command wrote is
never seen: the map's key is refused, and a disconnected project goes on.
"""

from __future__ import annotations

from pathlib import Path

import httpx

from ml_backend.config import Settings

SECONDS = 3.0


def is_other_home(settings: Settings, target: str, uid: str) -> bool:
    """Whether the Lantern at target does not know a project as connected that is so in this data folder.

    target: base address. False also where nobody answers there, or nothing that can be read.
    """
    user, password = settings.basic_auth_user, settings.basic_auth_pass
    auth = (user, password) if user is not None and password is not None else None
    try:
        reply = httpx.get(f"{target}/status", auth=auth, timeout=SECONDS)
        known = reply.json()["projects"] if reply.is_success else None
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return False
    if not isinstance(known, list):
        return False
    return not any(isinstance(one, dict) and one.get("project") == uid and one.get("connected") for one in known)


def in_words(target: str, home: Path) -> str:
    """What is the matter."""
    return f"the Lantern at {target} keeps its data in another folder than {home}, so it sees nothing of this"


def mend(target: str) -> str:
    """What to do."""
    folder = f"name the data folder of the Lantern at {target} with --home or LANTERN_HOME"
    return f"{folder}, or the right Lantern with --backend-url or LANTERN_PUBLIC_URL"
