"""Which browser the tests and pictures take, and what is said where there is none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ml_backend.demo import browser
from ml_backend.errors import ConfigError
from tests import browser as of_tests


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One without a browser, for its root, with an apt-get that installs one."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(browser.VARIABLE, raising=False)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: run(tmp_path, command))
    program(tmp_path / "apt-get")
    return tmp_path


def run(folder: Path, command: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    """What the machine's apt-get does."""
    if "install" in command:
        program(folder / command[-1])
    return subprocess.CompletedProcess(command, 0)


def program(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_one_that_is_named_comes_first(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(machine / "chromium")
    named = program(machine / "my-chromium")
    monkeypatch.setenv(browser.VARIABLE, str(named))
    assert browser.chromium_installed() == str(named)
    monkeypatch.setenv(browser.VARIABLE, str(machine / "nothing"))
    with pytest.raises(ConfigError, match="is no program"):
        browser.chromium_installed()


def test_root_gets_debians(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert browser.main() == 0
    assert capsys.readouterr().out == f"Browser: {machine / 'chromium'}\n"


def test_others_get_the_line_to_type(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert browser.main() == 1
    assert "apt-get install chromium" in capsys.readouterr().err


def test_an_installation_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 100))
    with pytest.raises(ConfigError, match="status 100"):
        browser.chromium_installed()


def test_without_one_tests_are_skipped_but_never_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        of_tests.program()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(ConfigError):
        of_tests.program()
