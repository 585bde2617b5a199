"""The routes that Label Studio and monitoring call. Each reads, asks the service once, and replies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from flask import Blueprint, Response, jsonify, request

from ml_backend.errors import StoreError
from ml_backend.web.bodies import Body, read_object, read_predict
from ml_backend.web.metrics import Metrics

HEALTH = {"status": "UP", "model_class": "LanternModel"}


class Service(Protocol):
    """What answers: LanternService, which says what each call means."""

    def setup(self, body: Body) -> Body: ...

    def predict(self, body: Body) -> Body: ...

    def webhook(self, body: Body) -> Body: ...

    def versions(self) -> Body: ...

    def status(self, project: str | None = None) -> Body: ...

    def ready(self) -> tuple[bool, Body]: ...


def protocol_routes(service: Service, metrics: Metrics, is_stopping: Callable[[], bool]) -> Blueprint:
    """All protocol routes on one service."""
    routes = Blueprint("protocol", __name__)

    @routes.get("/")
    @routes.get("/health")
    def health() -> Response:
        return jsonify(HEALTH)

    @routes.post("/setup")
    def setup() -> Response:
        return jsonify(service.setup(read_object(request)))

    @routes.post("/predict")
    def predict() -> Response:
        return jsonify(service.predict(read_predict(request)))

    @routes.post("/webhook")
    def webhook() -> Response:
        return jsonify(service.webhook(read_object(request)))

    @routes.get("/versions")
    def versions() -> Response:
        return jsonify(service.versions())

    @routes.get("/status")
    def status() -> Response:
        return jsonify(service.status(request.args.get("project")))

    @routes.get("/ready")
    def ready() -> Response:
        if is_stopping():
            return _ready(False, {"reason": "stopping"})
        return _ready(*service.ready())

    @routes.get("/metrics")
    def numbers() -> Response:
        return Response(metrics.text(_events(service)), content_type="text/plain; version=0.0.4; charset=utf-8")

    return routes


def _events(service: Service) -> dict[str, int]:
    """The database's counters; none while it cannot be read, so that the web's own numbers still come."""
    try:
        counters = service.status().get("counters")
    except StoreError:
        return {}
    return counters if isinstance(counters, dict) else {}


def _ready(is_ready: bool, details: dict[str, object]) -> Response:
    reply = jsonify({"ready": is_ready, **details})
    reply.status_code = 200 if is_ready else 503
    return reply
