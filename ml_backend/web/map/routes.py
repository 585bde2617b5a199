"""All blueprints of the map, in one list."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Request, Response, request

from ml_backend.engine.map_state import MapState
from ml_backend.engine.map_watch import Watch
from ml_backend.web.map.acts import act_routes
from ml_backend.web.map.columns import column_routes
from ml_backend.web.map.components import component_routes
from ml_backend.web.map.context import MapContext
from ml_backend.web.map.current_task import current_task_routes
from ml_backend.web.map.events import event_routes, places
from ml_backend.web.map.hub import Hub, Pulse
from ml_backend.web.map.items import item_routes
from ml_backend.web.map.page import page_routes
from ml_backend.web.map.people import people_routes
from ml_backend.web.map.picture import picture_routes
from ml_backend.web.map.search import search_routes
from ml_backend.web.map.session_routes import session_routes
from ml_backend.web.map.state import state_routes
from ml_backend.web.map.training import training_routes


def map_routes(maps: MapContext, logged_in: Callable[[Request], bool], stopping: Callable[[], bool]) -> list[Blueprint]:
    """logged_in: whether a request carries the log-in that Lantern was started with (or none is needed). stopping:
    whether this process is being shut down.
    """

    states = MapState(maps.reading, maps.people_address)
    watch = Watch(maps.db)

    def look(uid: str) -> Pulse:
        pulse = Pulse(*states.pulse(uid))
        watch.keep(uid, training=pulse.values["training"]["status"] != "idle")
        return pulse

    hub = Hub(look, places(maps.settings.threads))

    def told(reply: Response) -> Response:
        if request.method == "POST":
            hub.look_soon()
        return reply

    written = [state_routes(maps, states, watch), act_routes(maps), training_routes(maps)]
    for routes in written:
        routes.after_request(told)
    return [
        *written,
        page_routes(maps),
        session_routes(maps, logged_in),
        column_routes(maps),
        item_routes(maps),
        search_routes(maps),
        current_task_routes(maps),
        picture_routes(maps),
        people_routes(maps),
        component_routes(maps),
        event_routes(maps, hub, stopping),
    ]
