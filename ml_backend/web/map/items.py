"""Single items: cards, thumbnails, what is like them, and which row a task has."""

from __future__ import annotations

import hashlib

import numpy as np
from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import Conflict, NotFound, ServiceUnavailable

from ml_backend.engine.map_items import MapItems
from ml_backend.engine.map_pictures import MapPictures
from ml_backend.engine.map_reading import Moment
from ml_backend.engine.snapshot import NO_TASK
from ml_backend.engine.warm_neighbours import WarmNeighbours
from ml_backend.errors import InputError
from ml_backend.web.map.arguments import rows_of, whole
from ml_backend.web.map.context import API_PREFIX, MapContext

MOST_SIMILAR = 1000
THUMBNAIL_SECONDS = 3600


def item_routes(maps: MapContext) -> Blueprint:
    """POST items, GET items/<row>, its thumbnail and what is similar, GET tasks/<id>."""
    routes = Blueprint("map_items", __name__, url_prefix=API_PREFIX)
    pictures, neighbours = MapPictures(maps.engine), WarmNeighbours(maps.engine)

    def items_of(moment: Moment, control: str | None) -> MapItems:
        return MapItems(maps.db, moment.uid, moment.view, maps.reading.columns(moment, control))

    @routes.post("/items")
    @maps.reads
    def items(uid: str) -> Response:
        rows, control = rows_of(request)
        return jsonify({"items": items_of(maps.moment(uid), control).cards(rows)})

    @routes.get("/items/<int:row>")
    @maps.reads
    def item(uid: str, row: int) -> Response:
        moment = maps.moment(uid)
        card = items_of(moment, request.args.get("control")).card(row)
        neighbours.want(uid, moment.published.number)  # the next question about it may be what is like it
        return jsonify(card)

    @routes.get("/items/<int:row>/thumbnail")
    @maps.reads
    def thumbnail(uid: str, row: int) -> Response:
        found = pictures.thumbnail(uid, maps.moment(uid).published, row)
        if found is None:
            raise ServiceUnavailable("the picture is being fetched: ask again", retry_after=1)
        reply = Response(found, content_type="image/png")
        reply.set_etag(hashlib.sha256(found).hexdigest()[:24])
        reply.headers["Cache-Control"] = f"private, max-age={THUMBNAIL_SECONDS}"
        reply.headers["Vary"] = "Authorization"
        reply.make_conditional(request)
        return reply

    @routes.get("/items/<int:row>/similar")
    @maps.reads
    def similar(uid: str, row: int) -> Response:
        k = whole(request, "k", 50, 1, MOST_SIMILAR)
        view = maps.moment(uid).published
        ids = view.snapshot.task_ids
        if row >= len(ids):
            raise InputError("there is no such row: the map has moved on, read the state again")
        with maps.engine.working(uid, view.number) as working:
            if working is None or len(working.pool) != len(ids):
                raise Conflict("the map has just moved on: read the state again")
            near, cosine = working.pool.similar(row, k)
        kept = ids[near] != NO_TASK
        return jsonify({"rows": near[kept].tolist(), "similarities": np.round(cosine[kept], 4).astype(float).tolist()})

    @routes.get("/tasks/<int:number>")
    @maps.reads
    def task(uid: str, number: int) -> Response:
        found = np.flatnonzero(maps.moment(uid).published.snapshot.task_ids == min(number, 2**62))
        if not len(found):
            raise NotFound("this task is not on the map: it is new, or cannot be read")
        return jsonify({"row": int(found[0])})

    return routes
