"""When a map is computed anew, and how."""

from __future__ import annotations

from ml_backend.store.layouts import Kind
from ml_backend.store.tables import Layout

LEAST_ITEMS = 40
"""Fewer have no structure that the plane of largest variance would not show."""
GROWTH = 1.2
"""A pool this many times as large as the one that the map was computed from gets a new map at once."""
REST_SECONDS = 600.0
"""Shortest time between two maps of a pool that only was trained: its items have drifted along meanwhile."""


def fit_wanted(layout: Layout | None, now: float) -> Kind | None:
    """Which map to compute next; None when the present one serves. layout: the newest, carried to the newest
    publication.
    """
    if layout is None:
        return Kind.PCA
    if layout.items < LEAST_ITEMS:
        return None
    if layout.kind == Kind.PCA or layout.items > GROWTH * layout.fitted_items:
        return Kind.PACMAP
    trained_since = layout.fitted_to != layout.description_path
    return Kind.PACMAP if trained_since and now >= layout.fitted_at + REST_SECONDS else None
