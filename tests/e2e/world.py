"""One Label Studio project and one Lantern that is guarded as on a shared network, for test_main_job.py."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from ml_backend.config import Settings
from ml_backend.data.label_config import parse_label_config
from ml_backend.data.notifications import make_notifications
from ml_backend.demo.annotator import Annotator, regions
from ml_backend.demo.lantern_process import LanternProcess
from ml_backend.demo.lantern_status import LanternStatus
from ml_backend.store import projects, publications
from ml_backend.store.database import Database
from tests.conftest import RunningLabelStudio

Json = dict[str, Any]

KINDS = ("battery", "delivery", "disk failure", "meeting", "payment")
N_TASKS = 240
SECONDS = 300.0

CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="kind" toName="text" choice="single-radio">
    {choices}
  </Choices>
  <Choices name="tags" toName="text" choice="multiple">
    <Choice value="needs action"/><Choice value="hardware"/><Choice value="money"/>
  </Choices>
</View>
""".format(choices="".join(f'<Choice value="{kind}"/>' for kind in KINDS))
SCHEMA = parse_label_config(CONFIG)


@dataclass
class World:
    """truth: kind by task, known to the test alone. given: the annotation of each labelled task."""

    label_studio: RunningLabelStudio
    settings: Settings
    lantern: LanternProcess
    annotator: Annotator
    project: int
    truth: dict[int, str]
    unreadable: int
    given: dict[int, int] = field(default_factory=dict)

    def label(self, task: int, kind: str | None = None) -> None:
        """Submit (or update) the annotation of a task; kind None = the truth."""
        result = regions(SCHEMA, {"kind": (kind or self.truth[task],)})
        if task in self.given:
            self.annotator.change(self.given[task], result)
        else:
            self.given[task] = self.annotator.annotate(task, result)

    def unlabel(self, task: int) -> None:
        """Delete the annotation of a task."""
        self.annotator.delete(self.given.pop(task))

    def status(self) -> Json:
        found = LanternStatus(self.settings).project(self.project)
        assert found is not None
        return found

    def wait_until_spread(self) -> None:
        """Until Label Studio shows what Lantern makes of all labels."""
        wait_for(lambda: LanternStatus(self.settings).missing(self.project, len(self.given)))

    def wait_for_status(self, wanted: Callable[[Json], bool], what: str) -> Json:
        def missing() -> str | None:
            return None if wanted(self.status()) else what

        wait_for(missing)
        return self.status()

    def shown(self) -> dict[int, Json]:
        """Label Studio's predictions of the project's model version, by task."""
        version = self.in_label_studio()["model_version"]
        return {
            task["id"]: prediction
            for page in self.annotator.tasks(self.project)
            for task in page
            for prediction in task["predictions"]
            if prediction["model_version"] == version
        }

    def shown_kinds(self) -> dict[int, str]:
        """The predicted kind of each task that has one."""
        kinds = {task: kind_of(prediction) for task, prediction in self.shown().items()}
        return {task: kind for task, kind in kinds.items() if kind is not None}

    def predict(self, tasks: list[int]) -> Json:
        """What Lantern answers Label Studio's /predict."""
        data = [{"id": t, "data": self.label_studio.api.client.get(f"/api/tasks/{t}/").body["data"]} for t in tasks]
        body = {"tasks": data, "project": self.uid(), "label_config": CONFIG}
        answer = httpx.post(f"{self.lantern.url}/predict", json=body, auth=self.auth, timeout=60.0)
        answer.raise_for_status()
        found: Json = answer.json()
        return found

    @property
    def auth(self) -> tuple[str, str]:
        assert self.settings.basic_auth_user
        assert self.settings.basic_auth_pass
        return self.settings.basic_auth_user, self.settings.basic_auth_pass

    def uid(self) -> str:
        return str(self.in_label_studio()["uid"])

    def in_label_studio(self) -> Json:
        return self.label_studio.api.project(self.project)

    def weights(self) -> str:
        """Hash of the published model's tensors."""
        db = Database.open(self.settings.home)
        try:
            with db.read() as session:
                project = projects.by_label_studio_id(session, self.project)
                assert project is not None
                newest = publications.newest(session, project)
                assert newest is not None
                folder = self.settings.home / newest.model_path
        finally:
            db.close()
        files = sorted(folder.glob("*.safetensors"))
        assert files
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()

    def accuracy(self) -> float:
        """Share of the predicted, unlabelled tasks whose kind is right; 0 when fewer than half are predicted."""
        shown = {task: kind for task, kind in self.shown_kinds().items() if task not in self.given}
        if 2 * len(shown) < N_TASKS - len(self.given):
            return 0.0
        return sum(self.truth[task] == kind for task, kind in shown.items()) / len(shown)


def make_world(label_studio: RunningLabelStudio, settings: Settings, lantern: LanternProcess) -> World:
    """Imports the tasks; nothing is connected yet."""
    annotator = Annotator(label_studio.api)
    project = annotator.make_project("Main job", CONFIG)
    made = [one for one in make_notifications(1500) if one["label"] in KINDS][:N_TASKS]
    assert len(made) == N_TASKS
    assert min(Counter(one["label"] for one in made).values()) >= 20
    (tasks,) = annotator.import_tasks(project, [{"text": one["text"]} for one in made] + [{"text": "  "}])
    truth = dict(zip(tasks, (one["label"] for one in made), strict=False))
    return World(label_studio, settings, lantern, annotator, project, truth, tasks[-1])


def guarded_settings(
    home: Path, port: int, label_studio: RunningLabelStudio, *, start_training_each_n_updates: int = 5
) -> Settings:
    """With every guard on, a personal access token, and no periodic reconcile that could hide a lost webhook."""
    return Settings(
        home=home,
        host="127.0.0.1",
        port=port,
        label_studio_url=label_studio.url,
        label_studio_api_key=label_studio.personal_token,
        basic_auth_user="lantern",
        basic_auth_pass="a long password",
        webhook_secret="a-webhook-secret",
        start_training_each_n_updates=start_training_each_n_updates,
        debounce_seconds=2.0,
        push_interval_seconds=1.0,
        reconcile_seconds=86_400.0,
    )


def kind_of(prediction: Json) -> str | None:
    """The predicted kind, None where Lantern abstains."""
    regions_of_kind = [region for region in prediction["result"] if region["from_name"] == "kind"]
    return str(regions_of_kind[0]["value"]["choices"][0]) if regions_of_kind else None


def wait_for(missing: Callable[[], str | None], seconds: float = SECONDS) -> None:
    """Until `missing` gives None; fails with its last answer."""
    deadline = time.monotonic() + seconds
    while (answer := missing()) is not None:
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {answer}"
        time.sleep(0.3)
