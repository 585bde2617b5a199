"""`make screenshots`: the pictures of the documentation, taken of the demo's Label Studio as an annotator sees it."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from ml_backend.demo.browser import QUIET, chromium
from ml_backend.demo.demonstration import Demonstration, Outcome
from ml_backend.demo.label_studio_process import Account
from ml_backend.demo.options import parse_options
from ml_backend.demo.signals import interrupts_on_request
from ml_backend.errors import LanternError
from ml_backend.label_studio.wanted import TAB

FOLDER = Path(__file__).parents[2] / "docs" / "images"
WIDTH, HEIGHT = 1280, 720
WAIT_MILLISECONDS = 120_000
SETTLE_MILLISECONDS = 3_000
"""For pictures and fonts, which no event announces."""
MAX_COLOURS = 256
"""A palette keeps each picture well below 300 KB."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the demo and takes the pictures; returns the exit status."""
    demonstration = Demonstration(parse_options(["--once", *(sys.argv[1:] if argv is None else argv)]))
    with interrupts_on_request():
        try:
            browser = chromium()
            outcomes = demonstration.run()
            demonstration.tidy(outcomes)
            take(outcomes, Account.kept_in(demonstration.workspace.account), browser)
        except LanternError as error:
            print(f"screenshots: {error}", file=sys.stderr)
            return 1
        finally:
            demonstration.stop()
    return 0


def take(outcomes: Sequence[Outcome], account: Account, browser: str) -> None:
    """label-next.png, predicted.png and never-seen.png."""
    notifications = outcomes[-1]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with logged_in(notifications, account, browser) as page:
        open_tab(page, notifications)
        keep(page, "label-next.png")
        open_task(page, notifications, a_sure_task(notifications))
        keep(page, "predicted.png")
        open_task(page, notifications, notifications.findings.outliers[0])
        keep(page, "never-seen.png")


@contextmanager
def logged_in(outcome: Outcome, account: Account, browser: str) -> Iterator[Page]:
    """A page of the account's user."""
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=browser, args=list(QUIET))
        page = chrome.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(f"{outcome.scenario.annotator.api.url}/user/login/", wait_until="domcontentloaded")
        page.fill("input[name=email]", account.email)
        page.fill("input[name=password]", account.password)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(lambda url: "login" not in url, wait_until="commit", timeout=WAIT_MILLISECONDS)
        yield page
        chrome.close()


def open_tab(page: Page, outcome: Outcome) -> None:
    """The project's Data Manager at the "Label next" tab."""
    page.goto(f"{_project(outcome)}/data?tab={_tab(outcome)}", wait_until="domcontentloaded")
    first = outcome.findings.next[0].task
    page.get_by_text(str(first), exact=True).first.wait_for(timeout=WAIT_MILLISECONDS)
    page.wait_for_timeout(SETTLE_MILLISECONDS)


def open_task(page: Page, outcome: Outcome, task: int) -> None:
    """One task in the labelling screen."""
    address = f"{_project(outcome)}/data?tab={_tab(outcome)}&task={task}"
    page.goto(address, wait_until="domcontentloaded")
    page.get_by_role("button", name="Submit").wait_for(timeout=WAIT_MILLISECONDS)
    page.wait_for_timeout(SETTLE_MILLISECONDS)


def a_sure_task(outcome: Outcome) -> int:
    """The unlabelled task of whose prediction Lantern is surest."""
    scenario = outcome.scenario
    best, surest = 0, -1.0
    for tasks in scenario.annotator.tasks(scenario.made.project):
        for task in tasks:
            regions = task["predictions"][-1]["result"] if task["predictions"] and not task["annotations"] else []
            if len(regions) > 1 and (confidence := min(region["score"] for region in regions)) > surest:
                best, surest = task["id"], confidence
    return best


def keep(page: Page, name: str) -> None:
    """Write what the page shows, with a palette."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    path = FOLDER / name
    picture.quantize(MAX_COLOURS).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1024:.0f} KB")


def _project(outcome: Outcome) -> str:
    return f"{outcome.scenario.annotator.api.url}/projects/{outcome.scenario.made.project}"


def _tab(outcome: Outcome) -> int:
    views = outcome.scenario.annotator.api.views(outcome.scenario.made.project)
    return int(next(view["id"] for view in views if view.get("data", {}).get("title") == TAB["title"]))


if __name__ == "__main__":
    sys.exit(main())
