"""What acts make of an annotation, and what is read from it again."""

from __future__ import annotations

from typing import Any

import pytest

from ml_backend.data.answers import parse_answers
from ml_backend.data.edits import (
    Content,
    Edit,
    answers_alike,
    apply_edits,
    aside_kind,
    choose,
    says_the_same,
    set_aside,
    tick,
)
from ml_backend.data.label_config import parse_label_config
from ml_backend.errors import InputError

SCHEMA = parse_label_config("""
<View>
  <Text name="text" value="$text"/>
  <Choices name="kind" toName="text"><Choice value="wifi"/><Choice value="battery"/></Choices>
  <Choices name="tags" toName="text" choice="multiple"><Choice value="urgent"/><Choice value="hardware"/></Choices>
  <Taxonomy name="where" toName="text"><Choice value="EU"><Choice value="FR"/></Choice></Taxonomy>
</View>
""")
KIND, TAGS, WHERE = SCHEMA.controls
BOX = {"from_name": "box", "to_name": "text", "type": "labels", "value": {"labels": ["x"]}, "id": "b"}


def region(name: str, kind: str, value: list[Any]) -> dict[str, Any]:
    return {"from_name": name, "to_name": "text", "type": kind, "value": {kind: value}, "id": "r"}


def submitted(*regions: dict[str, Any]) -> Content:
    return {"result": list(regions), "was_cancelled": False}


def after(base: Content | None, *edits: Edit) -> Content:
    content = apply_edits(base, edits, "seed")
    assert content is not None
    return content


def said(content: Content) -> dict[str, tuple[str, ...]]:
    return parse_answers(content["result"], SCHEMA).given


def test_the_newer_label_of_a_control_replaces_the_older_one_and_no_other() -> None:
    content = after(None, choose(KIND, "wifi"), choose(WHERE, "EU / FR"), choose(KIND, "battery"))
    assert said(content) == {"kind": ("battery",), "where": ("EU / FR",)}
    assert [r["value"] for r in content["result"]] == [{"taxonomy": [["EU", "FR"]]}, {"choices": ["battery"]}]
    assert len({r["id"] for r in content["result"]}) == 2


def test_boxes_are_ticked_and_unticked_one_by_one() -> None:
    content = after(
        None, tick(TAGS, "urgent", on=True), tick(TAGS, "hardware", on=True), tick(TAGS, "urgent", on=False)
    )
    assert said(content) == {"tags": ("hardware",)}


def test_what_was_not_asked_on_the_map_is_not_answered() -> None:
    answers = parse_answers(after(None, choose(KIND, "wifi"), tick(TAGS, "urgent", on=False))["result"], SCHEMA)
    assert (answers.says(TAGS, "urgent"), answers.says(TAGS, "hardware")) == (False, None)
    assert answers.answers(TAGS)
    assert not answers.answers(WHERE)
    assert not parse_answers(after(None, choose(KIND, "wifi"))["result"], SCHEMA).answers(TAGS)


def saved_in_the_editor(content: Content, **ticked: list[str]) -> Content:
    """As Label Studio's editor saves what it has loaded: `meta` stays, `origin` comes. ticked: boxes, by control."""
    regions = [{**region, "origin": "manual"} for region in content["result"]]
    for region in regions:
        if region["from_name"] in ticked:
            region["value"] = {"choices": ticked[region["from_name"]]}
    return {"result": regions, "was_cancelled": content["was_cancelled"]}


def test_a_box_that_was_ticked_later_in_label_studio_counts() -> None:
    on_the_map = after(None, tick(TAGS, "urgent", on=False))
    later = saved_in_the_editor(on_the_map, tags=["hardware"])
    answers = parse_answers(later["result"], SCHEMA)
    assert (answers.says(TAGS, "urgent"), answers.says(TAGS, "hardware")) == (False, True)
    again = parse_answers(after(later, tick(TAGS, "urgent", on=True))["result"], SCHEMA)
    assert (again.says(TAGS, "urgent"), again.says(TAGS, "hardware")) == (True, True)


def test_saving_it_again_in_the_editor_changes_no_answer() -> None:
    content = after(None, choose(KIND, "wifi"), tick(TAGS, "urgent", on=True))
    assert says_the_same(content, saved_in_the_editor(content))
    assert parse_answers(saved_in_the_editor(content)["result"], SCHEMA) == parse_answers(content["result"], SCHEMA)
    assert not says_the_same(content, saved_in_the_editor(content, tags=["hardware"]))
    assert not says_the_same(content, {**content, "was_cancelled": True})
    assert not says_the_same(content, None)


def test_an_annotation_submitted_in_label_studio_still_answers_every_box() -> None:
    for base in (submitted(region("kind", "choices", ["wifi"])), submitted(BOX)):
        content = after(base, choose(KIND, "battery"), tick(TAGS, "urgent", on=True))
        answers = parse_answers(content["result"], SCHEMA)
        assert answers.given == {"kind": ("battery",), "tags": ("urgent",)}
        assert answers.says(TAGS, "hardware") is False


def test_regions_of_other_tools_stay() -> None:
    base = submitted(BOX, region("kind", "choices", ["wifi"]))
    assert BOX in after(base, choose(KIND, "battery"))["result"]
    assert after(base, set_aside("skip")) == {"result": base["result"], "was_cancelled": True}
    assert after(base, choose(KIND, "battery")) == after(base, choose(KIND, "wifi"), choose(KIND, "battery"))


def test_setting_aside_takes_the_map_s_answers_away_until_the_next_one() -> None:
    edits = [choose(KIND, "wifi"), set_aside("unsure")]
    assert after(None, *edits) == {"result": [], "was_cancelled": True}
    assert aside_kind(edits) == "unsure"
    again = [*edits, choose(KIND, "battery")]
    assert (after(None, *again)["was_cancelled"], said(after(None, *again))) == (False, {"kind": ("battery",)})
    assert aside_kind(again) is None


def test_nothing_done_is_what_was_there() -> None:
    base = submitted(BOX)
    assert apply_edits(None, [], "seed") is None
    assert apply_edits(base, [], "seed") == base


def test_labels_that_a_control_does_not_have_are_refused() -> None:
    with pytest.raises(InputError, match="no class 'gone'"):
        choose(KIND, "gone")
    with pytest.raises(InputError, match="no class 'wifi'"):
        tick(TAGS, "wifi", on=True)


@pytest.mark.parametrize(
    "meta", [None, [], {"lantern": ["map"]}, {"lantern": "map", "asked": "urgent"}, {"text": ["n"]}]
)
def test_strange_marks_are_no_marks_or_ask_nothing(meta: object) -> None:
    answers = parse_answers([{**region("tags", "choices", ["urgent"]), "meta": meta}], SCHEMA)
    assert answers.says(TAGS, "hardware") is (
        None if isinstance(meta, dict) and meta.get("lantern") == "map" else False
    )


def test_two_annotations_answer_alike_when_they_differ_in_what_was_not_asked() -> None:
    kind, tags = region("kind", "choices", ["wifi"]), region("tags", "choices", ["urgent"])
    before, after_box = submitted(kind, tags), submitted({**kind, "origin": "manual"}, tags, BOX)
    assert answers_alike(before, after_box, [choose(KIND, "battery")])
    assert answers_alike(None, submitted(tags), [choose(KIND, "battery")])
    assert not answers_alike(before, submitted(kind), [choose(KIND, "battery"), tick(TAGS, "urgent", on=True)])
    assert not answers_alike(before, {**before, "was_cancelled": True}, [choose(KIND, "battery")])
    assert not answers_alike(before, after_box, [set_aside("skip")]), "a skip is about all of it"
