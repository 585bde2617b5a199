"""A class more in a label config: at the end of its control, and every other byte as it was."""

from __future__ import annotations

import pytest

from ml_backend.data.label_config import parse_label_config
from ml_backend.errors import InputError, LabelConfigError
from ml_backend.label_studio.new_class import with_class

CONFIG = """<View>
  <!-- <Choices name="kind"> is below -->
  <Text name='text' value="$text"/>
  <Choices name="kind" toName="text">
    <Choice value="é &amp; b" alias="eb"><Choice value="inner"/></Choice>
    <Choice value="wifi"></Choice>
  </Choices>
  <Choices name="flat" toName="text" choice="multiple"><Choice value="x"/></Choices>
  <Taxonomy name="where" toName="text"><Choice value="EU"/></Taxonomy>
</View>"""


def classes(config: str, control: str) -> tuple[str, ...]:
    return next(c.classes for c in parse_label_config(config).controls if c.name == control)


def test_it_stands_on_a_line_of_its_own_like_the_others() -> None:
    changed = with_class(CONFIG, "kind", "new")
    assert changed.replace('\n    <Choice value="new"/>', "") == CONFIG
    assert classes(changed, "kind") == ("eb", "wifi", "new")


def test_it_stands_beside_the_others_on_their_line() -> None:
    changed = with_class(CONFIG, "flat", "y")
    assert changed.replace('<Choice value="y"/>', "") == CONFIG
    assert classes(changed, "flat") == ("x", "y")


@pytest.mark.parametrize("name", ['a "b"', "<b>", "it's & so", "日本"])
def test_any_name_comes_back_as_it_was_given(name: str) -> None:
    assert classes(with_class(CONFIG, "kind", name), "kind")[-1] == name


@pytest.mark.parametrize(
    ("control", "name", "why"),
    [
        ("where", "FR", "taxonomy"),
        ("gone", "x", "no control"),
        ("kind", "wifi", "already"),
        ("kind", "eb", "already"),
        ("kind", "", "needs a name"),
        ("kind", "a\nb", "needs a name"),
        ("kind", "x" * 201, "needs a name"),
    ],
)
def test_what_cannot_be_added_is_said(control: str, name: str, why: str) -> None:
    with pytest.raises((InputError, LabelConfigError), match=why):
        with_class(CONFIG, control, name)
