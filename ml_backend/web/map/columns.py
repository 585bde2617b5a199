"""GET columns/<name>: one array of all rows, with a validator, so that nothing is sent twice."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, request
from werkzeug.exceptions import Conflict

from ml_backend.engine.map_columns import COLUMNS, MapColumns, Marks
from ml_backend.errors import InputError
from ml_backend.web.map.column_bytes import PackedColumns
from ml_backend.web.map.context import API_PREFIX, MapContext

ZIP_FROM_BYTES = 1024


def column_routes(maps: MapContext) -> Blueprint:
    """The columns of docs/map-api.md."""
    routes = Blueprint("map_columns", __name__, url_prefix=API_PREFIX)
    packed = PackedColumns()

    @routes.get("/columns/<name>")
    @maps.reads
    def column(uid: str, name: str) -> Response:
        view = maps.engine.view(uid)
        if view is None:
            raise Conflict("there is no model yet: the first one is being made")
        if name not in COLUMNS:
            raise InputError(f"there is no column {name[:40]!r}: {', '.join(COLUMNS)}")
        columns = MapColumns(view, request.args.get("control"), Marks.none(len(view.snapshot.task_ids)))
        of = columns.labels.name if columns.labels else ""
        key = repr((uid, name, of, view.number, view.model_version, view.labels_version, view.schema.digest))
        etag = hashlib.sha256(key.encode()).hexdigest()[:24]
        reply = Response(content_type="application/octet-stream")
        reply.set_etag(etag)
        reply.headers["Cache-Control"] = "private, no-cache"
        reply.headers["Vary"] = "Accept-Encoding, Authorization"
        if request.if_none_match.contains(etag):
            reply.status_code = 304
            return reply
        found = packed.get(etag, lambda: columns.column(name))
        if request.accept_encodings.quality("gzip") > 0 and len(found.body) >= ZIP_FROM_BYTES:
            reply.headers["Content-Encoding"] = "gzip"
            reply.data = found.zipped
        else:
            reply.data = found.body
        return reply

    return routes
