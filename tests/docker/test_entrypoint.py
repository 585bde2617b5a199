"""The image's entrypoint, run outside a container with the compose file's own environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import yaml

from tests.docker.test_compose import DOCKER, interpolated
from tests.server_process import running_server

ENTRYPOINT = DOCKER / "entrypoint.sh"


@pytest.mark.slow
def test_the_entrypoint_starts_answers_and_stops(tmp_path: Path) -> None:
    compose = yaml.safe_load((DOCKER / "compose.yml").read_text("utf-8"))
    environ = interpolated(compose["services"]["lantern"]["environment"], {"BASIC_AUTH_PASS": "pass-1"})
    for name in ("PORT", "MODEL_DIR"):
        del environ[name]
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with running_server(tmp_path / "models", environ, (str(ENTRYPOINT),)) as server:
        assert server.get("/health").json()["status"] == "UP"
        assert server.get("/ready").status_code == 401
        assert server.get("/ready", auth=("lantern", "pass-1")).json()["ready"]
        assert (tmp_path / "models" / "lantern.db").is_file()
        assert server.stop() == 0


def test_the_entrypoint_can_be_run() -> None:
    assert os.access(ENTRYPOINT, os.X_OK)
    assert ENTRYPOINT.read_text().startswith("#!/bin/sh\n")
