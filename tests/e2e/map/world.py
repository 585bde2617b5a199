"""One project with the map beside its tasks, shared by all tests here: a real Label Studio, a real Lantern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from ml_backend.config import Settings
from ml_backend.data.notifications import make_notifications
from ml_backend.demo.annotator import Annotator
from ml_backend.demo.lantern_process import LanternProcess
from ml_backend.demo.lantern_status import LanternStatus
from ml_backend.label_studio.connect import connect
from ml_backend.label_studio.map_config import find_map
from ml_backend.store.database import Database
from tests.conftest import RunningLabelStudio
from tests.e2e.world import KINDS, guarded_settings, wait_for

Json = dict[str, Any]

CONTROL = "kind"
CONFIG = """<View>
  <Text name="text" value="$text"/>
  <Choices name="kind" toName="text" choice="single-radio">
    {choices}
  </Choices>
</View>""".format(choices="".join(f'<Choice value="{kind}"/>' for kind in KINDS))
N_TASKS = 400
"""So many that a training lasts longer than the page waits between two looks: it is drawn while it runs."""
HOSTILE = "<script>window.__broken = 1</script><img src=x onerror=\"window.__broken = 2\"><b>bold</b> &amp; 'quoted'"
"""A task's text that would run, were it ever taken for HTML."""
UNNAMED, NO_LABEL, LABELLED = 65_535, 0, 2


@dataclass
class MapWorld:
    """texts: by task. kinds: the truth, known to the tests alone."""

    label_studio: RunningLabelStudio
    lantern: LanternProcess
    settings: Settings
    annotator: Annotator
    project: int
    uid: str
    key: str
    texts: dict[int, str]
    kinds: dict[int, str]

    @property
    def address(self) -> str:
        """Of the page, with the link key as Label Studio's config has it."""
        return f"{self.lantern.url}/map/{self.uid}#key={self.key}"

    @property
    def token(self) -> str:
        """The person's own."""
        return self.label_studio.personal_token

    @property
    def _base(self) -> str:
        return f"{self.lantern.url}/map/{self.uid}/api"

    def _session(self) -> dict[str, str]:
        session = httpx.post(f"{self._base}/session", json={"key": self.key}, timeout=60.0)
        session.raise_for_status()
        return {"Authorization": f"Bearer {session.json()['token']}"}

    def get(self, path: str, **params: str | int) -> httpx.Response:
        """Below /map/<project>/api, with a session of the link key."""
        reply = httpx.get(f"{self._base}/{path}", params=params, headers=self._session(), timeout=60.0)
        reply.raise_for_status()
        return reply

    def post(self, path: str, body: Json) -> Json:
        """As the person does from a page of their own."""
        headers = {**self._session(), "X-Label-Studio-Token": self.token}
        reply = httpx.post(f"{self._base}/{path}", json=body, headers=headers, timeout=60.0)
        reply.raise_for_status()
        found: Json = reply.json()
        return found

    def label(self, kind: str, tasks: Sequence[int]) -> int:
        """The person's act that gives the tasks a class; its number."""
        body = {"kind": "label", "control": CONTROL, "label": kind, "tasks": list(tasks), "overwrite": False}
        return int(self.post("acts", body)["act"]["id"])

    def of_kind(self, kind: str, n: int) -> list[int]:
        """The first n tasks that are of a kind by the truth."""
        return [task for task, known in self.kinds.items() if known == kind][:n]

    def row_of(self, task: int) -> int:
        """Its place in every column."""
        return int(np.flatnonzero(self.column("ids") == task)[0])

    def has_labels(self, given: dict[int, str]) -> str | None:
        """None when Label Studio has exactly these labels, each once and of the person; else what is missing."""
        wanted = {task: [(kind, self.person())] for task, kind in given.items()}
        found = self.answers()
        return None if found == wanted else f"{wanted} in Label Studio, which has {found}"

    def column(self, name: str) -> NDArray[Any]:
        """(n,) or (n, width) as served now."""
        raw = self.get(f"columns/{name}", control=CONTROL).content
        dtype, width = {1: np.uint8, 2: np.uint16, 3: np.uint32, 4: np.float32}[raw[5]], raw[6]
        values = np.frombuffer(raw, dtype, offset=16)
        return values.reshape(-1, width) if width > 1 else values

    def runs(self) -> list[Json]:
        """The trainings, newest first."""
        found: list[Json] = self.get("runs").json()["runs"]
        return found

    def better_map(self) -> str | None:
        """What is still to come, None when the points stay where they are."""
        return "a better map" if self.get("state").json()["layout"]["better_on_its_way"] else None

    def answers(self) -> dict[int, list[tuple[str, int]]]:
        """Task -> (choice, person) of each of its annotations in Label Studio; tasks without any are left out."""
        found: dict[int, list[tuple[str, int]]] = {}
        for page in self.annotator.tasks(self.project):
            for task in page:
                for one in task["annotations"]:
                    choice = next((r["value"]["choices"][0] for r in one["result"] if r["from_name"] == CONTROL), "")
                    found.setdefault(task["id"], []).append((choice, person_of(one)))
        return found

    def predicted(self) -> dict[int, str]:
        """Task -> the choice that the project's model version names in Label Studio."""
        version = self.label_studio.api.project(self.project)["model_version"]
        return {
            task["id"]: one["result"][0]["value"]["choices"][0]
            for page in self.annotator.tasks(self.project)
            for task in page
            for one in task["predictions"]
            if one["model_version"] == version and one["result"]
        }

    def person(self) -> int:
        """Label Studio's number of the account that the tests sign in as."""
        return int(self.label_studio.api.client.get("/api/current-user/whoami").body["id"])

    def forget_labels(self) -> None:
        """Every act and annotation of the project goes, and Lantern has heard of it: how each test begins."""
        for act in self.get("acts", limit=200).json()["acts"]:
            if not act["undone"]:
                self.post(f"acts/{act['id']}/undo", {})
        wait_for(lambda: None if self.get("state").json()["outbox"]["waiting"] == 0 else "labels to be taken back")
        for page in list(self.annotator.tasks(self.project)):
            for task in page:
                for one in task["annotations"]:
                    self.annotator.delete(one["id"])
        wait_for(lambda: None if (self.column("status") != LABELLED).all() else "labels that are gone still count")


def make_map_world(label_studio: RunningLabelStudio, folder: Path, port: int) -> MapWorld:
    """Connected with the map, with a model of all tasks and no labels. No training starts by itself."""
    settings = guarded_settings(folder / "home", port, label_studio, start_training_each_n_updates=10_000)
    lantern = LanternProcess(settings, folder / "lantern.log")
    lantern.start()
    lantern.wait_until_up()
    annotator = Annotator(label_studio.api)
    project = annotator.make_project("Map", CONFIG)
    made = [one for one in make_notifications(1500) if one["label"] in KINDS][:N_TASKS]
    rows = [{"text": one["text"], "alert": f"A-{i}"} for i, one in enumerate(made)]
    (tasks,) = annotator.import_tasks(project, [*rows, {"text": HOSTILE, "alert": "A-hostile"}])
    db = Database.open(settings.home)
    connect(db, settings, project=project, beside=True)
    db.close()
    in_label_studio = label_studio.api.project(project)
    shown = find_map(str(in_label_studio["label_config"]))
    assert shown is not None
    texts = dict(zip(tasks, [*(row["text"] for row in rows), HOSTILE], strict=True))
    kinds = dict(zip(tasks, (one["label"] for one in made), strict=False))
    world = MapWorld(
        label_studio, lantern, settings, annotator, project, str(in_label_studio["uid"]), shown.key, texts, kinds
    )
    status = LanternStatus(settings)
    wait_for(lambda: status.missing(project, 0))
    return world


def person_of(annotation: Json) -> int:
    """Who gave it: Label Studio says so in two ways."""
    by = annotation["completed_by"]
    return int(by["id"] if isinstance(by, dict) else by)
