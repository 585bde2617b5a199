"""A headless Chromium for the tests that open pages: $CHROMIUM, the machine's own, or Debian's package."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import Browser, Playwright

from ml_backend.demo.browser import chromium_installed
from ml_backend.errors import ConfigError


def program() -> str:
    """Skips the test where there is no Chromium and none can be installed; with CI set it fails instead."""
    try:
        return chromium_installed()
    except ConfigError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


def launch(playwright: Playwright, flags: tuple[str, ...]) -> Browser:
    """Skips and fails as `program` does."""
    return playwright.chromium.launch(executable_path=program(), args=list(flags))
