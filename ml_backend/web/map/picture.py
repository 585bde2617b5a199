"""GET picture.png: a sheet of the map, for Label Studio's <Image>. Its address is signed, and opens this picture only.

Label Studio loads pictures by script, so its pages must be allowed to read the answer; the signature is what guards it.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from threading import Lock

from flask import Blueprint, Response, request
from werkzeug.exceptions import Forbidden, NotFound

from ml_backend.engine.map_colours import colours_of
from ml_backend.engine.schema import schema_of
from ml_backend.engine.sheet_picture import draw_sheet
from ml_backend.errors import CheckpointError
from ml_backend.label_studio.sheet_link import SheetLink, link_of
from ml_backend.label_studio.sheets import load_sheet
from ml_backend.store import sheets
from ml_backend.store.tables import Project
from ml_backend.web.map.context import MapContext

KEPT = 8
"""Pictures that a process keeps ready: Label Studio asks for each of them several times."""

Key = tuple[object, ...]


class Pictures:
    """The pictures last asked for. Safe for threads."""

    def __init__(self, maps: MapContext) -> None:
        self._maps = maps
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._lock = Lock()

    def picture(self, project: Project, link: SheetLink, number: int) -> tuple[bytes, Key]:
        """PNG and what it depends on. Raises NotFound (404) for a sheet that is not there."""
        with self._maps.db.read() as session:
            sheet = sheets.find(session, project, number)
        control = next((c for c in schema_of(project).controls if c.name == link.control), None)
        if sheet is None or control is None:
            raise NotFound("this picture of the map is no longer there")
        view = self._maps.engine.view(project.uid)
        colours = colours_of(control.name, control.classes, project.settings, binary=False)
        state = None if view is None else (view.number, view.model_version, view.labels_version, repr(view.settings))
        key: Key = (project.uid, sheet.path, control.name, control.classes, tuple(colours), state)
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            try:
                items = load_sheet(self._maps.db, sheet)
            except CheckpointError as error:
                raise NotFound("this picture of the map is damaged") from error
            found = draw_sheet(view, control, colours, items.task_ids, items.xy)
        self._keep(key, found)
        return found, key

    def _keep(self, key: Key, picture: bytes) -> None:
        with self._lock:
            self._kept[key] = picture
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)


def picture_routes(maps: MapContext) -> Blueprint:
    """GET /map/<project>/picture.png?sheet=N&signature=S -> image/png."""
    routes = Blueprint("map_picture", __name__)
    pictures = Pictures(maps)

    @routes.get("/map/<project>/picture.png")
    def picture(project: str) -> Response:
        found, link, number = _signed(maps, project)
        body, key = pictures.picture(found, link, number)
        reply = Response(body, content_type="image/png")
        reply.set_etag(hashlib.sha256(repr(key).encode()).hexdigest()[:24])
        reply.headers["Cache-Control"] = "private, no-cache"
        reply.headers["Access-Control-Allow-Origin"] = "*"
        reply.make_conditional(request)
        return reply

    return routes


def _signed(maps: MapContext, key: str) -> tuple[Project, SheetLink, int]:
    """Raises Forbidden (403), for an unknown project too: strangers learn nothing."""
    number, signature = request.args.get("sheet", type=int), request.args.get("signature", "")
    try:
        project = maps.project(key)
    except NotFound:
        project = None
    link = link_of(project) if project is not None else None
    if project is None or link is None or number is None or not link.signed(number, signature):
        raise Forbidden("this address of a picture is wrong or was revoked")
    return project, link, number
