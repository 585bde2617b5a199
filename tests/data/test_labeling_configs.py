"""The shipped label configs: valid for Label Studio's SDK, read by Lantern, and in step with the demo data."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ml_backend.data.label_config import LabelSchema, parse_label_config
from ml_backend.data.notifications import SOMETHING_ELSE, TAGS, group_kinds, kinds
from ml_backend.data.source import choose_source
from ml_backend.engine.map_colours import PALETTE
from ml_backend.label_studio.map_config import MapAddress, find_map, with_map
from ml_backend.label_studio.sheet_config import sheet_config
from tests.label_interface import label_interface

FOLDER = Path(__file__).parents[2] / "labeling_configs"
ENTERPRISE = FOLDER / "enterprise_text_with_map.xml"
ON_THE_MAP = FOLDER / "label_on_map.xml"
FILES = sorted(path for path in FOLDER.glob("*.xml") if path not in (ENTERPRISE, ON_THE_MAP))


def schema(name: str) -> LabelSchema:
    return parse_label_config((FOLDER / name).read_text(encoding="utf-8"))


def test_they_are_there() -> None:
    expected = {"text_classification.xml", "notification_triage.xml", "image_classification.xml", "vectors.xml"}
    expected |= {"text_classification_with_map.xml", "image_classification_with_map.xml"}
    assert expected <= {path.name for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_label_studio_and_lantern_read_the_same_controls(path: Path) -> None:
    xml = path.read_text(encoding="utf-8")
    interface = label_interface(xml)
    interface.validate()
    read = parse_label_config(xml)
    assert read.controls
    assert read.unsupported == ()
    assert {control.name: list(control.classes) for control in read.controls} == {
        control.name: list(control.labels) for control in interface.controls
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_predictions_for_every_class_are_valid_for_label_studio(path: Path) -> None:
    xml = path.read_text(encoding="utf-8")
    interface = label_interface(xml)
    for control in parse_label_config(xml).controls:
        for label in control.classes:
            region: dict[str, object] = {
                "from_name": control.name,
                "to_name": control.to_name,
                "type": control.result_type,
            }
            region |= {"value": {control.result_type: [label]}}
            errors = interface.validate_prediction(
                {"result": [region], "score": 0.5, "model_version": "v"}, return_errors=True
            )
            assert errors == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_hotkeys_are_unique_and_a_header_and_a_comment_explain(path: Path) -> None:
    xml = path.read_text(encoding="utf-8")
    hotkeys = re.findall(r'hotkey="(.)"', xml)
    assert len(hotkeys) == len(set(hotkeys)) == xml.count("<Choice value=")
    assert "<Header " in xml
    assert "Lantern reads the task field" in xml


def test_each_config_leads_to_the_encoder_its_comment_names() -> None:
    assert choose_source(schema("text_classification.xml"), {"text": "a"}).encoder_spec == "text"
    assert choose_source(schema("notification_triage.xml"), {"text": "a"}).encoder_spec == "text"
    assert choose_source(schema("image_classification.xml"), {"image": "/a.png"}).encoder_spec == "pixels"
    assert choose_source(schema("vectors.xml"), {"title": "a", "embedding": [0.1, 0.2]}).encoder_spec == "vector"


def test_the_triage_config_offers_exactly_what_the_generator_makes() -> None:
    kind, tags = schema("notification_triage.xml").controls
    assert kind.classes == (*kinds(), *group_kinds(), SOMETHING_ELSE)
    assert (tags.kind, tags.classes) == ("multiple", TAGS)
    (digit,) = schema("image_classification.xml").controls
    assert digit.classes == tuple("0123456789")


@pytest.mark.parametrize("name", ["text_classification", "image_classification"])
def test_the_map_stands_beside_the_same_questions(name: str) -> None:
    beside = (FOLDER / f"{name}_with_map.xml").read_text(encoding="utf-8")
    assert parse_label_config(beside) == schema(f"{name}.xml")
    address = MapAddress("https://lantern.test", "5.17", "k", "alert_id")
    filled = with_map(beside, address)
    assert filled == beside.replace("http://localhost:9090/map/PROJECT#key=KEY", address.url)
    assert find_map(filled) == address


def test_the_config_for_drawing_on_the_map_is_what_connect_makes() -> None:
    xml = ON_THE_MAP.read_text(encoding="utf-8")
    interface = label_interface(xml)
    interface.validate()
    assert {control.tag for control in interface.controls} == {
        "PolygonLabels", "EllipseLabels", "RectangleLabels", "KeyPointLabels"
    }  # fmt: skip
    (topic,) = schema("text_classification.xml").controls
    made = sheet_config("Draw around points of one kind (topic)", list(zip(topic.classes, PALETTE, strict=False)))
    assert re.sub(r"\n  <!--.*?-->", "", xml, flags=re.DOTALL) == made + "\n"


def test_names_of_classes_are_quoted_for_label_studio() -> None:
    xml = sheet_config('Which "kind" <of> & so on?', [('a "b" & <c>', "#0072b2")])
    assert list(label_interface(xml).get_control("polygon").labels) == ['a "b" & <c>']


def test_the_enterprise_variant_as_far_as_the_sdk_goes() -> None:
    xml = ENTERPRISE.read_text(encoding="utf-8")
    interface = label_interface(xml)
    interface.validate()
    assert "NOT RUN" in xml
    assert interface.get_control("lantern_map").tag == "ReactCode"
    read = parse_label_config(xml)
    assert read.controls == schema("text_classification.xml").controls
    assert [tag.tag for tag in read.unsupported] == ["ReactCode"]
