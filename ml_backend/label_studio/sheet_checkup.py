"""What the doctor sees of the pictures of the map that people draw on."""

from __future__ import annotations

from collections.abc import Iterator

from ml_backend.engine.picture import LARGE, SMALL
from ml_backend.engine.picture_fonts import font_for
from ml_backend.engine.schema import schema_of
from ml_backend.label_studio.findings import Finding, fine, warning
from ml_backend.label_studio.sheet_link import link_of
from ml_backend.label_studio.sheets import damaged, sheet_folder
from ml_backend.store import sheets
from ml_backend.store.database import Database
from ml_backend.store.tables import Project

SHOWN = 3


def check_sheets(row: Project) -> Iterator[Finding]:
    """All findings; none where nobody draws on the map."""
    link = link_of(row)
    if link is None or not link.active:
        return
    controls = {control.name: control for control in schema_of(row).controls}
    asked = controls.get(link.control)
    if asked is None:
        yield warning(
            f"what is drawn in project {link.project} answers nothing",
            f"the label config no longer asks {link.control!r}",
            "run `lantern connect --label-on-map` again",
        )
        return
    others = [name for name in controls if name != link.control]
    said = f"; {_listed(others)} can be answered on the live map only" if others else ""
    yield fine(f"what is drawn in project {link.project} answers {link.control!r}{said}")
    names = [name for name in asked.classes if font_for(name, SMALL) is None]
    names += [asked.name] if font_for(asked.name, LARGE) is None else []
    if names:
        yield warning(
            "the legend of the map's pictures has numbers instead of names",
            f"no font of this machine has the letters of {_listed(names)}",
            "install one that has, such as the packages fonts-dejavu-core or fonts-noto-cjk, where Lantern runs",
        )


def check_places(db: Database, row: Project) -> Iterator[Finding]:
    """A finding when pictures of which the places are lost were made for people to draw on."""
    link = link_of(row)
    if link is None or not link.active:
        return
    with db.read() as session:
        lost = damaged(db, sheets.list_all(session, row))
    if lost:
        numbers = ", ".join(str(sheet.number) for sheet in reversed(lost))
        yield warning(
            f"what is drawn from now on on picture {numbers} of project {link.project} gives no labels",
            "the files that say where its points lay are lost or damaged; labels that it gave before stay",
            f"bring the folder {sheet_folder(db, row)} back from a backup, or draw on the newest picture instead",
        )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(repr(name) for name in names[:SHOWN]) + more
