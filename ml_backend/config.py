"""Every setting of Lantern, typed, checked at start and masked in repr. docs/configuration.md explains each one."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ml_backend.errors import ConfigError
from ml_backend.options import MASK, between, http_url, matching, one_of, option_of, path, setting, switch, url

WEBHOOK_SECRET_HEADER = "X-Lantern-Secret"
"""Request header that carries `webhook_secret`; Label Studio sends it when the webhook's `headers` hold it."""

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"
DAY_SECONDS = 86_400.0


def _name(text: str) -> str:
    return text.upper()


@dataclass(frozen=True, repr=False)
class Settings:
    """What a running Lantern is told. Raises ConfigError at construction when a value cannot be used."""

    home: Path = setting(Path("~/.lantern").expanduser(), "LANTERN_HOME", "MODEL_DIR", parse=path)
    """Folder of the database, checkpoints and caches; made when missing."""
    host: str | None = setting(None, "LANTERN_HOST")
    """Address to bind; None = every interface when Basic credentials are set, else loopback (see `bind_host`)."""
    port: int = setting(9090, "PORT", parse=int, check=between(1, 65_535))
    workers: int = setting(1, "WORKERS", parse=int, check=between(1, 64))
    """Web processes; each keeps its own copy of the scores in memory."""
    threads: int = setting(8, "THREADS", parse=int, check=between(1, 256))
    """Threads per web process."""
    log_level: str = setting(
        "INFO", "LOG_LEVEL", parse=_name, check=one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
    )

    label_studio_url: str | None = setting(None, "LABEL_STUDIO_URL", "LABEL_STUDIO_HOST", parse=url, check=http_url)
    """How Lantern reaches Label Studio, without a trailing slash."""
    label_studio_api_key: str | None = setting(
        None, "LABEL_STUDIO_API_KEY", "LABEL_STUDIO_ACCESS_TOKEN", parse=str.strip, secret=True
    )
    """A personal access token or a legacy token."""
    public_url: str | None = setting(None, "LANTERN_PUBLIC_URL", parse=url, check=http_url)
    """How Label Studio reaches Lantern, without a trailing slash."""
    browser_url: str | None = setting(None, "LANTERN_BROWSER_URL", parse=url, check=http_url)
    """How people's browsers reach Lantern, for the map; None = as `public_url`."""
    label_studio_browser_url: str | None = setting(None, "LABEL_STUDIO_BROWSER_URL", parse=url, check=http_url)
    """How people's browsers reach Label Studio, which shows the map; None = as `label_studio_url`."""

    basic_auth_user: str | None = setting(
        None, "BASIC_AUTH_USER", check=matching(r"[^:\x00-\x1f]+", "a name without a colon")
    )
    basic_auth_pass: str | None = setting(None, "BASIC_AUTH_PASS", secret=True)
    webhook_secret: str | None = setting(
        None,
        "LANTERN_WEBHOOK_SECRET",
        secret=True,
        check=matching(r"[\x21-\x7e]{8,512}", "8 to 512 visible ASCII characters"),
    )
    """Sent by Label Studio's webhooks in the header WEBHOOK_SECRET_HEADER."""
    max_body_bytes: int = setting(128 * 2**20, "LANTERN_MAX_BODY_BYTES", parse=int, check=between(1024, 2**32))
    """Larger requests are answered 413. Label Studio puts all selected tasks into one request."""

    start_training_each_n_updates: int = setting(
        10, "START_TRAINING_EACH_N_UPDATES", parse=int, check=between(1, 1_000_000)
    )
    """Changed labels after which the worker trains."""
    debounce_seconds: float = setting(5.0, "LANTERN_DEBOUNCE_SECONDS", parse=float, check=between(0, 3600))
    """Time without a new label before a training starts; labels that keep coming put it off for no longer than the
    larger of this and `push_interval_seconds`.
    """
    push_interval_seconds: float = setting(
        60.0, "LANTERN_PUSH_INTERVAL_SECONDS", parse=float, check=between(0, DAY_SECONDS)
    )
    """Shortest time between two pushes of predictions to Label Studio, unless a training lies between."""
    reconcile_seconds: float = setting(600.0, "LANTERN_RECONCILE_SECONDS", parse=float, check=between(1, DAY_SECONDS))
    """Shortest time between two full comparisons with Label Studio, which find what webhooks never told."""

    never_seen_level: float = setting(0.01, "LANTERN_NEVER_SEEN_LEVEL", parse=float, check=between(0, 0.5))
    """Lantern abstains from a task whose novelty p-value is at most this."""
    query: str = setting("lantern", "LANTERN_QUERY", check=one_of("lantern", "s_ood"))
    """Which order the tasks to label come in."""
    encoder: str | None = setting(None, "LANTERN_ENCODER")
    """Encoder for every project that does not name its own; None = by the label config's object type."""
    embeddings_url: str | None = setting(None, "LANTERN_EMBEDDINGS_URL", parse=url, check=http_url)
    """Base address of an OpenAI-compatible embeddings service, for encoder `openai:MODEL`."""
    embeddings_api_key: str | None = setting(None, "LANTERN_EMBEDDINGS_API_KEY", "OPENAI_API_KEY", secret=True)
    allow_private_media: bool = setting(False, "LANTERN_ALLOW_PRIVATE_MEDIA", parse=switch)
    """Whether task media may be fetched from private and loopback addresses other than Label Studio's own."""
    local_files: Path | None = setting(None, "LANTERN_LOCAL_FILES", parse=path)
    """Folder whose files tasks may name by path; None = no file of this machine is read."""
    cache_bytes: int = setting(4 * 2**30, "LANTERN_CACHE_BYTES", parse=int, check=between(2**20, 2**50))
    """Beyond it the worker drops the encodings that were remembered first."""
    seed: int = setting(0, "LANTERN_SEED", parse=int, check=between(0, 2**31 - 1))
    device: str = setting(
        "auto", "LANTERN_DEVICE", check=matching(r"auto|cpu|cuda(:\d{1,2})?", "auto, cpu, cuda or cuda:N")
    )

    def __post_init__(self) -> None:
        for of in fields(self):
            option_of(of).validate(getattr(self, of.name))
        if (self.basic_auth_user is None) != (self.basic_auth_pass is None):
            raise ConfigError("BASIC_AUTH_USER and BASIC_AUTH_PASS go together: set both or neither")
        if self.host is not None and not self.guarded and not is_loopback(self.host):
            raise ConfigError(
                f"LANTERN_HOST={self.host} would let anyone on the network in: "
                "set BASIC_AUTH_USER and BASIC_AUTH_PASS, or leave LANTERN_HOST empty to bind to loopback only"
            )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], **overrides: Any) -> Settings:
        """Read every setting; `overrides` (None = not given) win. Raises ConfigError naming the key."""
        values: dict[str, Any] = {}
        for of in fields(cls):
            given = overrides.pop(of.name, None)
            value = given if given is not None else option_of(of).read(environ)
            if value is not None:
                values[of.name] = value
        if overrides:
            raise TypeError(f"no such setting: {', '.join(sorted(overrides))}")
        return cls(**values)

    def environment(self) -> dict[str, str]:
        """Environment variables from which `from_environment` reads these same settings: for child processes."""
        values = {option_of(of).names[0]: getattr(self, of.name) for of in fields(self)}
        return {name: str(value) for name, value in values.items() if value is not None}

    @property
    def guarded(self) -> bool:
        """Whether Basic credentials protect the routes."""
        return self.basic_auth_user is not None and self.basic_auth_pass is not None

    @property
    def bind_host(self) -> str:
        """The address the server binds to: loopback only without credentials."""
        return self.host or (EVERYWHERE if self.guarded else LOOPBACK)

    def webhook_headers(self) -> dict[str, str]:
        """Headers that Label Studio's webhook must carry to be let in at /webhook; empty when nothing guards it."""
        if self.webhook_secret is not None:
            return {WEBHOOK_SECRET_HEADER: self.webhook_secret}
        if self.guarded:
            pair = f"{self.basic_auth_user}:{self.basic_auth_pass}".encode()
            return {"Authorization": "Basic " + base64.b64encode(pair).decode("ascii")}
        return {}

    def secrets(self) -> tuple[str, ...]:
        """Every secret value that is set, for redaction."""
        values = (getattr(self, of.name) for of in fields(self) if option_of(of).secret)
        return tuple(value for value in values if value)

    def __repr__(self) -> str:
        shown = (
            f"{of.name}={MASK if option_of(of).secret and getattr(self, of.name) else repr(getattr(self, of.name))}"
            for of in fields(self)
        )
        return f"Settings({', '.join(shown)})"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address that a server binds to."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
