"""All blueprints of the map, in one list."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Request

from ml_backend.engine.map_state import map_pulse
from ml_backend.web.map.acts import act_routes
from ml_backend.web.map.columns import column_routes
from ml_backend.web.map.context import MapContext
from ml_backend.web.map.current_task import current_task_routes
from ml_backend.web.map.events import event_routes, places
from ml_backend.web.map.hub import Hub, Pulse
from ml_backend.web.map.page import page_routes
from ml_backend.web.map.people import people_routes
from ml_backend.web.map.session_routes import session_routes
from ml_backend.web.map.state import state_routes


def map_routes(maps: MapContext, logged_in: Callable[[Request], bool], stopping: Callable[[], bool]) -> list[Blueprint]:
    """logged_in: whether a request carries the log-in that Lantern was started with (or none is needed). stopping:
    whether this process is being shut down.
    """

    def look(uid: str) -> Pulse:
        return Pulse(*map_pulse(maps.engine, uid))

    return [
        page_routes(maps),
        session_routes(maps, logged_in),
        state_routes(maps),
        column_routes(maps),
        current_task_routes(maps),
        people_routes(maps),
        act_routes(maps),
        event_routes(maps, Hub(look, places(maps.settings.threads)), stopping),
    ]
