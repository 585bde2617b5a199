"""A database, settings, an engine that says what it is told to, and what a real Label Studio 1.23.2 has sent."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.config import Settings
from ml_backend.data.label_config import LabelSchema, parse_label_config
from ml_backend.engine.prediction import TaskPrediction
from ml_backend.label_studio import client
from ml_backend.label_studio.service import LanternService
from ml_backend.store import projects, publications
from ml_backend.store.database import FILE_NAME, Database
from ml_backend.store.tables import Project, Publication

if TYPE_CHECKING:
    from tests.label_studio.live import LiveLabelStudio, LiveLantern

UID = "3.1795388054"
CONFIG = (
    '<View><Text name="text" value="$text"/>'
    '<Choices name="c" toName="text"><Choice value="a"/><Choice value="b"/></Choices></View>'
)
RICH_CONFIG = (
    '<View><Text name="text" value="$text"/>'
    '<Choices name="c" toName="text"><Choice value="a"/><Choice value="b"/></Choices>'
    '<Choices name="m" toName="text" choice="multiple"><Choice value="x"/><Choice value="y"/></Choices>'
    '<Taxonomy name="t" toName="text"><Choice value="A"><Choice value="B"/></Choice></Taxonomy></View>'
)


def prediction(task_id: int, **changes: Any) -> TaskPrediction:
    """A readable prediction of class a with confidence 0.75 and score 0.5."""
    return TaskPrediction(
        **{"task_id": task_id, "readable": True, "answers": {"c": (("a", 0.75),)}, "score": 0.5, **changes}
    )


@dataclass
class FakeView:
    """What the engine says of the tasks of one publication."""

    task_ids: NDArray[np.int64]
    number: int
    model_version: str
    labels_version: int
    schema: LabelSchema = field(default_factory=lambda: parse_label_config(CONFIG))
    special: Mapping[int, TaskPrediction] = field(default_factory=dict)

    def predictions(self, task_ids: Sequence[int] | None = None) -> list[TaskPrediction]:
        wanted = self.task_ids if task_ids is None else task_ids
        return [self.special.get(int(i), prediction(int(i))) for i in wanted]


@dataclass
class FakeEngine:
    """Answers for any task; `special` holds the odd ones. Its view is made of the newest publication's row."""

    db: Database
    special: dict[int, TaskPrediction] = field(default_factory=dict)
    task_ids: Sequence[int] = ()
    asked: list[list[int]] = field(default_factory=list)

    def predict(self, uid: str, tasks: Sequence[tuple[int, Mapping[str, object]]]) -> list[TaskPrediction]:
        self.asked.append([number for number, _ in tasks])
        return [self.special.get(number, prediction(number)) for number, _ in tasks]

    def view(self, uid: str) -> FakeView | None:
        with self.db.read() as session:
            project = projects.ensure(session, uid)
            newest = publications.newest(session, project)
        if newest is None:
            return None
        return FakeView(
            np.array(self.task_ids, dtype=np.int64),
            newest.number,
            newest.model_version,
            project.labels_version,
            special=self.special,
        )


class NothingPublished:
    """An engine before the first publication."""

    def view(self, uid: str) -> None:
        """Of no project."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, label_studio_url="http://ls.test", label_studio_api_key="0" * 40)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file: copying it is ten times faster than migrating."""
    home = tmp_path_factory.mktemp("empty")
    Database.open(home).close()
    return home / FILE_NAME


@pytest.fixture
def db(tmp_path: Path, empty_database: Path) -> Iterator[Database]:
    shutil.copy(empty_database, tmp_path / FILE_NAME)
    database = Database.open(tmp_path)
    yield database
    database.close()


@pytest.fixture
def engine(db: Database) -> FakeEngine:
    return FakeEngine(db)


@pytest.fixture
def service(settings: Settings, db: Database, engine: FakeEngine) -> LanternService:
    return LanternService(settings, db, engine)


@pytest.fixture(scope="session")
def recorded() -> list[dict[str, Any]]:
    """Requests as Label Studio 1.23.2 sent them, secrets replaced by SECRET-*."""
    text = (Path(__file__).parent / "recorded_1_23_2.json").read_text()
    return list(json.loads(text)["requests"])


def publish(db: Database, uid: str = UID, name: str = "lantern-test", trained: bool = False) -> Publication:
    """A publication row as the engine makes one, without files."""
    with db.write() as session:
        project = projects.ensure(session, uid)
        number = publications.next_number(session, project)
        return publications.add(
            session,
            project,
            model_version=f"{name}-{number}",
            data_version=project.data_version,
            labels_version=project.labels_version,
            model_path=f"m{number}",
            description_path=f"d{number}",
            trained=trained,
            now=float(number),
        )


def project_row(db: Database, uid: str = UID) -> Project:
    """The project as it is now."""
    with db.read() as session:
        return projects.ensure(session, uid)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine has set must not reach a test."""
    for name in list(os.environ):
        if name.startswith(("LANTERN_", "LABEL_STUDIO_")) and not name.startswith(
            ("LANTERN_TEST_", "LABEL_STUDIO_ML_SOURCE")
        ):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def label_studio(label_studio: Any) -> LiveLabelStudio:
    """The real one that all e2e tests share, with what these tests do in it."""
    from tests.label_studio.live import LiveLabelStudio

    return LiveLabelStudio(label_studio.url, label_studio.legacy_token, label_studio.personal_token)


@pytest.fixture
def lantern(label_studio: LiveLabelStudio, tmp_path: Path) -> Iterator[LiveLantern]:
    """A Lantern that it can call."""
    from tests.label_studio.live import running_lantern

    with running_lantern(tmp_path, label_studio) as found:
        yield found


@pytest.fixture(autouse=True)
def _no_waits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Label Studio that is played needs no time to recover."""
    if request.node.get_closest_marker("e2e") is None:
        monkeypatch.setattr(client, "RETRY_SECONDS", (0.0,) * len(client.RETRY_SECONDS))
