"""What a person reads of a task."""

from __future__ import annotations

from ml_backend.data.label_config import parse_label_config
from ml_backend.data.task_text import kind_of, text_of

CONFIG = (
    '<View><{shown} name="shown" value="$shown"/><Choices name="c" toName="shown"><Choice value="a"/></Choices></View>'
)


def test_the_key_that_rings_a_point_is_nothing_to_read() -> None:
    schema = parse_label_config(CONFIG.format(shown="Image"))
    picture = {"shown": "data:image/png;base64,AAAA", "lantern_key": "row-7"}
    assert text_of(schema, picture) == ""
    assert kind_of(schema, picture) == "image"
    assert text_of(schema, {**picture, "caption": "a cat"}) == "a cat"
    assert kind_of(schema, {"embedding": [0.0, 1.0], "lantern_key": "row-7"}) == "vector"


def test_a_text_that_the_config_shows_is_read_whatever_its_field_is_called() -> None:
    schema = parse_label_config(CONFIG.replace("$shown", "$lantern_key").format(shown="Text"))
    assert text_of(schema, {"lantern_key": "row-7"}) == "row-7"
