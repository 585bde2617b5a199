"""Annotations become label sets: one unit per task, split by label; multiple choices are two-class stores."""

from __future__ import annotations

import numpy as np

from ml_backend.data.answers import Answers
from ml_backend.data.label_config import parse_label_config
from ml_backend.engine.label_sets import build_label_sets

CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="kind" toName="text" choice="single"><Choice value="battery"/><Choice value="network"/></Choices>
  <Choices name="tags" toName="text" choice="multiple"><Choice value="urgent"/><Choice value="hardware"/></Choices>
</View>
"""
SCHEMA = parse_label_config(CONFIG)


def said(**given: tuple[str, ...]) -> Answers:
    return Answers(dict(given))


def test_annotators_of_one_task_share_one_unit_split_by_label() -> None:
    kind, *_ = build_label_sets(
        SCHEMA, [(7, said(kind=("battery",))), (7, said(kind=("network",))), (7, said(kind=("battery",)))]
    )
    assert kind.name == "kind"
    assert kind.classes == ("battery", "network")
    assert kind.rows.tolist() == [7]
    np.testing.assert_allclose(kind.targets, [[2 / 3, 1 / 3]])


def test_each_choice_of_a_multiple_control_is_its_own_two_class_store() -> None:
    _, urgent, hardware = build_label_sets(SCHEMA, [(0, said(tags=("urgent",))), (3, said(kind=("battery",)))])
    assert (urgent.name, hardware.name) == ("tags/urgent", "tags/hardware")
    np.testing.assert_allclose(urgent.targets, [[0, 1], [1, 0]])
    np.testing.assert_allclose(hardware.targets, [[1, 0], [1, 0]])


def test_an_annotation_without_an_answer_gives_no_label_to_a_single_control() -> None:
    kind, *_ = build_label_sets(SCHEMA, [(0, said()), (1, said(kind=("network",)))])
    assert kind.rows.tolist() == [1]


def test_labels_that_the_config_no_longer_has_are_left_out() -> None:
    kind, *_ = build_label_sets(SCHEMA, [(0, said(kind=("gone",)))])
    assert len(kind.rows) == 0
    assert kind.targets.shape == (0, 2)


def test_a_label_of_the_map_says_nothing_about_choices_that_were_not_asked() -> None:
    on_map = Answers({"kind": ("battery",), "tags": ()}, asked={"tags": frozenset({"hardware"})})
    kind, urgent, hardware = build_label_sets(SCHEMA, [(4, on_map), (5, said(kind=("battery",)))])
    assert kind.rows.tolist() == [4, 5]
    assert urgent.rows.tolist() == [5]
    np.testing.assert_allclose(hardware.targets, [[1, 0], [1, 0]])
