"""Tests against a real Label Studio. The tests of a class that is marked `steps` follow on each other: once one has
failed, the rest is skipped."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import pytest

from ml_backend.demo.servers import Server
from tests.conftest import RunningLabelStudio
from tests.e2e.map.world import MapWorld
from tests.e2e.world import World

SHOWN_LINES = 60
ROUTINE = ("/status ->", "/health", '[INFO] "GET')
_failed: dict[type, str] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(__file__.rpartition("/")[0]):
            item.add_marker(pytest.mark.e2e)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        cls = getattr(item, "cls", None)
        if cls is not None and getattr(cls, "steps", False):
            _failed.setdefault(cls, item.name)
        for server in _servers(getattr(item, "funcargs", {})):
            lines = server.log_file.read_text("utf-8", errors="replace").splitlines()
            telling = [line for line in lines if not any(word in line for word in ROUTINE)]
            report.sections.append((f"log of {server.name}", "\n".join(telling[-SHOWN_LINES:])))
    return report


def pytest_runtest_setup(item: pytest.Item) -> None:
    cls = getattr(item, "cls", None)
    if cls in _failed:
        pytest.skip(f"the step {_failed[cls]} before it failed")


def _servers(arguments: Mapping[str, object]) -> list[Server]:
    servers: list[Server] = []
    for value in arguments.values():
        if isinstance(value, World | MapWorld):
            servers += [value.lantern, value.label_studio.process]
        elif isinstance(value, RunningLabelStudio):
            servers.append(value.process)
    return servers
