"""Replies are what Label Studio stores: length, order, shapes, ranges."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_backend.data.label_config import parse_label_config
from ml_backend.engine.prediction import TaskPrediction
from ml_backend.errors import InputError
from ml_backend.label_studio.contract import (
    Replies,
    parse_id,
    parse_predict,
    parse_setup,
    parse_time,
    project_uid,
)
from tests.label_interface import label_interface
from tests.label_studio.conftest import CONFIG, RICH_CONFIG, UID, prediction

RICH = parse_label_config(RICH_CONFIG)
SDK = label_interface(RICH_CONFIG)


def entry(one: TaskPrediction, config: str = RICH_CONFIG) -> Any:
    return Replies(parse_label_config(config), "v1").entry(one)


def test_value_shapes_of_all_three_kinds() -> None:
    answers = {"c": (("a", 0.9),), "m": (("x", 0.8), ("y", 0.6)), "t": (("A / B", 0.7),)}
    regions = {region["from_name"]: region for region in entry(prediction(7, answers=answers))["result"]}
    assert regions["c"]["value"] == {"choices": ["a"]}
    assert regions["m"]["value"] == {"choices": ["x", "y"]}
    assert regions["t"]["value"] == {"taxonomy": [["A", "B"]]}
    assert [regions[name]["type"] for name in "cmt"] == ["choices", "choices", "taxonomy"]
    assert {region["to_name"] for region in regions.values()} == {"text"}


def test_the_score_of_a_region_is_the_confidence_of_its_least_sure_choice() -> None:
    regions = entry(prediction(7, answers={"c": (("a", 0.9),), "m": (("x", 0.8), ("y", 0.6))}))["result"]
    assert [region["score"] for region in regions] == [0.9, 0.6]


def test_a_single_control_gets_one_choice() -> None:
    regions = entry(prediction(7, answers={"c": (("a", 0.6), ("b", 0.4))}))["result"]
    assert regions[0]["value"] == {"choices": ["a"]}


def test_never_seen_is_stored_empty_with_its_score() -> None:
    assert entry(prediction(7, never_seen=True, score=0.01)) == {"result": [], "score": 0.01, "model_version": "v1"}


def test_unreadable_is_the_bare_entry_that_stores_nothing() -> None:
    replies = Replies(RICH, "v1")
    assert replies.entry(TaskPrediction.unreadable(7, "no text")) == []
    assert replies.import_item(TaskPrediction.unreadable(7, "no text")) is None


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_is_never_sent(score: float) -> None:
    replies = Replies(RICH, "v1")
    assert replies.entry(prediction(7, score=score)) == []
    assert replies.dropped["score_not_finite"] == 1


def test_a_confidence_that_is_no_number_is_left_out() -> None:
    assert "score" not in entry(prediction(7, answers={"c": (("a", math.nan),)}))["result"][0]


def test_a_label_outside_of_this_requests_config_is_dropped_and_counted() -> None:
    replies = Replies(parse_label_config(CONFIG), "v1")
    found = replies.entry(prediction(7, answers={"c": (("renamed", 0.9),), "gone": (("a", 0.9),)}))
    assert isinstance(found, dict)
    assert found["result"] == []
    assert replies.dropped["label_not_in_config"] == 1


confidences = st.floats(allow_nan=True, allow_infinity=True)
answers = st.fixed_dictionaries(
    {},
    optional={
        "c": st.lists(st.tuples(st.sampled_from(["a", "b", "gone"]), confidences), max_size=3).map(tuple),
        "m": st.lists(st.tuples(st.sampled_from(["x", "y"]), confidences), max_size=2, unique_by=lambda a: a[0]).map(
            tuple
        ),
        "t": st.lists(st.tuples(st.sampled_from(["A", "A / B"]), confidences), max_size=1).map(tuple),
    },
)
predictions = st.builds(
    TaskPrediction,
    task_id=st.integers(1, 2**40),
    readable=st.booleans(),
    never_seen=st.booleans(),
    answers=answers,
    score=confidences,
)


@given(st.lists(predictions, max_size=8))
def test_whatever_the_engine_says_the_reply_is_what_label_studio_takes(made: list[TaskPrediction]) -> None:
    replies = Replies(RICH, "v1")
    results = [replies.entry(prediction) for prediction in made]
    assert len(results) == len(made)
    strict = json.loads(json.dumps(results, allow_nan=False))
    for stored in (item for item in strict if isinstance(item, dict)):
        assert SDK.validate_prediction(stored, return_errors=True) == []
        assert stored["model_version"] == "v1"
        assert 0.0 <= stored["score"] <= 1.0


@pytest.mark.parametrize("body", [None, [], "x", 3, {}, {"project": None}, {"project": " "}, {"project": True}])
def test_a_body_without_project_is_an_input_error(body: object) -> None:
    with pytest.raises(InputError):
        parse_setup(body)


@pytest.mark.parametrize("tasks", [None, {}, "x", 3])
def test_tasks_that_are_no_list_are_an_input_error(tasks: object) -> None:
    with pytest.raises(InputError, match="tasks"):
        parse_predict({"project": UID, "tasks": tasks})


def test_broken_tasks_keep_their_place() -> None:
    found = parse_predict({"project": 3, "tasks": [{"id": 1, "data": {}}, None, {"id": "x"}, {"data": {"text": "t"}}]})
    assert found.project == "3"
    assert [task.task_id for task in found.tasks] == [1, None, None, None]
    assert [task.data for task in found.tasks] == [{}, None, None, {"text": "t"}]


def test_extra_params_may_be_json_text() -> None:
    assert parse_setup({"project": UID, "extra_params": '{"encoder": "text"}'}).extra_params == {"encoder": "text"}
    assert parse_setup({"project": UID, "extra_params": "[[["}).extra_params == {}


def test_setup_keeps_no_token(recorded: list[dict[str, Any]]) -> None:
    body = next(r["body"] for r in recorded if r["route"] == "/setup")
    assert "SECRET" in str(body)
    assert "SECRET" not in str(parse_setup(body))


def test_the_uid_is_the_one_that_label_studio_makes(recorded: list[dict[str, Any]]) -> None:
    sent = next(r["body"]["project"] for r in recorded if r["route"] == "/setup")
    shown = next(r["body"]["project"] for r in recorded if r["body"].get("action") == "START_TRAINING")
    assert project_uid(shown) == sent == UID


@pytest.mark.parametrize(
    ("value", "uid"),
    [
        ({"id": 3}, "3"),
        (3, "3"),
        ({"id": 3, "created_at": "soon"}, "3"),
        ({}, None),
        (None, None),
        (True, None),
        (-1, None),
    ],
)
def test_uid_of_less_than_a_whole_project(value: object, uid: str | None) -> None:
    assert project_uid(value) == uid


def test_times_and_ids() -> None:
    assert parse_time("2026-11-22T22:54:14.296374Z") == parse_time("2026-11-23T00:54:14.296374+02:00")
    assert parse_time("1970-01-01T00:00:01") == 1.0
    assert parse_time("never") is None
    assert parse_time(12) is None
    assert [parse_id(v) for v in ("12", 12, 0, "-1", 2**63, "9" * 30, 1.5, None)] == [12, 12] + [None] * 6
