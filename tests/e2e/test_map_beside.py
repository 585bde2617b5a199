"""`lantern connect --map` on a real Label Studio, seen in a real browser: the map opens beside the task, labelling goes
on as before, and `--no-map` leaves the label config as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Frame, Page, Response

from ml_backend.cli.command_line import main
from ml_backend.config import Settings
from ml_backend.demo.annotator import Annotator
from ml_backend.demo.lantern_process import LanternProcess
from ml_backend.demo.ports import free_port
from ml_backend.label_studio.connect import connect
from ml_backend.label_studio.connections import Connections
from ml_backend.label_studio.disconnect import disconnect
from ml_backend.label_studio.map_config import find_map
from ml_backend.store import projects
from ml_backend.store.database import Database
from ml_backend.web.map.page import BUILT
from tests.conftest import RunningLabelStudio
from tests.e2e.browser import WAIT_MILLISECONDS, signed_in
from tests.e2e.world import guarded_settings, wait_for

CONFIG = """<View>
  <!-- "kept" > as it is -->
  <Header value="5 &gt; 3 &amp; ä"/>
  <Text name="text" value="$text"/>
  <Choices name="kind" toName="text"><Choice value="a"/><Choice value="b"/></Choices>
</View>"""
N_TASKS = 4


@pytest.fixture(scope="module")
def lantern(tmp_path_factory: pytest.TempPathFactory, label_studio: RunningLabelStudio) -> Iterator[LanternProcess]:
    folder = tmp_path_factory.mktemp("map-beside")
    process = LanternProcess(guarded_settings(folder / "home", free_port(), label_studio), folder / "lantern.log")
    process.start()
    process.wait_until_up()
    yield process
    process.stop()


@pytest.fixture
def settings(lantern: LanternProcess) -> Settings:
    return lantern.settings


@pytest.fixture
def db(settings: Settings) -> Iterator[Database]:
    opened = Database.open(settings.home)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def page(label_studio: RunningLabelStudio) -> Iterator[Page]:
    with signed_in(label_studio, 1600, 900) as made:
        yield made


BESIDE = """() => {
  const [map, text] = ["object", ".lsf-richtext"].map((name) => document.querySelector(name)?.getBoundingClientRect());
  return map && text && map.height === 640 && text.right <= map.left;
}"""


class Beside:
    """One project in Label Studio, connected."""

    def __init__(self, label_studio: RunningLabelStudio, db: Database, settings: Settings, tasks: list[Any]) -> None:
        self.label_studio, self.db, self.settings = label_studio, db, settings
        self.annotator = Annotator(label_studio.api)
        self.number = self.annotator.make_project("Beside", CONFIG)
        (self.tasks,) = self.annotator.import_tasks(self.number, tasks)

    def connect(self, beside: bool | None = True) -> str:
        """What connect says about the map."""
        changes = connect(self.db, self.settings, project=self.number, beside=beside)
        return "".join(f"{c.changed} {c.detail}" for c in changes if c.what == "map")

    @property
    def config(self) -> str:
        return str(self.label_studio.api.project(self.number)["label_config"])

    def opens(self, key: str) -> bool:
        uid = self.label_studio.api.project(self.number)["uid"]
        address = f"http://localhost:{self.settings.port}/map/{uid}/api/session"
        return httpx.post(address, json={"key": key}).is_success


@pytest.fixture
def project(label_studio: RunningLabelStudio, db: Database, settings: Settings) -> Beside:
    rows = [{"text": f"text number {i}", "alert": f"A-{i}"} for i in range(N_TASKS)]
    return Beside(label_studio, db, settings, rows)


def open_task(page: Page, project: Beside, task: int) -> list[Response]:
    """What the browser was answered at addresses of the map, also later on."""
    answers: list[Response] = []
    page.on("response", lambda reply: answers.append(reply) if "/map/" in reply.url else None)
    address = f"{project.label_studio.url}/projects/{project.number}/data?task={task}"
    page.goto(address, wait_until="domcontentloaded")
    page.get_by_role("button", name="Submit").wait_for(timeout=WAIT_MILLISECONDS)
    page.wait_for_selector("object[type='text/html']", timeout=WAIT_MILLISECONDS)
    _until(page, lambda: any(a.request.resource_type == "document" for a in answers), "the map's page")
    return answers


def _until(page: Page, there: Callable[[], bool], what: str) -> None:
    for _ in range(WAIT_MILLISECONDS // 200):
        if there():
            return
        page.wait_for_timeout(200)  # not time.sleep: events arrive only while the browser is asked something
    raise AssertionError(f"{what} did not come")


def _points(frame: Frame) -> int:
    """How many points the map in a frame shows; 0 while it loads, or when Label Studio builds it anew."""
    try:
        return int(frame.evaluate("window.__map?.ready ? window.__map.n : 0"))
    except PlaywrightError:
        return 0


def test_the_map_opens_beside_the_task_and_labelling_goes_on(page: Page, project: Beside) -> None:
    assert "'alert'" in project.connect()
    shown = find_map(project.config)
    assert shown is not None
    assert project.opens(shown.key)

    answers = open_task(page, project, project.tasks[2])
    frame = next(a for a in answers if a.request.resource_type == "document")
    assert frame.url.endswith(f"/map/{shown.project}?value=A-2")
    assert frame.request.resource_type == "document"
    assert "x-frame-options" not in frame.headers
    # Label Studio builds the task's screen several times over.
    page.wait_for_function("document.querySelector('object')?.getBoundingClientRect().width >= 480")
    page.wait_for_function(BESIDE)
    if (BUILT / "index.html").is_file():  # else 503, which no browser shows in an <object>
        _until(page, lambda: any("/api/tasks?value=A-2" in a.url and a.ok for a in answers), "the present task")
        _until(page, lambda: any(_points(f) == N_TASKS for f in page.frames if "/map/" in f.url), "the map's points")

    page.locator(".lsf-choice__checkbox").first.click()
    page.get_by_role("button", name="Submit").click()
    wait_for(lambda: None if _annotations(project, project.tasks[2]) else "the annotation", 30)
    [annotation] = _annotations(project, project.tasks[2])
    assert [region["from_name"] for region in annotation["result"]] == ["kind"]


def test_off_again_leaves_the_config_as_it_was(project: Beside) -> None:
    """With annotations there, Label Studio checks every change of a config against them."""
    project.annotator.annotate(project.tasks[0], [_chosen("a")])
    assert project.connect(None) == ""
    assert project.config == CONFIG
    assert project.connect().startswith("True")
    shown = find_map(project.config)
    assert shown is not None
    assert project.connect().startswith("False"), "again changes nothing"
    assert find_map(project.config) == shown

    edited = project.config.replace('<Choice value="b"/>', '<Choice value="b"/><Choice value="c"/>')
    project.label_studio.api.update_project(project.number, {"label_config": edited})
    assert project.connect().startswith("False"), "what people edit in between is kept"
    assert project.config == edited

    assert project.connect(False).startswith("True")
    assert project.config == CONFIG.replace('<Choice value="b"/>', '<Choice value="b"/><Choice value="c"/>')
    assert not project.opens(shown.key)
    assert project.connect(False).startswith("False")


def test_disconnect_takes_it_off(project: Beside) -> None:
    project.connect()
    shown = find_map(project.config)
    assert shown is not None
    with project.db.read() as session:
        row = projects.by_label_studio_id(session, project.number)
    assert row is not None
    api = Connections(project.settings).api(row)
    assert api is not None
    disconnect(project.db, project.settings, api, project.number)
    assert project.config == CONFIG
    assert not project.opens(shown.key)


def test_without_a_field_of_its_own_no_task_is_ringed(
    label_studio: RunningLabelStudio, db: Database, settings: Settings
) -> None:
    project = Beside(label_studio, db, settings, [{"text": "one"}, {"text": "two words"}])
    said = project.connect()
    assert "lantern_key" in said
    shown = find_map(project.config)
    assert shown is not None
    assert shown.field is None
    assert "$text" in project.config
    data = [task["data"] for page in project.annotator.tasks(project.number) for task in page]
    assert data == [{"text": "one"}, {"text": "two words"}], "no field is added"


def test_the_command(project: Beside, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in project.settings.environment().items():
        monkeypatch.setenv(name, value)
    assert main(["connect", "--project", str(project.number), "--map"]) == 0
    shown = find_map(project.config)
    assert shown is not None
    said = capsys.readouterr().out
    assert "changed    map: beside the task" in said
    assert shown.key not in said
    assert main(["doctor", "--project", str(project.number)]) in (0, 1)
    assert "the map is beside the tasks" in capsys.readouterr().out
    assert main(["connect", "--project", str(project.number), "--no-map"]) == 0
    assert project.config == CONFIG


def _annotations(project: Beside, task: int) -> list[dict[str, Any]]:
    found = project.label_studio.api.client.get(f"/api/tasks/{task}/").body["annotations"]
    return list(found)


def _chosen(choice: str) -> dict[str, Any]:
    return {"from_name": "kind", "to_name": "text", "type": "choices", "value": {"choices": [choice]}}
