"""The map goes into a label config and out of it, and nothing else changes."""

from __future__ import annotations

import html
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_backend.data.label_config import parse_label_config
from ml_backend.errors import LabelConfigError
from ml_backend.label_studio.map_config import MapAddress, find_map, with_map, without_map
from tests.label_interface import label_interface

FOLDER = Path(__file__).parents[2] / "labeling_configs"
SHIPPED = sorted(path for path in FOLDER.glob("*.xml") if "map" not in path.stem)
ADDRESS = MapAddress("https://lantern.test/base", "5.1783600000", "k" * 31 + "-", "alert_id")
PLAIN = '<View><Text name="text" value="$text"/>{}</View>'
CHOICES = '<Choices name="c" toName="text"><Choice value="a"/><Choice value="b"/></Choices>'
ODD = [
    PLAIN.format(CHOICES),
    "<?xml version='1.0'?>\n<!-- a > b -->\n" + PLAIN.format(CHOICES + "\n") + "\n<!-- after </View> -->\n",
    PLAIN.format('<Header value="5 > 3, &quot;ä&quot; 日本 &lt;b&gt;"/>' + CHOICES.replace("<", "\r\n\t<")),
    PLAIN.format("<Style>.a > .b { color: red }</Style>" + CHOICES + "<!-- <Choice value=c> -->"),
    PLAIN.format('<HyperText name="lantern_map" value="$page"/><View/>' + CHOICES),
]


@pytest.mark.parametrize("config", [*ODD, *(path.read_text("utf-8") for path in SHIPPED)])
def test_in_and_out_again_leaves_every_byte(config: str) -> None:
    shown = with_map(config, ADDRESS)
    assert find_map(shown) == ADDRESS
    assert without_map(shown) == config
    assert with_map(shown, ADDRESS) == shown, "again changes nothing"
    moved = with_map(shown, MapAddress("http://localhost:9090", "5", "other"))
    assert find_map(moved) == MapAddress("http://localhost:9090", "5", "other")
    assert without_map(moved) == config
    assert find_map(config) is None
    assert without_map(config) == config


@pytest.mark.parametrize("config", [*ODD, *(path.read_text("utf-8") for path in SHIPPED)])
def test_label_studio_and_lantern_read_the_same_questions(config: str) -> None:
    shown = with_map(config, ADDRESS)
    interface = label_interface(shown)
    interface.validate()
    before, after = parse_label_config(config), parse_label_config(shown)
    assert after == before, "the map's field is nothing to be read"
    assert [c.name for c in interface.controls] == [c.name for c in label_interface(config).controls]


def test_the_page_that_label_studio_makes_of_it() -> None:
    """What a browser is given, after Label Studio has put the task's value in."""
    root = ET.fromstring(with_map(ODD[0], ADDRESS))
    [tag] = list(root.iter("HyperText"))
    page = tag.attrib["value"].replace("$alert_id", "A-7")
    assert tag.get("inline") == "true"
    [shown] = list(ET.fromstring(f"<x>{page}</x>").iter("object"))
    assert html.unescape(shown.attrib["data"]) == (
        f"https://lantern.test/base/map/5.1783600000?value=A-7#key={ADDRESS.key}"
    )
    assert shown.get("type") == "text/html"
    assert "height:640px" in shown.attrib["style"]


def test_a_name_that_is_taken_is_not_used_twice() -> None:
    taken = ODD[4].replace('name="c" toName', "name='lantern_map_1' toName")
    names = [e.attrib["name"] for e in ET.fromstring(with_map(taken, ADDRESS)).iter() if "name" in e.attrib]
    assert sorted(names) == ["lantern_map", "lantern_map_1", "lantern_map_2", "text"]


def test_what_a_person_changed_afterwards_stays() -> None:
    shown = with_map(ODD[0], ADDRESS)
    widened = shown.replace('value="a"', 'value="A"').replace("<View>", '<View style="padding: 4px">', 1)
    assert without_map(widened) == widened.partition('<View className="lantern')[0] + "</View>"
    assert find_map(widened) == ADDRESS
    inside = shown.replace("</Style><Hyper", '</Style><Header value="Map"/><!-- mine --><Hyper')
    assert without_map(inside) == ODD[0].replace(
        "</View>", '<View className="lantern-map-beside"><Header value="Map"/><!-- mine --></View></View>'
    )
    [tag] = list(ET.fromstring(shown).iter("HyperText"))
    moved = ODD[0].replace("<View>", "<View>\n" + ET.tostring(tag, "unicode"), 1)
    assert find_map(moved) == ADDRESS
    assert without_map(moved) == ODD[0].replace("<View>", "<View>\n", 1)
    other = MapAddress("http://localhost:9090", "5", "other")
    assert with_map(moved, other) == moved.replace(ADDRESS.url, other.url), "it stays where it was moved to"
    assert without_map(with_map(moved, other)) == without_map(moved)


def test_two_maps_become_one() -> None:
    shown = with_map(ODD[0], ADDRESS)
    [tag] = list(ET.fromstring(shown).iter("HyperText"))
    twice = shown.replace("<View>", "<View>" + ET.tostring(tag, "unicode").replace("lantern_map", "second"), 1)
    assert with_map(twice, ADDRESS) == shown


def test_other_pages_in_the_config_are_not_the_map() -> None:
    other = PLAIN.format(
        '<HyperText name="p" inline="true" value="&lt;object data=\'http://x/map/5\'/&gt;"/>' + CHOICES
    )
    assert find_map(other) is None
    assert without_map(with_map(other, ADDRESS)) == other


@pytest.mark.parametrize("config", ["", "<View/>", "<View><Text", "<!DOCTYPE x [<!ENTITY a 'b'>]><View>&a;</View>"])
def test_a_config_that_cannot_hold_a_map(config: str) -> None:
    with pytest.raises(LabelConfigError):
        with_map(config, ADDRESS)


PARTS = ["\n", "  ", "<View>x</View>", "<!-- > -->", "<View a='>'/>", "ä€𝄞", "<B/>\r\n"]


@given(st.lists(st.sampled_from(PARTS), max_size=12))
def test_in_and_out_again_of_anything(parts: list[str]) -> None:
    config = f"<View>{''.join(parts)}</View>"
    assert without_map(with_map(config, ADDRESS)) == config
