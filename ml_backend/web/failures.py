"""Turns errors into replies: `{"error": what was wrong and how to mend it}` with a status, never a traceback."""

from __future__ import annotations

import logging

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from ml_backend.errors import LanternError
from ml_backend.logs import mask
from ml_backend.web.metrics import Metrics

log = logging.getLogger(__name__)

SERVER_FAULT = 500


def route_label() -> str:
    """The route's pattern, or 'unmatched': never the path, which callers choose freely."""
    return request.url_rule.rule if request.url_rule is not None else "unmatched"


def register_failures(app: Flask, metrics: Metrics) -> None:
    """Give the app its error handlers."""

    def on_typed(error: LanternError) -> Response:
        if error.status >= SERVER_FAULT:
            log.error("%s failed: %s: %s", route_label(), type(error).__name__, error)
        else:
            log.warning("%s refused: %s", route_label(), error)
        return _reply(error.status, str(error))

    def on_http(error: HTTPException) -> Response:
        reply = _reply(error.code or SERVER_FAULT, error.description or error.name)
        for name, value in error.get_headers():
            if name.lower() not in ("content-type", "content-length"):
                reply.headers[name] = value
        return reply

    def on_unexpected(error: Exception) -> Response:
        metrics.failures.labels(route=route_label()).inc()
        log.error("%s failed unexpectedly", route_label(), exc_info=error)
        return _reply(SERVER_FAULT, "internal error: see Lantern's log")

    app.register_error_handler(LanternError, on_typed)
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(Exception, on_unexpected)


def _reply(status: int, message: str) -> Response:
    reply = jsonify({"error": mask(message)})
    reply.status_code = status
    return reply
