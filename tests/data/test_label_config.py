"""Label configs as people write them, as Label Studio's SDK reads them, and as attackers would write them."""

from __future__ import annotations

import socket

import pytest

from ml_backend.data.label_config import LabelSchema, TaskInput, parse_label_config
from ml_backend.errors import LabelConfigError
from tests.label_interface import label_interface

TEXT = '<Text name="text" value="$text"/>'


def config(body: str) -> str:
    return f"<View>{body}</View>"


def choices(attributes: str = "", body: str = '<Choice value="a"/><Choice value="b"/>') -> str:
    return config(f'{TEXT}<Choices name="c" toName="text" {attributes}>{body}</Choices>')


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ("", "single"),
        ('choice="single"', "single"),
        ('choice="single-radio"', "single"),
        ('choice="multiple"', "multiple"),
    ],
)
def test_choices_are_single_unless_multiple(attributes: str, kind: str) -> None:
    (control,) = parse_label_config(choices(attributes)).controls
    assert (control.name, control.to_name, control.kind, control.classes) == ("c", "text", kind, ("a", "b"))


def test_an_alias_is_what_label_studio_stores_so_it_is_the_class() -> None:
    xml = choices(body='<Choice value="Male" alias="M"/><Choice value="Other"/><Choice value="Female" alias=""/>')
    (control,) = parse_label_config(xml).controls
    assert control.classes == ("M", "Other", "Female")
    assert control.classes == tuple(label_interface(xml).get_control("c").labels)


def test_choices_inside_views_count_and_choices_inside_choices_do_not() -> None:
    xml = choices(
        body='<View><Header value="h"/><Choice value="a"/></View><Choice value="b"><Choice value="hidden"/></Choice>'
    )
    assert parse_label_config(xml).controls[0].classes == ("a", "b")


def test_a_taxonomy_path_is_a_label_and_inner_nodes_can_be_chosen() -> None:
    body = (
        '<Choice value="Animal" alias="an"><Choice value="Cat"/><Choice value="Dog"/></Choice><Choice value="Plant"/>'
    )
    (control,) = parse_label_config(config(f'{TEXT}<Taxonomy name="t" toName="text">{body}</Taxonomy>')).controls
    assert control.kind == "taxonomy"
    assert control.classes == ("an", "an / Cat", "an / Dog", "Plant")
    assert control.paths["an / Dog"] == ("an", "Dog")
    (leaves,) = parse_label_config(
        config(f'{TEXT}<Taxonomy name="t" toName="text" leafsOnly="true">{body}</Taxonomy>')
    ).controls
    assert leaves.classes == ("an / Cat", "an / Dog", "Plant")


def test_taxonomy_paths_that_read_the_same_are_refused() -> None:
    body = '<Choice value="A"><Choice value="B"/></Choice><Choice value="A / B"/>'
    with pytest.raises(LabelConfigError, match="A / B"):
        parse_label_config(config(f'{TEXT}<Taxonomy name="t" toName="text">{body}</Taxonomy>'))


def test_several_controls_and_objects_keep_their_order() -> None:
    schema = parse_label_config(
        config(
            '<HyperText name="h" value="$page.html"/><Image name="i" value="$image"/>'
            '<Text name="t" value="$url" valueType="url"/>'
            '<Choices name="two" toName="i"><Choice value="x"/></Choices>'
            '<Choices name="one" toName="h,i" choice="multiple"><Choice value="y"/></Choices>'
        )
    )
    assert [(c.name, c.to_name) for c in schema.controls] == [("two", "i"), ("one", "h")]
    assert schema.inputs == (
        TaskInput("h", "html", "page.html"),
        TaskInput("i", "image", "image"),
        TaskInput("t", "text", "url", by_url=True),
    )


def test_a_text_made_of_several_fields_is_read_from_all_and_a_literal_from_none() -> None:
    schema = parse_label_config(
        config(
            '<Text name="t" value="$title: $body"/><Text name="help" value="Read closely"/>'
            '<Image name="l" valueList="$all"/>'
        )
    )
    assert [task_input.field for task_input in schema.inputs] == ["title", "body"]


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (choices('value="$options"'), "takes its labels from each task"),
        (choices('perRegion="true"'), "region"),
        (choices('perItem="true"'), "item"),
        (choices('allowNested="true"'), "Taxonomy"),
        (choices(body=""), "no <Choice>"),
        (config(f'{TEXT}<Taxonomy name="c" toName="text" apiUrl="http://x/y"/>'), "takes its labels"),
        (config(f'{TEXT}<Taxonomy name="c" toName="text" labeling="true"><Choice value="a"/></Taxonomy>'), "regions"),
        (config(f'{TEXT}<Rating name="c" toName="text"/>'), "<Rating> is not predicted"),
        (config(f'{TEXT}<Labels name="c" toName="text"><Label value="a"/></Labels>'), "<Labels> is not predicted"),
    ],
)
def test_unsupported_controls_are_named_with_the_reason(xml: str, reason: str) -> None:
    schema = parse_label_config(xml)
    assert schema.controls == ()
    assert schema.unsupported[0].name == "c"
    assert reason in schema.unsupported[0].reason


def test_a_config_without_controls_is_valid_and_empty() -> None:
    assert parse_label_config(config(TEXT)) == LabelSchema((), (TaskInput("text", "text", "text"),))


def test_the_digest_follows_the_labels_and_not_the_looks() -> None:
    plain = parse_label_config(choices()).digest
    assert parse_label_config(choices('showInline="true"')).digest == plain
    renamed = parse_label_config(choices(body='<Choice value="a"/><Choice value="c"/>')).digest
    moved = parse_label_config(choices(body='<Choice value="b"/><Choice value="a"/>')).digest
    assert len({plain, renamed, moved}) == 3


BOMB = '<!DOCTYPE v [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9)
)


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (f"{BOMB}]><View>&j;</View>", "DTD or entities"),
        ('<!DOCTYPE v [<!ENTITY x SYSTEM "file:///etc/passwd">]><View>&x;</View>', "DTD or entities"),
        ('<!DOCTYPE v SYSTEM "http://127.0.0.1:9/x.dtd"><View/>', "DTD or entities"),
        ("<View>" + "x" * 1_000_001 + "</View>", "more than 1,000,000"),
        ("<a>" * 5000 + "</a>" * 5000, "deeper than 100"),
        ("<View><Text</View>", "not well-formed"),
        ("<View/>\0", "not well-formed"),
        ("<View>\ud800</View>", "no valid text"),
        ("", "empty"),
        (config('<Text name="x" value="$a"/><Image name="x" value="$b"/>'), 'name="x" twice'),
        (config('<Choices name="c" toName="nowhere"><Choice value="a"/></Choices>'), 'toName="nowhere"'),
    ],
)
def test_bad_configs_are_refused_without_touching_files_or_network(
    xml: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a file or socket was opened")

    monkeypatch.setattr("builtins.open", forbidden)
    monkeypatch.setattr(socket, "socket", forbidden)
    with pytest.raises(LabelConfigError, match=words.replace("(", r"\(")):
        parse_label_config(xml)
