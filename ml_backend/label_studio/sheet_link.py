"""Which Label Studio project holds a project's sheets, and the addresses of their pictures.

A picture's address holds a signature of just this picture: who has it sees the picture, and nothing else of the
project. It stands in the data of tasks, where exports and webhooks carry it. A new secret, or none, ends all addresses.
A link without a secret is switched off: it only remembers the project, so that switching on again finds it.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from ml_backend.store import projects
from ml_backend.store.tables import Project

CONNECTION_KEY = "sheets"
_SIGNATURE_CHARACTERS = 32


@dataclass(frozen=True)
class SheetLink:
    """What the project's row keeps. project, uid: of the Label Studio project with the sheets. control: which question
    is answered by drawing. webhook: its id, 0 while there is none.
    """

    project: int
    uid: str
    control: str
    secret: str = field(repr=False)
    webhook: int = 0

    @property
    def active(self) -> bool:
        """Whether what is drawn there counts."""
        return bool(self.secret)

    def switched_off(self) -> SheetLink:
        """The same without a secret and a webhook."""
        return replace(self, secret="", webhook=0)

    def signature(self, number: int) -> str:
        """Of the sheet with this number."""
        made = hmac.new(self.secret.encode(), f"{self.uid}/{number}".encode(), hashlib.sha256)
        return made.hexdigest()[:_SIGNATURE_CHARACTERS]

    def signed(self, number: int, signature: str) -> bool:
        """Whether the signature is of this sheet."""
        return self.active and hmac.compare_digest(self.signature(number).encode(), signature.encode())

    def picture_url(self, base: str, project: Project, number: int) -> str:
        """base: Lantern as browsers reach it."""
        return f"{base}/map/{project.uid}/picture.png?sheet={number}&signature={self.signature(number)}"


def link_of(project: Project) -> SheetLink | None:
    """None when there never were sheets of this project, or they are gone from Label Studio."""
    kept = project.connection.get(CONNECTION_KEY)
    return SheetLink(**kept) if isinstance(kept, dict) else None


def keep_link(session: Session, project: Project, link: SheetLink | None) -> None:
    """Write it into the project's row; None takes it away."""
    row = projects.current(session, project)
    connection: dict[str, Any] = {k: v for k, v in row.connection.items() if k != CONNECTION_KEY}
    if link is not None:
        connection[CONNECTION_KEY] = asdict(link)
    projects.configure(session, row, connection=connection)


def owner_of(session: Session, uid: str | None) -> Project | None:
    """The project whose sheets lie in the Label Studio project `uid`; None when nobody follows them."""
    if uid is None:
        return None
    for project in projects.list_all(session):
        link = link_of(project)
        if link is not None and link.active and link.uid == uid:
            return project
    return None
