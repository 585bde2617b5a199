"""Settings: a bad value names its variable, a secret is never shown, and without credentials nobody else gets in."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from ml_backend.config import WEBHOOK_SECRET_HEADER, Settings
from ml_backend.errors import ConfigError

GUARD = {"BASIC_AUTH_USER": "ann", "BASIC_AUTH_PASS": "hidden-1"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "ninety"), ("PORT", "0"), ("PORT", "65536"), ("WORKERS", "0"), ("THREADS", "1.5"),
        ("LOG_LEVEL", "LOUD"),
        ("LANTERN_NEVER_SEEN_LEVEL", "nan"), ("LANTERN_NEVER_SEEN_LEVEL", "0.9"), ("LANTERN_DEBOUNCE_SECONDS", "-1"),
        ("LANTERN_RECONCILE_SECONDS", "inf"), ("LANTERN_QUERY", "random"), ("LANTERN_DEVICE", "gpu"),
        ("LABEL_STUDIO_URL", "label-studio:8080"), ("LABEL_STUDIO_HOST", "ftp://x"), ("LANTERN_PUBLIC_URL", "http://u:p@x"),
        ("LANTERN_PUBLIC_URL", "http://x:port"), ("BASIC_AUTH_USER", "a:b"), ("BASIC_AUTH_USER", "alone"),
        ("BASIC_AUTH_PASS", "alone"), ("LANTERN_WEBHOOK_SECRET", "short"), ("LANTERN_SEED", "-1"),
        ("LANTERN_HOME", "~nobody-of-this-name/lantern"),
    ],
)  # fmt: skip
def test_a_bad_value_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_environment({name: value})
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("LANTERN_ALLOW_PRIVATE_MEDIA", "yes", "true or false"),
        ("LANTERN_SEED", "-1", "between 0 and 2147483647"),
        ("LANTERN_NEVER_SEEN_LEVEL", "0.6", "between 0 and 0.5"),
    ],
)
def test_a_bad_value_says_what_it_must_be(name: str, value: str, wanted: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}={value}: must be {wanted}$"):
        Settings.from_environment({name: value})


@pytest.mark.parametrize("name", ["LANTERN_WEBHOOK_SECRET"])
def test_a_bad_secret_is_not_repeated(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_environment({name: "bäd-1"})
    assert "bäd-1" not in str(caught.value)


def test_aliases_count_when_the_first_name_is_empty(tmp_path: Path) -> None:
    environ = {
        "LANTERN_HOME": "", "MODEL_DIR": str(tmp_path), "LABEL_STUDIO_HOST": "http://ls:8080/",
        "LABEL_STUDIO_ACCESS_TOKEN": "key",
    }  # fmt: skip
    settings = Settings.from_environment(environ)
    assert (settings.home, settings.label_studio_url) == (tmp_path, "http://ls:8080")
    assert settings.label_studio_api_key == "key"
    assert Settings.from_environment({**environ, "LANTERN_HOME": "/first"}).home == Path("/first")


def test_overrides_win_and_none_is_not_given() -> None:
    assert Settings.from_environment({"PORT": "80"}, port=81).port == 81
    assert Settings.from_environment({"PORT": "80"}, port=None).port == 80
    with pytest.raises(ConfigError, match="PORT"):
        Settings.from_environment({}, port=99999)


def test_secrets_are_masked_in_repr() -> None:
    names = ("BASIC_AUTH_PASS", "LANTERN_WEBHOOK_SECRET", "LABEL_STUDIO_API_KEY", "LANTERN_EMBEDDINGS_API_KEY")
    environ = {**GUARD, **{name: f"secret-of-{name}" for name in names}}
    settings = Settings.from_environment(environ)
    assert [name for name in names if f"secret-of-{name}" in f"{settings!r} {settings}"] == []
    assert set(settings.secrets()) == {f"secret-of-{name}" for name in names}
    assert "ann" in repr(settings)


def test_child_processes_read_the_same_settings(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            **GUARD,
            "MODEL_DIR": str(tmp_path),
            "PORT": "81",
            "LANTERN_NEVER_SEEN_LEVEL": "0.037",
            "LANTERN_ENCODER": "text",
        }
    )
    assert Settings.from_environment(settings.environment()) == settings
    assert Settings.from_environment({"LABEL_STUDIO_HOST": "http://other", **settings.environment()}).port == 81


def test_without_credentials_it_binds_to_loopback_only() -> None:
    assert Settings().bind_host == "127.0.0.1"
    assert Settings.from_environment(GUARD).bind_host == "0.0.0.0"
    for host in ("127.0.0.1", "::1", "localhost", "[::1]"):
        assert Settings(host=host).bind_host == host
    for host in ("0.0.0.0", "::", "10.0.0.1", "lantern.example"):
        with pytest.raises(ConfigError, match="BASIC_AUTH_USER"):
            Settings(host=host)
        assert Settings.from_environment(GUARD, host=host).bind_host == host


def test_the_webhook_carries_the_secret_or_else_the_log_in() -> None:
    assert Settings().webhook_headers() == {}
    assert Settings(webhook_secret="s" * 8).webhook_headers() == {WEBHOOK_SECRET_HEADER: "s" * 8}
    headers = Settings.from_environment(GUARD).webhook_headers()
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"ann:hidden-1"
