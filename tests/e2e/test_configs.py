"""labeling_configs/ in the real Label Studio."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml_backend.data.label_config import parse_label_config
from ml_backend.data.pictures import to_data_uri
from ml_backend.demo.annotator import Annotator, regions
from tests.conftest import RunningLabelStudio

FOLDER = Path(__file__).parents[2] / "labeling_configs"
CONFIGS = sorted(path for path in FOLDER.glob("*.xml") if "enterprise" not in path.stem)
VALUES = {
    "text": "Disk /dev/sdb is failing. Back up now.",
    "title": "<b>Pump 7</b>",
    "image": to_data_uri(np.zeros((1, 8, 8), np.uint8)),
    "embedding": [0.12, -0.4, 0.88],
    "map": to_data_uri(np.zeros((1, 8, 8), np.uint8)),
}


DRAWN = [
    {
        "from_name": "ellipse",
        "to_name": "map",
        "type": "ellipselabels",
        "value": {"x": 50.0, "y": 40.0, "radiusX": 10.0, "radiusY": 8.0, "rotation": 0, "ellipselabels": ["Praise"]},
    }
]


def test_there_are_configs() -> None:
    names = {path.stem for path in CONFIGS}
    assert names >= {"image_classification", "notification_triage", "text_classification", "vectors"}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_task_can_be_imported_and_answered(label_studio: RunningLabelStudio, path: Path) -> None:
    config = path.read_text("utf-8")
    annotator = Annotator(label_studio.api)
    project = annotator.make_project(path.stem, config)
    assert label_studio.api.project(project)["label_config"] == config.strip()

    ((task,),) = annotator.import_tasks(project, [VALUES])
    schema = parse_label_config(config)
    result = regions(schema, {control.name: control.classes[:1] for control in schema.controls}) or DRAWN
    prediction = {"task": task, "result": result, "score": 0.5, "model_version": "v"}
    # the import drops regions that do not fit the config, without a word
    assert label_studio.api.import_predictions(project, [prediction]) == 1
    annotator.annotate(task, result)
    ((answered,),) = annotator.tasks(project)
    assert [region["value"] for region in answered["annotations"][0]["result"]] == [r["value"] for r in result]
