"""A real browser that is signed in to the real Label Studio."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

from ml_backend.demo.browser import QUIET
from tests.browser import launch
from tests.conftest import RunningLabelStudio

WAIT_MILLISECONDS = 60_000


@contextmanager
def signed_in(label_studio: RunningLabelStudio, width: int, height: int) -> Iterator[Page]:
    """A page of the account's user."""
    account = label_studio.process.account
    with sync_playwright() as playwright:
        browser = launch(playwright, QUIET)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(f"{label_studio.url}/user/login/", wait_until="domcontentloaded")
        page.fill("input[name=email]", account.email)
        page.fill("input[name=password]", account.password)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(lambda url: "login" not in url, wait_until="commit", timeout=WAIT_MILLISECONDS)
        yield page
        browser.close()
