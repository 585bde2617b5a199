"""What the doctor says of labels that the label config does not offer (any more)."""

from __future__ import annotations

from ml_backend.config import Settings
from ml_backend.label_studio.findings import Finding, Severity
from ml_backend.label_studio.label_checkup import check_labels
from ml_backend.store import annotations as annotation_rows
from ml_backend.store import projects
from ml_backend.store.annotation_state import AnnotationRow
from ml_backend.store.database import Database
from tests.label_studio.conftest import CONFIG, UID, project_row
from tests.label_studio.test_checkup import findings


def give(db: Database, *labels: str) -> None:
    """One annotation of a task of its own for each label."""
    with db.write() as session:
        project = projects.ensure(session, UID)
        for number, label in enumerate(labels, 1):
            region = {"from_name": "c", "to_name": "text", "type": "choices", "value": {"choices": [label]}}
            annotation_rows.apply(session, project, AnnotationRow(number, number, "1", [region], False, 1.0))


def found(db: Database, label_config: str) -> list[Finding]:
    return list(check_labels(db, project_row(db), label_config))


def test_labels_of_a_renamed_class_are_named_and_counted(db: Database) -> None:
    give(db, "a", "a", "b")
    assert found(db, CONFIG) == []
    (finding,) = found(db, CONFIG.replace('"a"', '"new"'))
    assert finding.severity is Severity.WARNING
    assert finding.what.startswith("2 labels")
    assert "'a' of 'c' (2)" in finding.why
    assert "'b'" not in finding.why


def test_the_doctor_looks_at_them(db: Database, settings: Settings) -> None:
    give(db, "gone")
    assert any("'gone' of 'c'" in finding.why for finding in findings(db, settings))


def test_the_mend_makes_them_count_again(db: Database) -> None:
    give(db, "a")
    (finding,) = found(db, CONFIG.replace('<Choice value="a"/>', '<Choice value="new"/>'))
    assert finding.what.startswith("1 label ")
    mended = '<Choice value="new" alias="old"/>'
    assert mended in finding.mend
    assert found(db, CONFIG.replace('<Choice value="a"/>', mended.replace("old", "a"))) == []


def test_of_many_classes_the_commonest_are_named(db: Database) -> None:
    give(db, "e", "d", "g", "f", "e", "f", "g")
    (finding,) = found(db, CONFIG)
    assert finding.what.startswith("7 labels")
    assert "1 more class" in finding.why
    assert "'d'" not in finding.why


def test_nothing_is_said_of_a_label_config_that_cannot_be_read(db: Database) -> None:
    give(db, "a")
    assert found(db, "<View") == []
