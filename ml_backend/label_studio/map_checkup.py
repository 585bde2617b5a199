"""What the doctor sees of the map beside the tasks: its key, its addresses, and what browsers will refuse."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from ml_backend.config import Settings
from ml_backend.errors import LabelConfigError
from ml_backend.label_studio import link_keys, wanted
from ml_backend.label_studio.findings import Finding, error, fine, warning
from ml_backend.label_studio.map_config import MapAddress, find_map
from ml_backend.store.tables import Project

MEND = "run `lantern connect --map` again"
SECONDS = 3.0
_LOADS = ("frame-src", "child-src", "object-src", "default-src")
"""Directives that decide over a page within <object>; the last one stands in for those that are not there."""


def check_map(settings: Settings, row: Project, label_config: str, label_studio: str) -> Iterator[Finding]:
    """All findings; none where no map is shown. label_studio: its address as Lantern reaches it."""
    try:
        shown = find_map(label_config)
    except LabelConfigError:
        return
    if shown is None:
        return
    if shown.project != row.uid or not link_keys.matches(row, shown.key):
        yield error("the map beside the tasks does not open", "its key was revoked or is of another project", MEND)
    if shown.base != wanted.browser_url(settings):
        yield warning(
            f"the map beside the tasks is asked for at {shown.base}",
            f"browsers reach this Lantern at {wanted.browser_url(settings)}",
            f"set LANTERN_BROWSER_URL to the right one, then {MEND}",
        )
    page = wanted.label_studio_browser_url(settings, label_studio)
    if page.startswith("https:") and shown.base.startswith("http:"):
        yield error(
            "browsers do not load the map",
            f"Label Studio at {page} has https and the map at {shown.base} has not (mixed content)",
            f"give Lantern https, for example by a reverse proxy, set LANTERN_BROWSER_URL, then {MEND}",
        )
    yield from _check_policy_of_label_studio(label_studio, shown)
    yield from _check_frame(shown, page)


def _check_policy_of_label_studio(label_studio: str, shown: MapAddress) -> Iterator[Finding]:
    headers = _headers(f"{label_studio}/user/login/")
    policy = headers.get("content-security-policy", "") if headers is not None else ""
    refused = [name for name, sources in _directives(policy) if not _allows(sources, shown.base)]
    if refused:
        yield error(
            "Label Studio's pages may not show the map",
            f"its Content-Security-Policy is enforced, and {', '.join(refused)} lacks {_origin(shown.base)}",
            "start Label Studio with LS_CSP_REPORT_ONLY=true, its default, or serve Lantern below its own address",
        )


def _check_frame(shown: MapAddress, page: str) -> Iterator[Finding]:
    headers = _headers(f"{shown.base}/map/{shown.project}")
    if headers is None:
        yield warning(
            f"the map does not answer at {shown.base} from here",
            "people's browsers ask for it there and may still reach it",
            "start `lantern serve`, or set LANTERN_BROWSER_URL to the address that browsers use",
        )
        return
    ancestors = [part.split() for part in headers.get("content-security-policy", "").split(";")]
    allowed = next((part[1:] for part in ancestors if part and part[0] == "frame-ancestors"), None)
    framers = " ".join(allowed or ()) or "nobody"
    if "x-frame-options" in headers or (allowed is not None and _origin(page) not in allowed):
        yield error(
            "the map may not be shown in Label Studio's pages",
            f"it allows {framers} to frame it, and browsers see Label Studio at {_origin(page)}",
            "set LABEL_STUDIO_BROWSER_URL to the address that stands in people's browsers, and restart Lantern",
        )
    else:
        yield fine(f"the map is beside the tasks, from {shown.base}")


def _headers(address: str) -> httpx.Headers | None:
    try:
        return httpx.get(address, timeout=SECONDS).headers
    except httpx.HTTPError:
        return None


def _directives(policy: str) -> list[tuple[str, list[str]]]:
    """The directives that decide over the map: (name, sources); none when the policy says nothing about it."""
    parts = [part.split() for part in policy.split(";") if part.split()]
    given = {part[0].lower(): part[1:] for part in parts}
    frame = next((name for name in _LOADS if name != "object-src" and name in given), None)
    plugin = next((name for name in ("object-src", "default-src") if name in given), None)
    return [(name, given[name]) for name in dict.fromkeys(name for name in (frame, plugin) if name)]


def _allows(sources: list[str], base: str) -> bool:
    parts = urlsplit(base)
    return bool({"*", f"{parts.scheme}:", _origin(base), parts.netloc, base} & set(sources))


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
