"""Which Label Studio a command goes to, and with which token."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ml_backend.config import Settings
from ml_backend.label_studio.connections import Connections, as_connected
from ml_backend.store.tables import Project

KEPT = {"url": "http://kept.test:8080", "token": "kept", "backend_url": "http://lantern.test"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((None, None), ("http://kept.test:8080", "kept")),
        (("http://kept.test:8080/", None), ("http://kept.test:8080/", "kept")),
        ((None, "given"), ("http://kept.test:8080", "given")),
        (("http://other.test", None), ("http://other.test", None)),
        (("http://other.test", "given"), ("http://other.test", "given")),
    ],
)
def test_a_kept_token_goes_to_its_own_label_studio_only(
    settings: Settings, given: tuple[str | None, str | None], expected: tuple[str | None, str | None]
) -> None:
    bare = replace(settings, label_studio_url=None, label_studio_api_key=None)
    assert Connections(bare).asked_for(Project(connection=KEPT), *given) == expected


def test_the_environments_token_goes_to_no_project_elsewhere(settings: Settings) -> None:
    there = replace(settings, label_studio_url="http://env.test", label_studio_api_key="env")
    elsewhere = Project(connection={"url": "http://kept.test"})
    assert Connections(there).asked_for(elsewhere, None, None) == ("http://kept.test", None)


def test_without_a_project_the_environment_serves(settings: Settings) -> None:
    there = replace(settings, label_studio_url="http://env.test", label_studio_api_key="env")
    assert Connections(there).asked_for(None, None, None) == ("http://env.test", "env")


def test_lantern_is_where_connect_was_told(settings: Settings) -> None:
    assert as_connected(settings, Project(connection=KEPT)).public_url == "http://lantern.test"
    assert as_connected(settings, Project(connection={})) == settings
    assert as_connected(settings, None) == settings
