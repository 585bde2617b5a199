"""GET columns/<name>: one array of all rows, with a validator, so that nothing is sent twice."""

from __future__ import annotations

from flask import Blueprint, Response, request

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
        moment = maps.moment(uid)
        etag, make = maps.reading.column(moment, name, request.args.get("control"))
        reply = Response(content_type="application/octet-stream")
        reply.set_etag(etag)
        reply.headers["Cache-Control"] = "private, no-cache"
        # Not by Authorization: no-cache asks again each time, and a page has another token each time.
        reply.headers["Vary"] = "Accept-Encoding"
        if name == "xy":
            reply.headers["X-Layout-Version"] = maps.reading.layout_version(moment)
        if request.if_none_match.contains(etag):
            reply.status_code = 304
            return reply
        found = packed.get(etag, make)
        if request.accept_encodings.quality("gzip") > 0 and len(found.body) >= ZIP_FROM_BYTES:
            reply.headers["Content-Encoding"] = "gzip"
            reply.data = found.zipped
        else:
            reply.data = found.body
        return reply

    return routes
