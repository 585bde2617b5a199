"""How a connected Label Studio project has to look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ml_backend.config import Settings

BACKEND_TITLE = "Lantern"

PROJECT: dict[str, Any] = {"sampling": "Uncertainty sampling", "show_collab_predictions": True}
"""Lowest score first in the label stream, and predictions shown in it."""

_COLUMNS = (
    "inner_id", "completed_at", "total_annotations", "cancelled_annotations", "total_predictions", "annotators",
    "annotations_results", "annotations_ids", "predictions_results", "predictions_model_versions", "file_upload",
    "storage_filename", "created_at", "updated_at", "updated_by", "avg_lead_time", "draft_exists",
)  # fmt: skip
"""Columns that say nothing about what to label next: without them the task's own data fit on the screen."""

TAB: dict[str, Any] = {
    "title": "Label next",
    "type": "list",
    "target": "tasks",
    "ordering": ["tasks:predictions_score"],
    "filters": {
        "conjunction": "and",
        "items": [{"filter": "filter:tasks:total_annotations", "operator": "equal", "type": "Number", "value": 0}],
    },
    "hiddenColumns": {
        "explore": [f"tasks:{name}" for name in _COLUMNS],
        "labeling": [f"tasks:{name}" for name in ("id", *_COLUMNS)],
    },
    "columnsDisplayType": {},
    "columnsWidth": {},
    "gridWidth": 4,
}
"""A Data Manager tab with what to label first on top; works with any sampling."""


def tab_order() -> dict[str, Any]:
    """What of the tab makes it ours: the rest is the annotator's taste."""
    return {name: TAB[name] for name in ("title", "ordering", "filters")}


def public_url(settings: Settings) -> str:
    """How Label Studio reaches this Lantern, unless somebody says otherwise: on the same machine."""
    return settings.public_url or f"http://localhost:{settings.port}"


def browser_url(settings: Settings) -> str:
    """How browsers reach this Lantern: where Label Studio does, unless somebody says otherwise."""
    return settings.browser_url or public_url(settings)


def label_studio_browser_url(settings: Settings, url: str) -> str:
    """How browsers reach a Label Studio that Lantern reaches at `url`."""
    return settings.label_studio_browser_url or url


def backend_fields(
    settings: Settings, project: int, url: str, extra_params: Mapping[str, object] | None
) -> dict[str, Any]:
    """The ML backend: without credentials of its own, Label Studio's calls would be refused."""
    fields: dict[str, Any] = {"project": project, "url": url, "title": BACKEND_TITLE, "is_interactive": False}
    if settings.guarded:
        fields |= {
            "auth_method": "BASIC_AUTH",
            "basic_auth_user": settings.basic_auth_user,
            "basic_auth_pass": settings.basic_auth_pass,
        }
    else:
        fields["auth_method"] = "NONE"
    if extra_params is not None:
        fields["extra_params"] = dict(extra_params)
    return fields


def webhook_fields(settings: Settings, url: str) -> dict[str, Any]:
    """The webhook: Label Studio's own one carries no credentials, so each post would be refused."""
    return {
        "url": url,
        "headers": settings.webhook_headers(),
        "send_payload": True,
        "send_for_all_actions": True,
        "is_active": True,
    }


def holds(thing: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    """Whether all of the fields have these values."""
    return all(thing.get(name) == value for name, value in fields.items())


def same_address(one: object, other: str) -> bool:
    """Whether two addresses mean the same place, whatever log-in or trailing slash they carry."""
    return isinstance(one, str) and _place(one) == _place(other)


def _place(url: str) -> tuple[str, str, int | None, str]:
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return ("", url, None, "")
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return (parts.scheme, (parts.hostname or "").lower(), port or default, parts.path.rstrip("/"))
