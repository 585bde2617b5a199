"""Which field names a task in an address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ml_backend.label_studio.ring_field import in_address, ring_field


def tasks(**columns: list[object]) -> list[dict[str, object]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test_unique_safe_and_everywhere() -> None:
    several = tasks(
        text=["a b", "c d", "e"], kind=["x", "y", "x"], path=["a/1", "a/2", "a/3"], flag=[True, False, None],
        price=[1.5, 2.0, 3.0], ticket=["T-1", "T-2", "T-3"],
    )  # fmt: skip
    assert ring_field(several) == "ticket"
    assert ring_field([*several, {"text": "f"}]) is None, "a later task lacks it"
    assert ring_field([*several, {"ticket": "T-1"}]) is None
    assert ring_field([]) is None


def test_numbers_and_texts_of_the_same_look_are_the_same_in_an_address() -> None:
    assert ring_field([{"n": 1}, {"n": "1"}]) is None
    assert ring_field([{"n": 1}, {"n": "01"}]) == "n"


def test_which_of_several() -> None:
    row: dict[str, list[object]] = {"b": [1, 2], "order_id": [1, 2], "uuid": ["x", "y"], "lantern_key": ["k", "l"]}
    assert ring_field(tasks(**row)) == "lantern_key"
    assert ring_field(tasks(**row), present="b") == "b", "what is in use stays"
    assert ring_field(tasks(**row), present="gone") == "lantern_key"
    del row["lantern_key"]
    assert ring_field(tasks(**row)) == "uuid"
    del row["uuid"]
    assert ring_field(tasks(**row)) == "order_id"


def test_a_name_that_label_studio_cannot_put_in() -> None:
    assert ring_field([{"a b": 1, "c-d": 2, "é": 3, "9": 4}]) is None


def test_it_stops_reading_when_nothing_is_left() -> None:
    def endless() -> Iterator[dict[str, object]]:
        yield {"text": "a", "n": 1}
        yield {"text": "a", "n": 1}
        raise AssertionError("read on")

    assert ring_field(endless()) is None


@pytest.mark.parametrize(
    "value", ["", "a b", "a&b", "a#b", "ä", "a'b", "%41", "x" * 129, 2**53, 1.0, True, None, ["a"]]
)
def test_values_that_do_not_survive_an_address(value: object) -> None:
    assert in_address(value) is None
