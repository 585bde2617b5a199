"""What a person at the terminal sees: help that tells, one clear line for an error, and an honest exit status."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from ml_backend.cli import command_line, main, serve
from ml_backend.cli.command_line import BAD_INPUT, COMMANDS, FAILED, INTERRUPTED
from ml_backend.errors import ConfigError, InputError, LabelStudioUnreachable, LanternError
from ml_backend.store import projects
from ml_backend.store.database import Database


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PORT", "MODEL_DIR", "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY", "BASIC_AUTH_USER", "BASIC_AUTH_PASS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANTERN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(command_line, "configure_logging", lambda *_: None)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert [command.NAME for command in COMMANDS if f"lantern {command.NAME}" not in shown + "lantern disconnect"] == []
    assert "docs/configuration.md" in shown


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.NAME)
def test_every_command_explains_itself(command: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command.NAME, "--help"])
    assert ended.value.code == 0
    assert command.DESCRIPTION.split(".")[0].split()[0] in capsys.readouterr().out


@pytest.mark.parametrize(
    "argv", [[], ["dance"], ["serve", "--port", "x"], ["connect"], ["connect", "--project", "1", "--url", "x"]]
)
def test_a_wrong_command_line_is_status_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == BAD_INPUT
    assert "lantern" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigError("bad setting"), BAD_INPUT),
        (InputError("bad file"), BAD_INPUT),
        (LabelStudioUnreachable("no answer"), FAILED),
        (LanternError("broken"), FAILED),
        (KeyboardInterrupt(), INTERRUPTED),
    ],
)
def test_errors_become_one_line_and_a_status(
    error: BaseException, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr(serve, "run", fail)
    assert main(["serve"]) == status
    lines = capsys.readouterr().err.splitlines()
    assert lines == ([f"lantern: {error}"] if str(error) else [])


def test_an_interrupt_while_options_are_read_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(serve, "add_arguments", interrupted)
    assert main(["serve"]) == INTERRUPTED


def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PORT", "ninety")
    assert main(["serve"]) == BAD_INPUT
    assert "PORT=ninety" in capsys.readouterr().err


def test_connect_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Database.open(tmp_path / "home").close()
    assert main(["connect", "--project", "1"]) == BAD_INPUT
    assert "LABEL_STUDIO_URL" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["connect", "disconnect", "doctor"])
@pytest.mark.parametrize("is_there", [True, False], ids=["empty folder", "no folder"])
def test_where_no_lantern_was_a_command_says_so_and_leaves_nothing_behind(
    command: str, is_there: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    if is_there:
        home.mkdir()
    before = list(tmp_path.rglob("*"))
    assert main([command, "--project", "7", "--url", "http://127.0.0.1:1", "--token", "f" * 40]) != 0
    said = capsys.readouterr()
    assert f"no Lantern has kept anything in {home}" in said.out + said.err
    assert "lantern serve" in said.out + said.err
    assert list(tmp_path.rglob("*")) == before


def test_disconnect_of_an_unknown_project_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Database.open(tmp_path / "home").close()
    assert main(["disconnect", "--project", "7"]) == BAD_INPUT
    assert "project 7" in capsys.readouterr().err


def test_disconnect_again_changes_nothing_and_asks_for_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = Database.open(tmp_path / "home")
    with db.write() as session:
        project = projects.ensure(session, "7.1")
        projects.configure(session, project, connection={"connected": False, "url": "http://label.example"})
    db.close()
    assert main(["disconnect", "--project", "7"]) == 0
    said = capsys.readouterr()
    assert "not connected" in said.out
    assert said.err == ""


def test_doctor_fails_while_something_does_not_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == FAILED
    shown = capsys.readouterr().out
    assert "mend: set LABEL_STUDIO_URL" in shown
    assert "need attention" in shown
