"""Command line and ports of the demo."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_backend.demo.options import parse_options
from ml_backend.demo.ports import free_port, require_free
from ml_backend.errors import ConfigError


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_defaults_are_those_of_the_documentation() -> None:
    options = parse_options([])
    assert (options.port, options.label_studio_port) == (9090, 8080)
    assert (options.once, options.fresh, options.dataset, options.labels) == (False, False, None, None)
    assert (options.folder, options.tasks) == (Path(".demo"), 2_500)


@pytest.mark.parametrize(
    "arguments",
    [["--port", "0"], ["--port", "70000"], ["--port", "http"], ["--labels", "0"], ["--tasks", "2"], ["--unknown"]],
)
def test_bad_options_end_with_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        parse_options(arguments)
    assert error.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_a_busy_port_names_the_option_that_changes_it(busy_port: int) -> None:
    with pytest.raises(ConfigError, match=rf"port {busy_port}, meant for Lantern, is in use.*--port"):
        require_free(busy_port, "Lantern", "--port")


def test_a_free_port_is_free() -> None:
    port = free_port()
    require_free(port, "Lantern", "--port")
    with socket.create_server(("127.0.0.1", port)):
        pass
