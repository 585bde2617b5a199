"""Whether Label Studio reaches Lantern: its error texts in words that say what to do."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

SSRF_SWITCHES = "ML_BLOCK_LOCAL_IP=false and SSRF_PROTECTION_ENABLED=false"
SSRF_MEND = f"start Label Studio with {SSRF_SWITCHES} (both: the first lets it call Lantern, the second the webhook)"


def explain_backend_error(error: str, backend_url: str) -> str:
    """Why Label Studio would not attach `backend_url`, and the mend."""
    text = error.lower()
    if "reserved network address" in text or "ssrf" in text:
        return f"Label Studio refuses private addresses such as {backend_url}: {SSRF_MEND}"
    if "can't resolve hostname" in text or "name or service not known" in text or "failed to resolve" in text:
        return (
            f"Label Studio cannot resolve the host name of {backend_url}: pass an address that its machine or "
            "container knows with --backend-url or LANTERN_PUBLIC_URL"
        )
    if "authentication parameters" in text or "401" in text:
        return (
            f"Lantern at {backend_url} refused the credentials: the server and this command must have the same "
            "BASIC_AUTH_USER and BASIC_AUTH_PASS"
        )
    if "health check failed" in text or "refused" in text or "timed out" in text:
        return (
            f"Label Studio does not reach Lantern at {backend_url}: start it with `lantern serve`; if it listens at "
            "another port, or Label Studio runs in a container, whose `localhost` is the container, pass the address "
            f"that Label Studio reaches with --backend-url or LANTERN_PUBLIC_URL. It says: {_reason(error)}"
        )
    return f"Label Studio would not attach Lantern at {backend_url}: {_reason(error)}"


def explain_webhook_error(error: str, target: str) -> str:
    """Why Label Studio would not take a webhook to `target`, and the mend."""
    text = error.lower()
    if "reserved network address" in text or "ssrf" in text:
        return f"Label Studio refuses webhooks to private addresses such as {target}: {SSRF_MEND}"
    if "valid url" in text:
        return (
            f"Label Studio accepts no webhook to {target}: its host must be localhost, an IP address or a name "
            "with a dot; give the service a network alias such as lantern.local and set LANTERN_PUBLIC_URL to it"
        )
    return f"Label Studio would not take a webhook to {target}: {_reason(error)}"


def _reason(error: str) -> str:
    """Label Studio's words without its advice, which does not apply here, and without Python's marks of a list."""
    return error.rpartition("Additional info: ")[2].replace("\\'", "'").removesuffix("']}").removesuffix("']")


def is_single_label(url: str) -> bool:
    """Whether the host is one word (a compose service): Label Studio accepts no webhook for it. `localhost` passes."""
    host = urlsplit(url).hostname or ""
    return bool(host) and ("_" in host or ("." not in host and ":" not in host and host != "localhost"))


def is_private(url: str) -> bool:
    """Whether the address is one that Label Studio refuses by default: loopback or private."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith((".local", ".internal", ".localhost")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False
