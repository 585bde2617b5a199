"""What the doctor sees of a project, with a Label Studio that is played or none."""

from __future__ import annotations

import time

import httpx

from ml_backend.config import Settings
from ml_backend.label_studio.checkup import check_extra_params, check_project
from ml_backend.label_studio.findings import Finding, Severity
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import projects, pushes
from ml_backend.store.annotation_state import AnnotationRow
from ml_backend.store.database import Database
from ml_backend.store.tables import Project
from tests.label_studio.conftest import CONFIG, UID
from tests.label_studio.fake import FakeLabelStudio


def test_extra_params_that_silence_a_project_are_named(settings: Settings) -> None:
    assert list(check_extra_params(settings, Project(extra_params={"prior": "vamp"}))) == []
    (finding,) = check_extra_params(settings, Project(extra_params={"prior": "laplace"}))
    assert finding.severity is Severity.ERROR
    assert "laplace" in finding.why
    assert "extra params" in finding.what


def test_extra_params_that_change_nothing_are_named(settings: Settings) -> None:
    (finding,) = check_extra_params(settings, Project(extra_params={"epoch": 3, "epochs": 3, "Alpha0": 1}))
    assert finding.severity is Severity.WARNING
    assert finding.what.endswith("'Alpha0', 'epoch'")


def findings(
    db: Database, settings: Settings, target: str = "http://lantern.test:9090", **counts: int
) -> list[Finding]:
    """counts: what Label Studio says of the project's tasks and annotations."""
    fake = FakeLabelStudio(before=nothing_is_attached)
    fake.project |= counts
    return list(check_project(db, settings, fake.api(), 3, target, lantern_answers=True))


def nothing_is_attached(request: httpx.Request) -> httpx.Response | None:
    return (
        httpx.Response(200, json=[]) if request.url.path.startswith(("/api/ml", "/api/webhooks", "/api/dm")) else None
    )


def test_a_push_that_failed_is_named_once(db: Database, settings: Settings) -> None:
    with db.write() as session:
        project = projects.ensure(session, UID)
        projects.configure(session, project, label_config=CONFIG, connection={"errors": {"push": "refused"}})
        push = pushes.start(session, project, model_version="v", now=1.0, publication_number=1, labels_version=0)
        pushes.fail(session, push, "refused", 2.0)
    assert [found.why for found in findings(db, settings) if "push" in found.what] == ["refused"]


def test_work_that_waits_names_a_token_that_only_another_shell_had(db: Database, settings: Settings) -> None:
    with db.write() as session:
        project = projects.ensure(session, UID)
        projects.configure(session, project, label_config=CONFIG, connection={})
        projects.request_reconcile(session, project, time.time() - 3600)
    (found,) = [found for found in findings(db, settings) if "nobody does it" in found.what]
    assert "LABEL_STUDIO_API_KEY" in found.why
    assert "--token TOKEN" in found.mend


def test_annotations_that_no_webhook_told_of_are_counted(db: Database, settings: Settings) -> None:
    """Nothing else shows that Label Studio was started again without its switches: backend and webhook are attached."""
    with db.write() as session:
        project = projects.ensure(session, UID)
        annotation_rows.apply_many(
            session, project, [AnnotationRow(1, 1, "1", [], False, 1.0), AnnotationRow(2, 2, "1", [], True, 1.0)]
        )
    assert not lost(findings(db, settings, total_annotations_number=1))
    (finding,) = lost(findings(db, settings, total_annotations_number=2))
    assert finding.what == "Label Studio has 2 annotations, Lantern knows 1"
    assert "SSRF_PROTECTION_ENABLED" not in finding.mend
    (finding,) = lost(findings(db, settings, "http://localhost:9090", total_annotations_number=2))
    assert "SSRF_PROTECTION_ENABLED=false" in finding.mend
    with db.write() as session:
        projects.request_reconcile(session, projects.ensure(session, UID), time.time())
    assert not lost(findings(db, settings, total_annotations_number=2)), "it is looked after already"


def lost(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if "Lantern knows" in finding.what]
