"""Raw Label Studio results, good and strange."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_backend.data.answers import UnknownLabel, log_unknown, parse_answers
from ml_backend.data.label_config import parse_label_config

SCHEMA = parse_label_config("""
<View>
  <Text name="text" value="$text"/>
  <Choices name="kind" toName="text"><Choice value="Battery" alias="bat"/><Choice value="wifi"/></Choices>
  <Choices name="tags" toName="text" choice="multiple"><Choice value="urgent"/><Choice value="hardware"/></Choices>
  <Taxonomy name="where" toName="text"><Choice value="EU"><Choice value="FR"/></Choice></Taxonomy>
  <Labels name="spans" toName="text"><Label value="x"/></Labels>
</View>
""")


def region(name: str, kind: str, value: object, **extra: object) -> dict[str, object]:
    return {"from_name": name, "to_name": "text", "type": kind, "value": {kind: value}, "id": "r1", **extra}


def test_a_form_that_was_submitted_empty_says_no_to_every_box_and_nothing_of_single_choices() -> None:
    kind, tags, where = SCHEMA.controls
    answers = parse_answers([], SCHEMA)
    assert [answers.answers(control) for control in (kind, tags, where)] == [False, True, False]
    assert answers.says(tags, "urgent") is False


def test_each_control_gets_its_own_answer() -> None:
    result = [
        region("kind", "choices", ["bat"]),
        region("tags", "choices", ["hardware", "urgent"]),
        region("where", "taxonomy", [["EU"], ["EU", "FR"]]),
        {"from_name": "spans", "to_name": "text", "type": "labels", "value": {"start": 0, "end": 2, "labels": ["x"]}},
    ]
    assert parse_answers(result, SCHEMA).given == {
        "kind": ("bat",),
        "tags": ("hardware", "urgent"),
        "where": ("EU", "EU / FR"),
    }


def test_labels_that_the_config_lacks_are_dropped_and_reported_never_shifted() -> None:
    result = [
        region("kind", "choices", ["Battery"]),
        region("tags", "choices", ["urgent", "gone"]),
        region("where", "taxonomy", [["FR"], ["EU / FR"], ["EU", "FR"]]),
    ]
    answers = parse_answers(result, SCHEMA)
    assert answers.given == {"tags": ("urgent",), "where": ("EU / FR",)}
    assert answers.unknown == (
        UnknownLabel("kind", "Battery"),
        UnknownLabel("tags", "gone"),
        UnknownLabel("where", "FR"),
        UnknownLabel("where", "EU / FR"),
    )


def test_dropped_labels_are_logged_in_one_line_without_their_text(caplog: pytest.LogCaptureFixture) -> None:
    renamed = parse_answers([region("kind", "choices", ["secret name"])], SCHEMA)
    with caplog.at_level("INFO"):
        log_unknown([renamed, parse_answers([region("kind", "choices", ["wifi"])], SCHEMA), renamed])
    (line,) = caplog.messages
    assert "2 label(s)" in line
    assert "kind" in line
    assert "secret name" not in line


def test_nothing_ticked_is_an_answer_of_a_multiple_control_only() -> None:
    assert parse_answers([region("tags", "choices", []), region("kind", "choices", [])], SCHEMA).given == {"tags": ()}


def test_a_lone_text_counts_as_a_list_of_one_and_repeats_count_once() -> None:
    assert parse_answers([region("kind", "choices", "wifi"), region("kind", "choices", ["wifi"])], SCHEMA).given == {
        "kind": ("wifi",)
    }


def test_regions_of_other_types_and_controls_are_ignored() -> None:
    result = [
        region("kind", "taxonomy", [["EU"]]),
        region("nobody", "choices", ["wifi"]),
        region("where", "choices", ["EU"]),
    ]
    assert parse_answers(result, SCHEMA).given == {}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["from_name", "type", "value", "choices", "taxonomy"]), inner, max_size=4)
    ),
    max_leaves=12,
)
regions = st.fixed_dictionaries(
    {"from_name": st.sampled_from(["kind", "where"]), "type": st.sampled_from(["choices", "taxonomy"])},
    optional={"value": st.dictionaries(st.sampled_from(["choices", "taxonomy"]), json_values)},
)


@given(json_values | st.lists(regions | json_values, max_size=4))
def test_any_json_is_read_without_an_error_and_gives_only_labels_of_the_config(result: object) -> None:
    classes = {control.name: set(control.classes) for control in SCHEMA.controls}
    for name, given_classes in parse_answers(result, SCHEMA).given.items():
        assert set(given_classes) <= classes[name]
