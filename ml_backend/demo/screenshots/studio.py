"""A browser in which somebody is signed in to Label Studio."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, Page, sync_playwright

from ml_backend.demo.browser import QUIET, chromium
from ml_backend.demo.label_studio_process import Account

WAIT_MILLISECONDS = 120_000


@dataclass(frozen=True)
class Studio:
    """url: Label Studio's. account: whose browser it is."""

    browser: Browser
    url: str
    account: Account

    @contextmanager
    def page(self, width: int, height: int, *, scale: float = 1.0, dark: bool = False) -> Iterator[Page]:
        """An empty page that nobody is signed in to. width, height: CSS pixels. scale: device pixels in each."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.set_default_timeout(WAIT_MILLISECONDS)
        yield page
        context.close()

    @contextmanager
    def signed_in(self, width: int, height: int, *, scale: float = 1.0) -> Iterator[Page]:
        """A page of the account's user."""
        with self.page(width, height, scale=scale) as page:
            page.goto(f"{self.url}/user/login/", wait_until="domcontentloaded")
            page.fill("input[name=email]", self.account.email)
            page.fill("input[name=password]", self.account.password)
            page.press("input[name=password]", "Enter")
            page.wait_for_url(lambda url: "login" not in url, wait_until="commit")
            yield page


@contextmanager
def studio(url: str, account: Account) -> Iterator[Studio]:
    """Raises ConfigError where there is no Chromium."""
    program = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield Studio(browser, url, account)
        browser.close()
