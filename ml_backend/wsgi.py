"""Gunicorn's target: one web process's app on the database and the newest publication. `lantern serve` starts it."""

from __future__ import annotations

import os

from flask import Flask

from ml_backend.config import Settings
from ml_backend.engine.engine import Engine
from ml_backend.engine.warm_views import WarmViews
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.media_access import fetcher_factory
from ml_backend.label_studio.service import LanternService
from ml_backend.store.database import Database
from ml_backend.web.app import create_app
from ml_backend.web.map import MapContext


def build_app() -> Flask:
    """From the environment. Raises ConfigError or StoreError when that cannot work."""
    settings = Settings.from_environment(os.environ)
    db = Database.open(settings.home)
    connections = Connections(settings)
    engine = Engine(db, settings, fetcher_factory(settings, connections))
    WarmViews(engine).start()
    maps = MapContext(settings, db, engine, connections)
    return create_app(settings, LanternService(settings, db, engine), maps=maps)
