"""A real Label Studio, shared by all tests that are marked e2e; a headless Chromium for each module that wants one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from ml_backend.demo.browser import QUIET, SOFTWARE_GL, WITHOUT_GL
from ml_backend.demo.label_studio_process import Account, LabelStudioProcess, label_studio_program
from ml_backend.demo.ports import free_port
from ml_backend.errors import ConfigError
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.client import LabelStudioClient
from tests.browser import launch

LABEL_STUDIO_ENVIRONMENT = Path(__file__).parents[1] / ".venv-label-studio"


@dataclass(frozen=True)
class RunningLabelStudio:
    """A real Label Studio on this machine. Both tokens are of the same user, who may do everything."""

    process: LabelStudioProcess
    legacy_token: str
    personal_token: str

    @property
    def url(self) -> str:
        return self.process.url

    @property
    def client(self) -> LabelStudioClient:
        """A new client with the legacy token."""
        return LabelStudioClient(self.url, self.legacy_token)

    @property
    def api(self) -> LabelStudioApi:
        return LabelStudioApi(self.client)

    def restart(self) -> None:
        """Up again with the same data, after `process.stop()` or not."""
        self.process.stop()
        self.process.start()
        self.process.wait_until_up()


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLabelStudio]:
    """Started once per test run with an empty database (30 to 60 s). Tests make projects of their own in it."""
    try:
        program = label_studio_program(LABEL_STUDIO_ENVIRONMENT)
    except ConfigError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("label-studio")
    account = Account.kept_in(folder / "account.json")
    process = LabelStudioProcess(program, folder / "data", free_port(), account)
    try:
        process.start()
        process.wait_until_up()
        client = LabelStudioClient(process.url, account.token)
        personal_token = str(client.send("POST", "/api/token/").body["token"])
        yield RunningLabelStudio(process, account.token, personal_token)
    finally:
        process.stop()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """One at a time: a module's browsers share it."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    started = launch(playwright, QUIET)
    yield started
    started.close()


@pytest.fixture(scope="module")
def browser_without_gl(playwright: Playwright) -> Iterator[Browser]:
    """In which WebGL cannot be had at all."""
    started = launch(playwright, WITHOUT_GL)
    yield started
    started.close()


@pytest.fixture(scope="module")
def browser_with_gl(playwright: Playwright) -> Iterator[Browser]:
    """With WebGL in software."""
    started = launch(playwright, SOFTWARE_GL)
    yield started
    started.close()
