"""The pictures of Label Studio itself: the queue, a task that Lantern labelled, one that it never saw."""

from __future__ import annotations

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from ml_backend.demo.demonstration import Outcome
from ml_backend.demo.scenario import Scenario
from ml_backend.demo.screenshots.picture import keep
from ml_backend.demo.screenshots.studio import Studio
from ml_backend.label_studio.wanted import TAB

WIDTH, HEIGHT = 1280, 720
SETTLE_MILLISECONDS = 3_000


def take_task_pictures(studio: Studio, outcome: Outcome) -> None:
    """label-next.png, predicted.png and never-seen.png."""
    scenario, found = outcome.scenario, outcome.findings
    with studio.signed_in(WIDTH, HEIGHT) as page:
        open_tab(page, scenario, first=found.next[0].task)
        keep(page, "label-next.png", settle=SETTLE_MILLISECONDS)
        open_task(page, scenario, a_sure_task(scenario))
        keep(page, "predicted.png", settle=SETTLE_MILLISECONDS)
        open_task(page, scenario, found.outliers[0])
        keep(page, "never-seen.png", settle=SETTLE_MILLISECONDS)


def open_tab(page: Page, scenario: Scenario, first: int) -> None:
    """The project's Data Manager at the "Label next" tab, once the task `first` is shown."""
    page.goto(f"{_project(scenario)}/data?tab={_tab(scenario)}", wait_until="domcontentloaded")
    page.get_by_text(str(first), exact=True).first.wait_for()


def open_task(page: Page, scenario: Scenario, task: int) -> None:
    """One task in the labelling screen. Once more where Label Studio gave up, as it does while its SQLite is busy."""
    submit = page.get_by_role("button", name="Submit")
    page.goto(f"{_project(scenario)}/data?tab={_tab(scenario)}&task={task}", wait_until="domcontentloaded")
    try:
        submit.wait_for()
    except PlaywrightTimeout:
        page.reload(wait_until="domcontentloaded")
        submit.wait_for()


def a_sure_task(scenario: Scenario) -> int:
    """The unlabelled task of whose prediction Lantern is surest."""
    best, surest = 0, -1.0
    for tasks in scenario.annotator.tasks(scenario.made.project):
        for task in tasks:
            regions = task["predictions"][-1]["result"] if task["predictions"] and not task["annotations"] else []
            if len(regions) > 1 and (confidence := min(region["score"] for region in regions)) > surest:
                best, surest = task["id"], confidence
    return best


def _project(scenario: Scenario) -> str:
    return f"{scenario.annotator.api.url}/projects/{scenario.made.project}"


def _tab(scenario: Scenario) -> int:
    views = scenario.annotator.api.views(scenario.made.project)
    return int(next(view["id"] for view in views if view.get("data", {}).get("title") == TAB["title"]))
