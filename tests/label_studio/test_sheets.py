"""Sheets: pictures to draw on are made, followed, repaired, taken away; a region means what lay in it on its picture.

Two Label Studio projects are played: the one with the texts is UID, the one with the sheets SHEETS_UID.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from ml_backend.config import Settings
from ml_backend.label_studio import sheet_duty, waits
from ml_backend.label_studio import sheets as sheets_of_map
from ml_backend.label_studio.service import LanternService
from ml_backend.label_studio.sheet_checkup import check_places
from ml_backend.label_studio.sheet_config import PICTURE
from ml_backend.label_studio.sheet_connect import hide_sheets, show_sheets
from ml_backend.label_studio.sheet_duty import SheetDuty
from ml_backend.label_studio.sheet_link import SheetLink, link_of
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import projects, sheets
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.database import Database
from tests.label_studio.conftest import CONFIG, UID, project_row
from tests.label_studio.sheet_stage import (
    LEFT_TO_RIGHT,
    NUMBER,
    SHEETS_UID,
    PlayedConnections,
    Stage,
)


@pytest.fixture
def stage(db: Database, settings: Settings, service: LanternService) -> Stage:
    return Stage(db, replace(settings, reconcile_seconds=86_400.0), service)


@pytest.fixture
def sheet(stage: Stage) -> int:
    """The task of the first sheet."""
    stage.connect()
    stage.move(LEFT_TO_RIGHT)
    stage.work()
    (task,) = stage.played.tasks
    return task


def test_the_pictures_stand_where_connect_was_told(stage: Stage, sheet: int) -> None:
    assert str(stage.played.tasks[sheet][PICTURE]).startswith("http://localhost:9090/")
    with stage.db.write() as session:
        row = projects.ensure(session, UID)
        projects.configure(session, row, connection={**row.connection, "backend_url": "http://lantern.test:9090"})
    stage.move(LEFT_TO_RIGHT[::-1].copy())
    stage.duty = SheetDuty(stage.db, stage.settings, PlayedConnections(stage.settings, stage.played))
    stage.work()
    assert str(stage.played.tasks[sheet][PICTURE]).startswith("http://lantern.test:9090/"), "the older one as well"


def test_connecting_makes_a_project_once(stage: Stage) -> None:
    link = stage.connect()
    made = stage.played.project
    assert made is not None
    assert (link.project, link.uid, link.control) == (NUMBER, SHEETS_UID, "c")
    assert made["title"].endswith(" - map")
    assert len(made["title"]) <= 50
    assert 'value="$map"' in made["label_config"]
    assert stage.played.hooks[1]["url"] == "http://lantern.test:9090/webhook"
    again = show_sheets(stage.db, stage.settings, stage.played.api, project_row(stage.db), "http://lantern.test:9090")
    assert not again.changed
    assert link_of(project_row(stage.db)) == replace(link, webhook=1)


def test_new_classes_reach_the_project(stage: Stage) -> None:
    stage.connect()
    with stage.db.write() as session:
        projects.configure(session, project_row(stage.db), label_config=CONFIG.replace('value="b"', 'value="new"'))
    stage.connect()
    assert stage.played.project is not None
    assert 'value="new"' in stage.played.project["label_config"]


def test_a_sheet_comes_with_the_first_map_and_when_it_has_moved(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.connect()
    stage.work()
    assert stage.played.tasks == {}, "no map yet"
    stage.move(LEFT_TO_RIGHT)
    stage.work()
    ((_, data),) = stage.played.tasks.items()
    assert (data["sheet"], data["layout_version"]) == (1, 1)
    assert data["map"].startswith(f"http://localhost:9090/map/{UID}/picture.png?sheet=1&signature=")
    stage.move(-LEFT_TO_RIGHT)
    assert stage.work() == 0, "not again at once"
    monkeypatch.setattr(sheet_duty, "REST_SECONDS", 0.0)
    stage.work()
    assert [data["layout_version"] for data in stage.played.tasks.values()] == [1, 2]


def test_a_sheet_whose_task_could_not_be_made_leaves_nothing_behind(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.connect()
    stage.move(LEFT_TO_RIGHT)
    lost = iter([True, True])

    def lose(request: httpx.Request) -> None:
        if request.method == "POST" and next(lost, False):
            raise httpx.ReadTimeout("lost", request=request)

    stage.played.failure = lose
    monkeypatch.setattr(waits, "LONGEST_WAIT_SECONDS", 0.0)
    stage.work()
    (task,) = stage.played.tasks
    folder = sheets_of_map.sheet_folder(stage.db, project_row(stage.db))
    assert len(list(folder.glob("sheet-*"))) == 1
    stage.post("ANNOTATION_CREATED", annotation=stage.draw(task, until=-0.2))
    assert stage.labels() == {11: "a", 12: "a"}


def test_what_is_drawn_labels_the_points_inside(stage: Stage, sheet: int) -> None:
    before = project_row(stage.db)
    stage.post("ANNOTATION_CREATED", annotation=stage.draw(sheet, -0.2))
    assert stage.labels() == {11: "a", 12: "a"}
    after = project_row(stage.db)
    assert after.labels_version == before.labels_version + 1
    assert after.labels_changed == before.labels_changed + 2, "training comes nearer"
    stage.post("ANNOTATION_UPDATED", annotation=stage.draw(sheet, 0.6, "b", second=1))
    assert stage.labels() == {11: "b", 12: "b", 13: "b"}, "a place without a task gives nothing"
    stage.post("ANNOTATION_CREATED", annotation=stage.draw(sheet, -0.2, second=0))
    assert set(stage.labels().values()) == {"b"}, "an older post comes late"
    stage.post("ANNOTATION_UPDATED", annotation=stage.draw(sheet, 0.6, second=2) | {"was_cancelled": True})
    assert stage.labels() == {}, "skipped"
    stage.post("ANNOTATION_UPDATED", annotation=stage.draw(sheet, 0.6, second=3))
    stage.post("ANNOTATIONS_DELETED", annotations=[{"id": 70}])
    assert stage.labels() == {}
    with stage.db.read() as session:
        assert projects.find(session, SHEETS_UID) is None, "the sheets are no project to learn from"


def test_the_status_counts_what_was_drawn_and_says_how_much_it_is(stage: Stage, sheet: int) -> None:
    def counted() -> tuple[object, object]:
        projects_found: Any = stage.service.status(UID)["projects"]
        return projects_found[0]["labels"], projects_found[0]["drawn_labels"]

    assert counted() == (0, 0)
    stage.post("ANNOTATION_CREATED", annotation=stage.draw(sheet, 0.1))
    assert counted() == (3, 3)
    with stage.db.write() as session:
        project = projects.ensure(session, UID)
        for number, task in ((1, 11), (2, 15)):
            result = [{"from_name": "c", "to_name": "text", "type": "choices", "value": {"choices": ["b"]}}]
            annotation_rows.apply(session, project, AnnotationRow(number, task, "9", result, False, time.time()))
    assert counted() == (4, 2), "what was said of the task itself outweighs the drawing"
    stage.post("ANNOTATIONS_DELETED", annotations=[{"id": 70}])
    assert counted() == (2, 0)


def test_a_region_on_an_older_picture_means_the_points_that_lay_there(
    stage: Stage, sheet: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet_duty, "REST_SECONDS", 0.0)
    stage.move(-LEFT_TO_RIGHT)
    stage.work()
    newer = max(stage.played.tasks)
    stage.post("ANNOTATION_CREATED", annotation=stage.draw(sheet, -0.6))
    assert set(stage.labels()) == {11}
    stage.post("ANNOTATION_CREATED", annotation=stage.draw(newer, -0.6, annotation=71))
    assert set(stage.labels()) == {11, 15}


def test_lost_posts_are_made_up_for(stage: Stage, sheet: int) -> None:
    stage.draw(sheet, -0.2)
    stage.duty._compared.clear()
    stage.work()
    assert stage.labels() == {11: "a", 12: "a"}
    stage.draw(sheet, -0.6, second=1)
    stage.draw(sheet, 1.1, "b", annotation=71, second=2)
    stage.duty._compared.clear()
    stage.work()
    assert stage.labels() == {11: "b", 12: "b", 13: "b", 15: "b"}
    stage.played.annotations.clear()
    stage.duty._compared.clear()
    stage.work()
    assert stage.labels() == {}


def test_a_drawing_in_the_place_of_a_deleted_one_counts_as_both(stage: Stage, sheet: int) -> None:
    """As many labels come as go: none of it may cancel out."""
    stage.draw(sheet, -0.2)
    stage.duty._compared.clear()
    stage.work()
    before = project_row(stage.db)
    stage.played.annotations.clear()
    stage.draw(sheet, -0.2, "b", annotation=71, second=1)
    stage.duty._compared.clear()
    stage.work()
    after = project_row(stage.db)
    assert stage.labels() == {11: "b", 12: "b"}
    assert after.labels_version > before.labels_version
    assert after.labels_changed == before.labels_changed + 4


def test_the_labels_of_a_deleted_sheet_go(stage: Stage, sheet: int) -> None:
    stage.post("ANNOTATION_CREATED", annotation=stage.draw(sheet, -0.2))
    stage.post("TASKS_DELETED", tasks=[{"id": sheet}])
    assert stage.labels() == {}


def test_old_sheets_that_nobody_used_go(stage: Stage, sheet: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_duty, "REST_SECONDS", 0.0)
    for sign in (-1, 1):
        stage.move(LEFT_TO_RIGHT * sign)
        stage.work()
    first, second, third = stage.played.tasks
    stage.draw(first, -0.2)
    monkeypatch.setattr(sheet_duty, "UNUSED_SECONDS", 0.0)
    stage.duty._compared.clear()
    stage.work()
    assert list(stage.played.tasks) == [first, third], "drawn on, and the newest"
    with stage.db.read() as session:
        kept = sheets.list_all(session, project_row(stage.db))
    assert [row.task_id for row in kept] == [third, first]
    assert all((stage.db.path.parent / row.path).is_dir() for row in kept)
    assert second not in stage.played.tasks


def test_a_sheet_that_is_drawn_on_while_old_ones_are_tidied_stays(
    stage: Stage, sheet: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet_duty, "REST_SECONDS", 0.0)
    stage.move(-LEFT_TO_RIGHT)
    stage.work()
    monkeypatch.setattr(sheet_duty, "UNUSED_SECONDS", 0.0)
    compare = sheets_of_map.replace_drawings

    def drawn_since(*args: Any) -> int:
        changed = compare(*args)
        stage.post("ANNOTATION_CREATED", annotation=stage.draw(sheet, -0.2))
        return changed

    monkeypatch.setattr(sheet_duty, "replace_drawings", drawn_since)
    stage.duty._compared.clear()
    stage.work()
    assert sheet in stage.played.tasks
    assert stage.labels() == {11: "a", 12: "a"}


def overwrite(folder: Path) -> None:
    (file,) = folder.glob("*.safetensors")
    file.write_bytes(b"x")


@pytest.mark.parametrize("damage", [overwrite, shutil.rmtree])
def test_labels_drawn_on_a_sheet_whose_places_are_lost_stay(
    stage: Stage, sheet: int, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None]
) -> None:
    stage.post("ANNOTATION_CREATED", annotation=stage.draw(sheet, -0.2))
    with stage.db.read() as session:
        folder = stage.db.path.parent / sheets.list_all(session, project_row(stage.db))[0].path
    shutil.copytree(folder, tmp_path / "backup")
    damage(folder)
    sheets_of_map._load.cache_clear()
    stage.duty._compared.clear()
    stage.work()
    assert stage.labels() == {11: "a", 12: "a"}
    assert "what was drawn on sheet 1" in caplog.text
    (found,) = check_places(stage.db, project_row(stage.db))
    assert "picture 1 of project 8" in found.what
    assert len(stage.played.tasks) == 2, "a sheet that people can draw on, beside the damaged one"
    stage.post("ANNOTATION_UPDATED", annotation=stage.draw(sheet, 0.6, "b", second=1))
    assert stage.labels() == {11: "a", 12: "a"}, "what is drawn now means nothing, and takes nothing away"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(tmp_path / "backup", folder)
    stage.duty._compared.clear()
    stage.work()
    assert list(check_places(stage.db, project_row(stage.db))) == []
    assert stage.labels() == {11: "b", 12: "b", 13: "b"}, "the backup brings it all back"
    stage.post("ANNOTATIONS_DELETED", annotations=[{"id": 70}])
    assert stage.labels() == {}


def test_foreign_tasks_and_odd_annotations_give_nothing(stage: Stage, sheet: int) -> None:
    stage.post("ANNOTATION_CREATED", annotation=stage.draw(999, 0.9))
    stage.post("ANNOTATION_CREATED", annotation={"id": 5, "task": sheet, "result": "x"})
    stage.post("TASKS_CREATED", tasks=[{"id": 999, "data": {}}])
    stage.post("TASKS_DELETED", tasks=[{"id": 999}])
    stage.post("PROJECT_UPDATED")
    assert stage.labels() == {}


def test_switched_off_what_was_drawn_stays(stage: Stage, sheet: int) -> None:
    stage.post("ANNOTATION_CREATED", annotation=stage.draw(sheet, -0.2))
    stage.connect()
    assert hide_sheets(stage.db, stage.played.api, project_row(stage.db)).changed
    assert stage.played.hooks == {}
    assert stage.labels() == {11: "a", 12: "a"}
    assert not hide_sheets(stage.db, stage.played.api, project_row(stage.db)).changed
    address = stage.played.tasks[sheet]["map"]
    link = link_of(project_row(stage.db))
    assert link is not None
    assert not link.signed(1, address[-32:]), "its pictures no longer open"
    stage.move(-LEFT_TO_RIGHT)
    assert stage.work() == 0
    stage.draw(sheet, 0.2, second=5)

    assert stage.connect().project == link.project, "switched on again, it is the same project"
    stage.duty._compared.clear()
    stage.work()
    assert stage.labels() == {11: "a", 12: "a", 13: "a"}, "what was drawn meanwhile counts"
    again = stage.played.tasks[sheet]["map"]
    assert again != address
    assert stage.connect().signed(1, again[-32:])


def test_switched_off_what_is_deleted_there_gives_no_labels_any_more(stage: Stage, sheet: int) -> None:
    drawn = [stage.draw(sheet, until, annotation=number) for number, until in ((70, -0.2), (71, 0.2))]
    for annotation in drawn:
        stage.post("ANNOTATION_CREATED", annotation=annotation)
    stage.connect()
    hide_sheets(stage.db, stage.played.api, project_row(stage.db))
    stage.draw(sheet, 0.6, annotation=72)
    del stage.played.annotations[drawn[1]["id"]]
    stage.duty._compared.clear()
    stage.work()
    assert stage.labels() == {11: "a", 12: "a"}, "what was drawn later counts for nothing, either"
    stage.played.project, stage.played.tasks, stage.played.annotations = None, {}, {}
    stage.duty._compared.clear()
    stage.work()
    assert stage.labels() == {}
    stage.duty._compared.clear()
    assert stage.work() == 0, "then there is nothing left to look after"


def test_what_is_drawn_after_it_was_switched_on_again_stays(
    stage: Stage, sheet: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.post("ANNOTATION_CREATED", annotation=stage.draw(sheet, -0.2, annotation=70))
    stage.connect()
    hide_sheets(stage.db, stage.played.api, project_row(stage.db))
    read = sheet_duty._drawn_there

    def switched_on_meanwhile(*given: Any) -> list[AnnotationRow]:
        rows = read(*given)
        stage.connect()
        stage.post("ANNOTATION_CREATED", annotation=stage.draw(sheet, 0.2, annotation=71))
        return rows

    monkeypatch.setattr(sheet_duty, "_drawn_there", switched_on_meanwhile)
    stage.duty._compared.clear()
    stage.duty.run(UID)
    assert stage.labels() == {11: "a", 12: "a", 13: "a"}


def test_a_project_that_somebody_deleted_is_let_go_and_made_again(stage: Stage, sheet: int) -> None:
    secret = stage.connect().secret
    stage.post("ANNOTATION_CREATED", annotation=stage.draw(sheet, -0.2))
    stage.played.project, stage.played.tasks, stage.played.annotations = None, {}, {}
    stage.duty._compared.clear()
    stage.work()
    assert link_of(project_row(stage.db)) is None
    assert not project_row(stage.db).deleted, "the project with the texts is still there"
    assert stage.labels() == {}, "and what was drawn is gone"
    assert stage.connect().secret != secret
    stage.work()
    assert len(stage.played.tasks) == 1


@pytest.mark.parametrize("damage", [lambda s: s[:-1], lambda s: "", lambda s: s.upper() + "é"])
def test_a_signature_opens_one_sheet(damage: Callable[[str], str]) -> None:
    link = SheetLink(NUMBER, SHEETS_UID, "c", "secret")
    signature = link.signature(3)
    assert link.signed(3, signature)
    assert not link.signed(4, signature)
    assert not replace(link, secret="other").signed(3, signature)
    assert not link.signed(3, damage(signature))
    assert "secret" not in repr(link)
