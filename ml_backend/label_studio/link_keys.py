"""Link keys: what a label config carries so that the map beside a task opens without a log-in, for viewing only.

The project's row holds a hash: who reads the database cannot open a map with it. A new key, or none, revokes the old
one and every session that it opened.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from sqlalchemy.orm import Session

from ml_backend.store import projects
from ml_backend.store.tables import Project

CONNECTION_KEY = "map_link_key_sha256"
"""In the project's `connection`."""
_MARK_CHARACTERS = 16
_KEY_BYTES = 24


def new_key(session: Session, project: Project) -> str:
    """A new random key of the project, 32 characters that need no escape in an address; the one before is revoked.

    Only its hash is kept, so this is the one time that it can be read.
    """
    key = secrets.token_urlsafe(_KEY_BYTES)
    row = projects.current(session, project)
    projects.configure(session, row, connection={**row.connection, CONNECTION_KEY: digest(key)})
    return key


def revoke(session: Session, project: Project) -> bool:
    """End the project's key and all sessions that it opened; False when it had none."""
    row = projects.current(session, project)
    if CONNECTION_KEY not in row.connection:
        return False
    kept = {name: value for name, value in row.connection.items() if name != CONNECTION_KEY}
    projects.configure(session, row, connection=kept)
    return True


def matches(project: Project, key: str) -> bool:
    """Whether this is the project's link key; False when it has none."""
    kept = project.connection.get(CONNECTION_KEY)
    return isinstance(kept, str) and hmac.compare_digest(kept, digest(key))


def mark(project: Project) -> str:
    """Names the present key without telling it; "" when there is none. Another key has another mark."""
    kept = project.connection.get(CONNECTION_KEY)
    return kept[:_MARK_CHARACTERS] if isinstance(kept, str) else ""


def digest(key: str) -> str:
    """What the row holds of a key: a key is random, so a plain hash cannot be turned back by trying."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
