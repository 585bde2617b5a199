"""The map: its page, and the interface below /map/<project>/api that docs/map-api.md describes."""

from ml_backend.web.map.context import MapContext
from ml_backend.web.map.routes import map_routes

__all__ = ["MapContext", "map_routes"]
