"""Addresses and error texts: what Label Studio really answered, in words that say what to do."""

from __future__ import annotations

import pytest

from ml_backend.label_studio.reachability import (
    explain_backend_error,
    explain_webhook_error,
    is_private,
    is_single_label,
)
from ml_backend.label_studio.wanted import same_address

BACKEND = "http://localhost:9090"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("URL resolves to a reserved network address (block: 127.0.0.0/8)", "SSRF_PROTECTION_ENABLED=false"),
        ("Can't resolve hostname ml-backend", "LANTERN_PUBLIC_URL"),
        ("Able to connect to ML Server, but authentication parameters were either not provided", "BASIC_AUTH_PASS"),
        ("Can't connect to ML backend, health check failed. Additional info: Connection refused", "lantern serve"),
        ("something new", "something new"),
    ],
)
def test_why_a_backend_is_not_attached(error: str, says: str) -> None:
    assert says in explain_backend_error(error, BACKEND)


def test_label_studios_words_come_without_pythons_marks() -> None:
    error = r"['health check failed. Additional info: Pool(host=\'localhost\'): refused']}"
    assert explain_backend_error(error, BACKEND).endswith("It says: Pool(host='localhost'): refused")


def test_why_a_webhook_is_not_taken() -> None:
    assert "name with a dot" in explain_webhook_error("{'url': ['Enter a valid URL.']}", "http://ml-backend/webhook")
    assert "ML_BLOCK_LOCAL_IP" in explain_webhook_error("reserved network address", BACKEND)


@pytest.mark.parametrize(
    ("url", "single"),
    [
        ("http://ml-backend:9090", True),
        ("http://ml_backend.local:9090", True),
        ("http://localhost:9090", False),
        ("http://10.0.0.3:9090", False),
        ("http://[::1]:9090", False),
        ("http://host.docker.internal:9090", False),
    ],
)
def test_hosts_that_label_studio_takes_no_webhook_for(url: str, single: bool) -> None:
    assert is_single_label(url) is single


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://localhost", True),
        ("http://10.1.2.3", True),
        ("http://[::1]", True),
        ("https://lantern.example.org", False),
    ],
)
def test_private_addresses(url: str, private: bool) -> None:
    assert is_private(url) is private


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://a.b:80/", "http://user:pass@A.b", True),
        ("https://a.b/x/", "https://a.b:443/x", True),
        ("http://a.b", "https://a.b", False),
        ("http://a.b/x", "http://a.b/y", False),
        (None, "http://a.b", False),
        ("http://[", "http://a.b", False),
    ],
)
def test_which_addresses_are_one_place(one: object, other: str, same: bool) -> None:
    assert same_address(one, other) is same
