"""Which field and encoder a project gets, and what is read from a task."""

from __future__ import annotations

import base64
from html.parser import HTMLParser

import pytest

from ml_backend.data.label_config import LabelSchema, parse_label_config
from ml_backend.data.records import Record, Unreadable, read_field
from ml_backend.data.source import MAX_TEXT_CHARACTERS, Reference, choose_source, clean_text, read_item
from ml_backend.errors import ConfigError


def schema(objects: str, to_name: str) -> LabelSchema:
    control = f'<Choices name="c" toName="{to_name}"><Choice value="a"/></Choices>'
    return parse_label_config(f"<View>{objects}{control}</View>")


TEXT = schema('<Text name="t" value="$body"/>', "t")
IMAGE = schema('<Image name="i" value="$picture"/>', "i")
AUDIO = schema('<Audio name="a" value="$sound"/>', "a")


def test_automatic_choice_is_vector_then_image_then_text() -> None:
    both = schema('<Text name="t" value="$body"/><Image name="i" value="$picture"/>', "i,t")
    assert choose_source(TEXT, {"body": "x"}).encoder_spec == "text"
    assert choose_source(IMAGE, {"picture": "/x.png"}).encoder_spec == "pixels"
    vector = choose_source(both, {"body": "x", "embedding": [0.5, 1.0, 2]})
    assert (vector.encoder_spec, vector.kind, vector.field) == ("vector", "vector", "embedding")


@pytest.mark.parametrize("embedding", [[0.1, 0.2], "[0.1, 0.2]", "/data/upload/1/a.npy", "https://x/a.NPY?sig=1"])
def test_an_embedding_may_be_numbers_or_an_npy_address(embedding: object) -> None:
    assert choose_source(AUDIO, {"embedding": embedding}).kind == "vector"


@pytest.mark.parametrize("embedding", ["none", [], ["a", "b"], None, "[", 3])
def test_other_things_called_embedding_are_no_vector(embedding: object) -> None:
    assert choose_source(TEXT, {"body": "x", "embedding": embedding}).kind == "text"


def test_one_of_several_sample_tasks_is_enough_to_find_the_vector() -> None:
    assert choose_source(TEXT, [{"body": "x"}, {"body": "y", "embedding": [1.0, 2.0]}]).kind == "vector"


def test_an_explicit_encoder_or_field_wins() -> None:
    data = {"body": "x", "note": "y", "embedding": [1.0, 2.0]}
    assert choose_source(TEXT, data, "openai:m").field == "body"
    assert choose_source(TEXT, data, None, "note") == choose_source(TEXT, data, "text", "note")
    assert choose_source(TEXT, {"v": [1.0, 2.0]}, None, "v").encoder_spec == "vector"
    assert choose_source(TEXT, data, "text", "body, note").field == "body,note"


def test_objects_that_are_asked_about_go_before_others() -> None:
    shown = schema('<Text name="help" value="$help"/><Text name="t" value="$body"/>', "t")
    assert choose_source(shown, {"help": "h", "body": "b"}).field == "body"


def test_texts_that_are_shown_together_are_read_together() -> None:
    shown = schema('<Text name="t" value="$title"/><HyperText name="h" value="$page"/>', "t,h")
    both = schema(
        '<Text name="t" value="$title"/><HyperText name="h" value="$page"/>'
        '<Choices name="d" toName="h"><Choice value="b"/></Choices>',
        "t",
    )
    source = choose_source(both, {"title": "T", "page": "P"})
    assert source.field == "title,page"
    html = "<style>p {}</style><p>Caf&eacute; <b>open</b></p><script>x()</script>"
    assert read_item(source, Record(1, {"title": " T ", "page": html})) == "T\nCafé open"
    assert choose_source(shown, {}).field == "title"


@pytest.mark.parametrize("spec", ["words", "text2", "vector:3"])
def test_unknown_encoders_are_named(spec: str) -> None:
    with pytest.raises(ConfigError, match=repr(spec)):
        choose_source(TEXT, {"body": "x"}, spec)


def test_a_project_that_shows_nothing_readable_says_what_to_set() -> None:
    with pytest.raises(ConfigError, match="embedding"):
        choose_source(AUDIO, {"sound": "/a.wav"})
    with pytest.raises(ConfigError, match="field"):
        choose_source(AUDIO, {"sound": "/a.wav"}, "pixels")


def test_fields_are_found_by_key_path_index_and_label_studios_undefined() -> None:
    data = {"a.b": 1, "a": {"c": [10, 20]}}
    assert [read_field(data, name) for name in ("a.b", "a.c[1]", "a.c", "a.c[2]", "x")] == [1, 20, [10, 20], None, None]
    assert read_field({"$undefined$": "imported early"}, "text") == "imported early"


@pytest.mark.parametrize("data", [{}, {"body": ""}, {"body": " \n"}, {"body": None}, {"body": ["x"]}, {"body": True}])
def test_missing_and_empty_text_is_unreadable_with_the_fields_name(data: dict[str, object]) -> None:
    item = read_item(choose_source(TEXT, {}), Record(1, data))
    assert isinstance(item, Unreadable)
    assert "'body'" in item.reason


def test_numbers_are_texts_and_long_texts_are_cut() -> None:
    source = choose_source(TEXT, {})
    assert read_item(source, Record(1, {"body": 42})) == "42"
    long = read_item(source, Record(1, {"body": "x" * 100_000}))
    assert isinstance(long, str)
    assert len(long) == MAX_TEXT_CHARACTERS


def test_cloud_storage_goes_through_label_studio_which_has_the_credentials() -> None:
    item = read_item(choose_source(IMAGE, {}), Record(7, {"picture": "s3://bucket/a b.png"}))
    assert isinstance(item, Reference)
    assert item.address.startswith("/tasks/7/resolve/?fileuri=")
    assert base64.urlsafe_b64decode(item.address.partition("=")[2]) == b"s3://bucket/a b.png"
    assert read_item(choose_source(IMAGE, {}), Record("row", {"picture": "/x.png"})) == Reference("/x.png")


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<p>x</p><![x y]>z", "x z"),
        ("<p>x</p><![", "x <!["),
        ("<b>q</b>&#" + "1" * 5_000 + ";", "q &#" + "1" * 5_000 + ";"),
        ("<b>a</b> < b, x<y", "a < b, x<y"),
        ("a<!-- never closed <b>", "a"),
        ("<script>hidden <b", ""),
        ("half \ud800", "half ?"),
    ],
)
def test_odd_html_is_read_as_far_as_it_can_be(page: str, text: str) -> None:
    assert clean_text(page, is_html=True) == text


def test_the_parser_never_gets_what_it_would_read_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[str] = []
    monkeypatch.setattr(HTMLParser, "feed", lambda _self, page: fed.append(page))
    for unit in ("<a ", "<a/", "<a b='", "</a ", "<!--", "<!--x>", "<?"):
        clean_text("<p>" + unit * 10_000, is_html=True)
    assert set(fed) == {"<p>"}


def test_broken_html_is_only_read() -> None:
    source = choose_source(schema('<HyperText name="h" value="$page"/>', "h"), {})
    item = read_item(source, Record(1, {"page": "<p>a</p" + "<div>" * 20_000 + "<b onclick='x()'>b</i></p>"}))
    assert isinstance(item, str)
    assert item.startswith("a")
    assert "onclick" not in item
