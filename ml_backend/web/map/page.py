"""The page and its built files. They hold no data of any project, so they are open to everybody.

Threats: scripts from elsewhere in the page (its policy allows its own files only; 'unsafe-eval' is for the point
renderer, which compiles its draw calls); other sites showing the page in a frame and stealing clicks (only Label
Studio may frame it).
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Response, request, send_from_directory
from werkzeug.exceptions import NotFound

from ml_backend.config import is_loopback
from ml_backend.errors import StoreError
from ml_backend.web.map.context import MapContext

BUILT = Path(__file__).parents[1] / "frontend" / "dist"
NOT_BUILT = "The map's page is not built on this installation: run `make frontend`, then reload.\n"
IMMUTABLE = "public, max-age=31536000, immutable"
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; worker-src blob:; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors {ancestors}"
)


def page_routes(maps: MapContext, built: Path = BUILT) -> Blueprint:
    """GET /map/<project> and /map/assets/*. built: folder with index.html and assets/."""
    routes = Blueprint("map_page", __name__)

    @routes.get("/map/<project>")
    def page(project: str) -> Response:
        index = built / "index.html"
        if not index.is_file():
            reply = Response(NOT_BUILT, status=503, content_type="text/plain; charset=utf-8")
        else:
            reply = Response(index.read_bytes(), content_type="text/html; charset=utf-8")
            reply.add_etag()
            reply.headers["Cache-Control"] = "no-cache"
        reply.headers["Content-Security-Policy"] = policy(_label_studio_addresses(maps, project))
        reply.make_conditional(request)
        return reply

    @routes.get("/map/assets/<path:name>")
    def asset(name: str) -> Response:
        reply = send_from_directory(built / "assets", name, mimetype=_type_of(name))
        reply.headers["Cache-Control"] = IMMUTABLE
        return reply

    return routes


def policy(label_studio: Iterable[str]) -> str:
    """The page's Content-Security-Policy. label_studio: addresses whose origin may show the page in a frame."""
    origins = dict.fromkeys(origin for address in label_studio for origin in _origins(address))
    return POLICY.format(ancestors=" ".join(["'self'", *origins]))


def _label_studio_addresses(maps: MapContext, project: str) -> list[str]:
    """Where the project's Label Studio may be called by a browser: as configured, as connected, as it calls itself."""
    found = [maps.settings.label_studio_browser_url, maps.settings.label_studio_url]
    try:
        row = maps.project(project)
        found += [row.connection.get("url"), row.hostname]
    except (NotFound, StoreError):
        pass  # the page itself will say so
    return [address for address in found if isinstance(address, str)]


def _origins(address: str) -> list[str]:
    """Origin of an address, in both spellings of this machine; nothing for what is no plain http(s) address."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return []
    allowed = set("abcdefghijklmnopqrstuvwxyz0123456789.-_:")
    if parts.scheme not in ("http", "https") or not host or not set(host) <= allowed:
        return []
    hosts = dict.fromkeys([host, "localhost", "127.0.0.1"] if is_loopback(host) else [host])
    suffix = f":{port}" if port else ""
    return [f"{parts.scheme}://{f'[{name}]' if ':' in name else name}{suffix}" for name in hosts]


def _type_of(name: str) -> str:
    """Not by the machine's own table, which may call a script text."""
    own = {".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".woff2": "font/woff2"}
    return own.get(Path(name).suffix.lower()) or mimetypes.guess_type(name)[0] or "application/octet-stream"
