"""What a browser must not be made to do for a foreign page.

Threats: a page elsewhere posts to Lantern with the log-in that the browser remembers (Basic is ambient, so a log-in
does not help); a foreign name that resolves to 127.0.0.1 makes an unguarded Lantern same-origin with the attacker's
page (DNS rebinding). Label Studio's server sends no Sec-Fetch-Site, and calls Lantern by address or by the name in
LANTERN_PUBLIC_URL; people's browsers by that in LANTERN_BROWSER_URL. Over http to a name or a foreign machine, browsers
send no Sec-Fetch-Site, but an Origin.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from flask import Request
from werkzeug.exceptions import Forbidden

from ml_backend.config import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITE = frozenset({"same-origin", "none"})
LOCAL_NAMES = frozenset({"localhost", "host.docker.internal"})


class BrowserRules:
    """Raises Forbidden (403) for a cross-site write, or for a foreign Host while no credentials are configured."""

    def __init__(self, settings: Settings) -> None:
        self._guarded = settings.guarded
        told = {urlsplit(url or "").hostname for url in (settings.public_url, settings.browser_url)}
        self._told = {name for name in told if name}
        self._names = LOCAL_NAMES | self._told

    def check(self, request: Request) -> None:
        """Raises when the request must not pass."""
        if request.method not in SAFE_METHODS and self._is_of_another_site(request):
            raise Forbidden("a page of another site must not post here")
        if not self._guarded and not self._is_ours(request.host):
            raise Forbidden(
                "without credentials Lantern answers to localhost and to addresses only: "
                "set LANTERN_PUBLIC_URL (for the map LANTERN_BROWSER_URL) to the name that it is called by, or set "
                "BASIC_AUTH_USER and BASIC_AUTH_PASS"
            )

    def _is_of_another_site(self, request: Request) -> bool:
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        if site is not None or origin is None:
            return site is not None and site not in OWN_SITE
        try:
            told = urlsplit(origin)
            return told.netloc != request.host and told.hostname not in self._told
        except ValueError:
            return True

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
            return name in self._names or bool(ipaddress.ip_address(name))
        except ValueError:
            return False
