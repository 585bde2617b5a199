"""The app factory: order of the checks, security headers, metrics and access log."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response, g, request

from ml_backend.config import Settings
from ml_backend.logs import forget_hidden
from ml_backend.web.attempts import Attempts
from ml_backend.web.auth import Gate
from ml_backend.web.browsers import BrowserRules
from ml_backend.web.failures import register_failures, route_label
from ml_backend.web.map import MapContext, map_routes
from ml_backend.web.metrics import Metrics
from ml_backend.web.protocol import Service, protocol_routes
from ml_backend.web.replies import StrictJson
from ml_backend.web.run_environment import STILL_SERVING, STOPPING_FILE

log = logging.getLogger(__name__)

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create_app(
    settings: Settings, service: Service, *, maps: MapContext | None = None, attempts: Attempts | None = None
) -> Flask:
    """The WSGI app on one service. maps: what the map works on, None = no map; `attempts` lets a test bring its own
    clock.
    """
    app = Flask(__name__, static_folder=None)
    app.json = StrictJson(app)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    metrics = Metrics()
    rules, gate = BrowserRules(settings), Gate(settings, metrics, attempts or Attempts())

    @app.before_request
    def check() -> None:
        forget_hidden()
        g.started = time.perf_counter()
        rules.check(request)
        gate.check(request)

    @app.after_request
    def finish(reply: Response) -> Response:
        # A page with a policy of its own says there who may frame it; the older header would forbid it to everybody.
        framed = "Content-Security-Policy" in reply.headers
        for name, value in SECURITY_HEADERS.items():
            if not (framed and name == "X-Frame-Options"):
                reply.headers.setdefault(name, value)
        _account(metrics, reply)
        return reply

    register_failures(app, metrics)

    def stopping() -> bool:
        alive: Callable[[], bool] | None = app.config.get(STILL_SERVING)
        return _is_stopping() or (alive is not None and not alive())

    app.register_blueprint(protocol_routes(service, metrics, stopping))
    for routes in map_routes(maps, gate.knows, stopping) if maps is not None else ():
        app.register_blueprint(routes)
    return app


def _account(metrics: Metrics, reply: Response) -> None:
    """Metrics and one access line: the route's pattern, never the query or a header, which may hold secrets."""
    route, seconds = route_label(), time.perf_counter() - g.started
    metrics.requests.labels(route=route, method=_method(), status=reply.status_code).inc()
    metrics.seconds.labels(route=route).observe(seconds)
    log.log(
        logging.DEBUG if route == "/health" else logging.INFO,
        "%s %s %s -> %d in %.1f ms",
        request.remote_addr,
        _method(),
        route,
        reply.status_code,
        seconds * 1e3,
    )


def _method() -> str:
    return request.method if request.method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE") else "OTHER"


def _is_stopping() -> bool:
    path = os.environ.get(STOPPING_FILE)
    return path is not None and Path(path).exists()
