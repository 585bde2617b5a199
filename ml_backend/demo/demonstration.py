"""The demo from start to end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tqdm import tqdm

from ml_backend.config import Settings
from ml_backend.demo import summary
from ml_backend.demo.annotator import Annotator
from ml_backend.demo.dataset_subject import dataset_subject
from ml_backend.demo.findings import NEXT, Findings, find, stored_predictions
from ml_backend.demo.label_studio_process import Account, LabelStudioProcess, label_studio_program
from ml_backend.demo.lantern_process import LanternProcess
from ml_backend.demo.lantern_status import LanternStatus
from ml_backend.demo.options import DemoOptions
from ml_backend.demo.ports import require_free
from ml_backend.demo.scenario import Scenario, label_in_rounds, make_or_reuse
from ml_backend.demo.servers import Server
from ml_backend.demo.subjects import Subject, digits, notifications
from ml_backend.demo.waiting import waiting
from ml_backend.demo.workspace import Workspace
from ml_backend.engine.engine import Engine
from ml_backend.errors import DemoError
from ml_backend.label_studio.api import LabelStudioApi
from ml_backend.label_studio.client import LabelStudioClient
from ml_backend.label_studio.media_access import fetcher_factory
from ml_backend.label_studio.wanted import TAB
from ml_backend.store.database import Database

WATCH_SECONDS = 1.0
DEBOUNCE_SECONDS = 1.0
"""Shorter than the default: the demo's person does not pause between labels."""
PUSH_INTERVAL_SECONDS = 5.0


@dataclass(frozen=True)
class Outcome:
    """One project after the labelling."""

    scenario: Scenario
    findings: Findings


class Demonstration:
    """Two servers and what is done with them. `stop` ends both, whatever happened."""

    def __init__(self, options: DemoOptions) -> None:
        self.options = options
        self.workspace = Workspace(options.folder)
        self._running: list[Server] = []

    def run(self) -> list[Outcome]:
        """Everything up to the summary; both servers go on running. Raises LanternError."""
        subjects = self._subjects()
        label_studio, lantern = self.start()
        outcomes = self.label(self.prepare(subjects, label_studio, lantern), label_studio, lantern)
        where = summary.addresses(label_studio.url, lantern.url, label_studio.account, lantern.settings.home)
        print(where, flush=True)
        return outcomes

    def label(
        self, scenarios: list[Scenario], label_studio: LabelStudioProcess, lantern: LanternProcess
    ) -> list[Outcome]:
        """Give the labels, wait until they have spread, and say what came of it. Raises LanternError."""
        print("3. Labelling, in the order of Lantern's queue")
        label_in_rounds(scenarios, self.options.labels)
        for scenario in scenarios:
            scenario.wait_until_spread()
        print("4. What came of it\n")
        outcomes = self._find_out(scenarios, lantern.settings)
        for outcome in outcomes:
            text = summary.project_summary(outcome.scenario, outcome.findings, label_studio.url, lantern.url)
            print(text, end="\n\n", flush=True)
        if not self.options.once:
            self.tidy(outcomes)
        return outcomes

    def tidy(self, outcomes: Sequence[Outcome]) -> None:
        """Let Lantern clean up, so that the first thing a visitor meets is no busy database. Raises DemoError."""
        print("5. Waiting until Lantern has deleted the predictions that newer ones replaced")
        for outcome in outcomes:
            outcome.scenario.wait_until_tidy()

    def keep_running(self) -> None:
        """Until KeyboardInterrupt. Raises DemoError when one of the two ends by itself."""
        print("\nBoth go on running; stop them with Ctrl-C.", flush=True)
        while True:
            for server in self._running:
                server.require_running()
            time.sleep(WATCH_SECONDS)

    def stop(self) -> None:
        """End what runs, the newest first."""
        while self._running:
            self._running.pop().stop()

    def _subjects(self) -> list[Subject]:
        if self.options.dataset is None:
            return [digits(), notifications()]
        subject = dataset_subject(self.options.dataset, self.options.tasks)
        print(f"{self.options.dataset}: {subject.note}")
        return [subject]

    def start(self) -> tuple[LabelStudioProcess, LanternProcess]:
        """Both servers, once they answer. Raises LanternError."""
        options = self.options
        program = label_studio_program(options.label_studio_environment)
        require_free(options.label_studio_port, "Label Studio", "--label-studio-port")
        require_free(options.port, "Lantern", "--port")
        if options.fresh:
            self.workspace.clear()
        account = Account.kept_in(self.workspace.account)
        label_studio = LabelStudioProcess(program, self.workspace.label_studio_data, options.label_studio_port, account)
        settings = Settings.from_environment(
            {},
            home=self.workspace.lantern_home,
            port=options.port,
            label_studio_url=label_studio.url,
            label_studio_api_key=account.token,
            debounce_seconds=DEBOUNCE_SECONDS,
            push_interval_seconds=PUSH_INTERVAL_SECONDS,
        )
        lantern = LanternProcess(settings, self.workspace.lantern_log)
        print(f"1. Starting Label Studio and Lantern (logs and data in {options.folder})")
        for server in (label_studio, lantern):
            self._running.append(server)
            server.start()
        for server in (label_studio, lantern):
            self._wait_until_up(server)
        return label_studio, lantern

    def _wait_until_up(self, server: Server) -> None:
        with waiting() as say:
            server.wait_until_up(lambda _waited: say(f"waiting for {server.name}"))

    def prepare(
        self, subjects: list[Subject], label_studio: LabelStudioProcess, lantern: LanternProcess
    ) -> list[Scenario]:
        """A connected project of each subject. Raises LanternError."""
        print("2. Making the projects and connecting them to Lantern")
        api = LabelStudioApi(LabelStudioClient(label_studio.url, label_studio.account.token))
        annotator, status = Annotator(api), LanternStatus(lantern.settings)
        scenarios = [
            Scenario(subject, annotator, status, make_or_reuse(subject, self.workspace, annotator))
            for subject in subjects
        ]
        db = Database.open(lantern.settings.home)
        try:
            for scenario in scenarios:
                scenario.connect(db, lantern.settings)
        finally:
            db.close()
        return scenarios

    def _find_out(self, scenarios: list[Scenario], settings: Settings) -> list[Outcome]:
        db = Database.open(settings.home)
        try:
            engine = Engine(db, settings, fetcher_factory(settings))
            return [Outcome(scenario, _findings(scenario, engine)) for scenario in scenarios]
        finally:
            db.close()


def _findings(scenario: Scenario, engine: Engine) -> Findings:
    annotator, number = scenario.annotator, scenario.made.project
    project = annotator.api.project(number)
    tasks = []
    with tqdm(
        total=len(scenario.made.tasks), desc="  reading predictions", unit="task", disable=None, leave=False
    ) as bar:
        for page in annotator.tasks(number):
            tasks += page
            bar.update(len(page))
    view = engine.view(project["uid"])
    if view is None:
        raise DemoError(f"Lantern has no model of {scenario.subject.title}")
    stored = stored_predictions(tasks, project["model_version"], scenario.subject.control)
    queue = annotator.queue(number, TAB["title"], NEXT)
    return find(scenario.subject, scenario.truths, stored, view, queue)
