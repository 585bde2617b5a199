"""Lists of rows: search, the items most likely of a class, and the queue."""

from __future__ import annotations

from typing import cast

import numpy as np
from flask import Blueprint, Response, jsonify, request

from ml_backend.engine.map_rank import queue, ranked
from ml_backend.engine.map_search import Mode, Search
from ml_backend.errors import InputError
from ml_backend.web.map.arguments import whole
from ml_backend.web.map.context import API_PREFIX, MapContext

MOST_HITS = 1_000_000
MOST_RANKED = 10_000
MODES = ("text", "regex")


def search_routes(maps: MapContext) -> Blueprint:
    """GET search, ranked and queue."""
    routes = Blueprint("map_search", __name__, url_prefix=API_PREFIX)
    texts = Search(maps.db)

    @routes.get("/search")
    @maps.reads
    def search(uid: str) -> Response:
        mode, limit = request.args.get("mode", "text"), whole(request, "limit", 20_000, 1, MOST_HITS)
        if mode not in MODES:
            raise InputError(f"mode must be one of {', '.join(MODES)}")
        ids = maps.moment(uid).published.snapshot.task_ids
        rows = texts.rows(uid, ids, request.args.get("q", ""), cast(Mode, mode))
        return jsonify({"rows": rows[:limit].tolist(), "total": len(rows), "cut": len(rows) > limit})

    @routes.get("/ranked")
    @maps.reads
    def by_class(uid: str) -> Response:
        moment, control, name = maps.moment(uid), request.args.get("control"), request.args.get("class")
        if name is None:
            raise InputError("name the class by `class`")
        limit = whole(request, "limit", 200, 1, MOST_RANKED)
        unlabelled = whole(request, "unlabelled", 0, 0, 1) == 1
        p = maps.reading.class_probability(moment, control, name)
        rows = ranked(maps.reading.columns(moment, control), p, limit, unlabelled=unlabelled)
        return jsonify({"rows": rows.tolist(), "p": np.round(p[rows], 4).astype(float).tolist()})

    @routes.get("/queue")
    @maps.reads
    def suggestions(uid: str) -> Response:
        limit = whole(request, "limit", 50, 1, MOST_RANKED)
        return jsonify({"items": queue(maps.moment(uid).published, limit)})

    return routes
