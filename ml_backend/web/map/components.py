"""The components of the mixture: listed, one by one, and as pictures."""

from __future__ import annotations

import hashlib
from dataclasses import asdict

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import NotFound

from ml_backend.engine.component_pictures import PICTURE_KINDS, ComponentPictures
from ml_backend.engine.component_views import ComponentViews
from ml_backend.web.map.arguments import whole
from ml_backend.web.map.context import API_PREFIX, MapContext

MOST_AXES = 128


def component_routes(maps: MapContext) -> Blueprint:
    """GET components, components/<c>, and the pictures of one."""
    routes = Blueprint("map_components", __name__, url_prefix=API_PREFIX)
    pictures = ComponentPictures(maps.engine)

    def views_of(uid: str) -> ComponentViews:
        return ComponentViews(maps.reading.columns(maps.moment(uid), request.args.get("control")))

    @routes.get("/components")
    @maps.reads
    def components(uid: str) -> Response:
        return jsonify({"components": views_of(uid).listed()})

    @routes.get("/components/<int:c>")
    @maps.reads
    def component(uid: str, c: int) -> Response:
        views, model = views_of(uid), pictures.model(uid, maps.moment(uid).published)
        return jsonify(
            {
                **views.details(c),
                "terms": [asdict(term) for term in views.terms(maps.db, uid, c)],
                "pictures": model is not None,
                "latent_dim": model.latent_dim if model else None,
                "pseudo_inputs": model is not None and model.pseudo_inputs,
            }
        )

    @routes.get("/components/<int:c>/<any('prototype', 'sigma', 'walk', 'pseudo'):kind>.png")
    @maps.reads
    def picture(uid: str, c: int, kind: str) -> Response:
        axis = whole(request, "axis", 0, 0, MOST_AXES - 1)
        chosen = next(known for known in PICTURE_KINDS if known == kind)
        found = pictures.png(uid, maps.moment(uid).published, c, chosen, axis)
        if found is None:
            raise NotFound("there is no such picture of this component")
        reply = Response(found, content_type="image/png")
        reply.set_etag(hashlib.sha256(found).hexdigest()[:24])
        reply.headers["Cache-Control"] = "private, no-cache"
        reply.headers["Vary"] = "Authorization"
        reply.make_conditional(request)
        return reply

    return routes
