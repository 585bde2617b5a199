"""After a reconcile the store equals Label Studio, whatever webhooks were lost; a broken page changes nothing."""

from __future__ import annotations

import random
from typing import Any

import httpx
import pytest

from ml_backend.errors import LabelStudioError
from ml_backend.label_studio import reconcile as module
from ml_backend.label_studio.events import read_event, record_event
from ml_backend.label_studio.reconcile import reconcile
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import projects, tasks
from ml_backend.store.database import Database
from tests.label_studio.conftest import UID, project_row
from tests.label_studio.fake import CREATED, FakeLabelStudio

PROJECT = {"id": 3, "created_at": CREATED}


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE_SIZE", 3)


@pytest.fixture
def fake(db: Database) -> FakeLabelStudio:
    found = FakeLabelStudio()
    found.add_tasks(*range(1, 9))
    found.annotate(21, 1, "a")
    found.annotate(22, 2, "b")
    found.annotate(23, 3, "a", was_cancelled=True)
    with db.write() as session:
        projects.ensure(session, UID)
    return found


def tell(db: Database, body: dict[str, Any]) -> None:
    with db.write() as session:
        record_event(session, read_event(body, 0.0), 0.0)


def stored(db: Database) -> tuple[dict[int, Any], dict[int, str]]:
    """(data by task, label by annotation)"""
    with db.read() as session:
        project = projects.ensure(session, UID)
        found = {task.task_id: task.data for task in tasks.live(session, project)}
        labels = annotation_rows.live(session, project)
    return found, {row.annotation_id: row.result[0]["value"]["choices"][0] for row in labels}


def truth(fake: FakeLabelStudio) -> tuple[dict[int, Any], dict[int, str]]:
    labels = {n: a for n, a in fake.annotations.items() if not a["was_cancelled"] and a["task"] in fake.tasks}
    return fake.tasks, {n: a["result"][0]["value"]["choices"][0] for n, a in labels.items()}


def test_a_skip_of_which_no_webhook_told_moves_the_version_once(db: Database, fake: FakeLabelStudio) -> None:
    reconcile(db, fake.api(), UID)
    before = project_row(db).labels_version
    fake.annotate(24, 4, "a", was_cancelled=True)
    reconcile(db, fake.api(), UID)
    assert project_row(db).labels_version == before + 1
    reconcile(db, fake.api(), UID)
    assert project_row(db).labels_version == before + 1


def test_imported_tasks_and_annotations_arrive(db: Database, fake: FakeLabelStudio) -> None:
    done = reconcile(db, fake.api(), UID)
    assert stored(db) == truth(fake)
    assert (done.tasks, done.annotations, done.labels_changed) == (8, 3, 2)
    row = project_row(db)
    assert row.title == "p"
    assert row.reconciled_at is not None
    assert row.labels_changed == 2


def test_again_changes_nothing_and_needs_no_write_lock_for_tasks(db: Database, fake: FakeLabelStudio) -> None:
    reconcile(db, fake.api(), UID)
    before = project_row(db)
    done = reconcile(db, fake.api(), UID)
    after = project_row(db)
    assert (done.tasks_changed, done.labels_changed) == (0, 0)
    assert (before.data_version, before.labels_version) == (after.data_version, after.labels_version)


def test_what_no_webhook_tells_is_repaired(db: Database, fake: FakeLabelStudio) -> None:
    """Edited task data, a deleted task with its annotation, a lost update, an annotation turned into a draft."""
    reconcile(db, fake.api(), UID)
    fake.tasks[4] = {"text": "edited"}
    del fake.tasks[2]
    fake.annotate(21, 1, "b", 30)
    fake.annotate(24, 5, "b")
    reconcile(db, fake.api(), UID)
    assert stored(db) == truth(fake)


def test_a_task_that_comes_back_brings_its_labels(db: Database, fake: FakeLabelStudio) -> None:
    reconcile(db, fake.api(), UID)
    tell(db, {"action": "TASKS_DELETED", "tasks": [{"id": 1}], "project": PROJECT})
    assert 21 not in stored(db)[1]
    version = project_row(db).labels_version
    assert reconcile(db, fake.api(), UID).labels_changed == 1
    assert stored(db) == truth(fake)
    assert project_row(db).labels_version == version + 1


def test_labels_that_went_with_their_task_are_counted_once(db: Database, fake: FakeLabelStudio) -> None:
    reconcile(db, fake.api(), UID)
    labelled = sorted({annotation["task"] for annotation in fake.annotations.values()})
    tell(db, {"action": "TASKS_DELETED", "tasks": [{"id": labelled[0]}], "project": PROJECT})
    before = project_row(db)
    forget(fake, labelled[0])
    assert reconcile(db, fake.api(), UID).labels_changed == 0
    assert project_row(db).labels_version == before.labels_version
    left = len(fake.annotations)
    forget(fake, labelled[1])
    assert reconcile(db, fake.api(), UID).labels_changed == left - len(fake.annotations), "no webhook told of this one"


def forget(fake: FakeLabelStudio, task: int) -> None:
    """Deleted in Label Studio, with its annotations."""
    del fake.tasks[task]
    fake.annotations = {number: one for number, one in fake.annotations.items() if one["task"] != task}


def test_a_skip_that_is_taken_back_while_webhooks_are_lost_is_a_label_again(
    db: Database, fake: FakeLabelStudio
) -> None:
    reconcile(db, fake.api(), UID)
    fake.annotate(23, 3, "b", 40)
    reconcile(db, fake.api(), UID)
    assert stored(db)[1][23] == "b"


def test_after_random_losses_the_store_equals_the_export(db: Database, fake: FakeLabelStudio) -> None:
    rng = random.Random(0)
    for step in range(60):
        number, task, label = rng.randint(1, 12), rng.randint(1, 8), rng.choice("ab")
        if rng.random() < 0.2:
            fake.annotations.pop(number, None)
            body: dict[str, Any] = {"action": "ANNOTATIONS_DELETED", "annotations": [{"id": number}]}
        else:
            annotation = fake.annotate(number + 100 * step, task, label, step % 60)
            body = {"action": "ANNOTATION_CREATED", "annotation": annotation}
        if rng.random() < 0.5:
            tell(db, {**body, "project": PROJECT})
    reconcile(db, fake.api(), UID)
    assert stored(db) == truth(fake)


@pytest.mark.parametrize(
    "page",
    [
        httpx.Response(200, json={"tasks": [{"id": 4, "data": None, "project": 3}], "total": 8}),
        httpx.Response(200, json={"tasks": [{"id": "x", "data": {}, "project": 3}], "total": 8}),
        httpx.Response(200, json={"tasks": [{"id": 4, "data": {}, "project": 99}], "total": 8}),
        httpx.Response(200, json={"tasks": "x", "total": 8}),
        httpx.Response(200, json=[]),
        httpx.Response(200, text="{"),
        httpx.Response(500, json={"detail": "database is locked"}),
    ],
)
@pytest.mark.parametrize("path", ["/api/tasks/", "/api/projects/3/export"])
def test_a_corrupt_page_raises_and_changes_nothing(
    db: Database, fake: FakeLabelStudio, page: httpx.Response, path: str
) -> None:
    reconcile(db, fake.api(), UID)
    before, version = stored(db), project_row(db).data_version
    fake.tasks[1] = {"text": "edited"}
    fake.annotate(22, 2, "a", 50)

    def corrupt(request: httpx.Request) -> httpx.Response | None:
        broken = request.url.path == path and request.url.params.get("page", "2") == "2"
        return httpx.Response(page.status_code, content=page.content) if broken else None

    fake.before = corrupt
    with pytest.raises(LabelStudioError):
        reconcile(db, fake.api(), UID)
    assert stored(db) == before
    assert project_row(db).data_version == version


def test_a_task_that_goes_while_pages_are_read_costs_no_other_task(db: Database, fake: FakeLabelStudio) -> None:
    """Its going shifts the later pages by one: a naive reader would miss, and then delete, a task that is there."""
    reconcile(db, fake.api(), UID)
    pending = [True]

    def delete_first(request: httpx.Request) -> None:
        if request.url.params.get("page") == "2" and pending and pending.pop():
            del fake.tasks[1]

    fake.before = delete_first
    reconcile(db, fake.api(), UID)
    assert stored(db)[0] == fake.tasks


def test_tasks_that_never_hold_still_raise(db: Database, fake: FakeLabelStudio) -> None:
    def add(request: httpx.Request) -> None:
        if request.url.path == "/api/tasks/":
            fake.add_tasks(max(fake.tasks) + 1)

    fake.before = add
    with pytest.raises(LabelStudioError, match="keep changing"):
        reconcile(db, fake.api(), UID)
    assert stored(db) == ({}, {})


def test_a_webhook_that_comes_while_pages_are_read_is_kept(db: Database, fake: FakeLabelStudio) -> None:
    reconcile(db, fake.api(), UID)
    pending = [True]

    def label_meanwhile(request: httpx.Request) -> None:
        if request.url.path.endswith("/export") and pending and pending.pop():
            newest = {**fake.annotations[21], "id": 77, "task": 6, "updated_at": "2000-01-01T00:00:00Z"}
            tell(db, {"action": "ANNOTATION_CREATED", "annotation": newest, "project": PROJECT})

    fake.before = label_meanwhile
    reconcile(db, fake.api(), UID)
    assert 77 in stored(db)[1], "even though Label Studio's clock is far behind ours"


def test_another_project_under_the_same_number_is_refused(db: Database, fake: FakeLabelStudio) -> None:
    reconcile(db, fake.api(), UID)
    before = stored(db)
    fake.project["created_at"] = "2027-01-01T00:00:00Z"
    fake.tasks.clear()
    with pytest.raises(LabelStudioError, match="not the one that is known"):
        reconcile(db, fake.api(), UID)
    assert stored(db) == before


def test_a_project_known_by_its_number_takes_its_full_key_on(db: Database) -> None:
    fake = FakeLabelStudio()
    with db.write() as session:
        projects.ensure(session, 3)
    reconcile(db, fake.api(), "3")
    assert project_row(db, "3").uid == UID
