"""Outside keys: a small set is let in, nothing else reaches SQL or a path."""

from __future__ import annotations

import math

import pytest

from ml_backend.errors import InputError
from ml_backend.store import checks


@pytest.mark.parametrize(
    ("value", "number", "created"),
    [("12.1795381627", 12, 1795381627), ("12", 12, None), (12, 12, None), ("1.0", 1, 0)],
)
def test_project_keys_that_label_studio_sends_are_read(value: object, number: int, created: int | None) -> None:
    assert checks.project_uid(value) == checks.ProjectUid(number, created)


def test_a_key_reads_back_as_it_was_written() -> None:
    assert str(checks.project_uid("12.1795381627")) == "12.1795381627"
    assert str(checks.project_uid(12)) == "12"


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "../../x",
        "1;drop",
        10**30,
        pytest.param(10**5000, id="5001 digits"),
        "9" * 30,
        True,
        0,
        -3,
        12.5,
        "12.",
        ".5",
        " 12",
        "12\n",
        "012",
        "١٢",
        "1.2.3",
        [],
    ],
)
def test_anything_else_is_refused_as_a_project(value: object) -> None:
    with pytest.raises(InputError, match="project key"):
        checks.project_uid(value)


@pytest.mark.parametrize("value", [None, "7", True, -1, 2**63, pytest.param(10**5000, id="5001 digits"), 1.0])
def test_a_row_id_is_a_whole_number_that_the_table_can_hold(value: object) -> None:
    with pytest.raises(InputError):
        checks.row_id(value, "a task")


@pytest.mark.parametrize("value", [None, "1", True, math.nan, math.inf])
def test_a_time_is_finite(value: object) -> None:
    with pytest.raises(InputError):
        checks.seconds(value, "updated_at")


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "a\\b", "a..b", "a.", "a\n", "a" * 121, "é", "-rf"])
def test_a_name_that_could_leave_its_folder_is_no_path_component(name: str) -> None:
    with pytest.raises(InputError):
        checks.path_component(name)


def test_a_project_key_is_a_path_component() -> None:
    assert checks.path_component("12.1795381627") == "12.1795381627"
