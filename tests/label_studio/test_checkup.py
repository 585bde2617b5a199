"""What the doctor sees of a project without Label Studio."""

from __future__ import annotations

from ml_backend.config import Settings
from ml_backend.label_studio.checkup import check_extra_params
from ml_backend.label_studio.findings import Severity
from ml_backend.store.tables import Project


def test_extra_params_that_silence_a_project_are_named(settings: Settings) -> None:
    assert list(check_extra_params(settings, Project(extra_params={"prior": "vamp"}))) == []
    (finding,) = check_extra_params(settings, Project(extra_params={"prior": "laplace"}))
    assert finding.severity is Severity.ERROR
    assert "laplace" in finding.why
    assert "extra params" in finding.what
