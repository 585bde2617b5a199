"""What Label Studio's own editor makes of an annotation that was made on the map, when it is saved again there."""

from __future__ import annotations

import uuid

from playwright.sync_api import Page

from ml_backend.data.answers import parse_answers
from ml_backend.data.edits import apply_edits, choose, is_marked, says_the_same, tick
from ml_backend.data.label_config import parse_label_config
from ml_backend.demo.annotator import Annotator
from tests.conftest import RunningLabelStudio
from tests.e2e.browser import WAIT_MILLISECONDS, signed_in
from tests.e2e.world import wait_for

CONFIG = """<View>
  <Text name="text" value="$text"/>
  <Choices name="kind" toName="text"><Choice value="wifi"/><Choice value="battery"/></Choices>
  <Choices name="tags" toName="text" choice="multiple">
    <Choice value="urgent"/><Choice value="hardware"/><Choice value="night"/>
  </Choices>
</View>"""
SCHEMA = parse_label_config(CONFIG)
KIND, TAGS = SCHEMA.controls
BOX = ".lsf-choice__checkbox"


def test_saved_again_it_says_the_same_and_what_is_ticked_there_counts(label_studio: RunningLabelStudio) -> None:
    annotator = Annotator(label_studio.api)
    project = annotator.make_project("Saved again", CONFIG)
    ((task,),) = annotator.import_tasks(project, [{"text": "no power"}])
    unique = str(uuid.uuid4())
    made = apply_edits(None, [choose(KIND, "battery"), tick(TAGS, "urgent", on=False)], unique)
    assert made is not None
    label_studio.api.create_annotation(task, {**made, "unique_id": unique})

    with signed_in(label_studio, 1280, 800) as page:
        page.goto(f"{label_studio.url}/projects/{project}/data?task={task}", wait_until="domcontentloaded")
        for choice in (0, 1):  # away and back: without any change the button is grey
            page.locator(BOX).nth(choice).click(timeout=WAIT_MILLISECONDS)
        save(label_studio, page, task)
        (again,) = label_studio.api.task(task)["annotations"]
        assert says_the_same(made, again), again
        assert all(is_marked(region) for region in again["result"]), again
        assert [one["unique_id"] for one in label_studio.api.annotations_of(project, task)] == [unique]

        page.locator(BOX).nth(len(KIND.classes) + TAGS.classes.index("hardware")).click()
        save(label_studio, page, task)
    (ticked,) = label_studio.api.task(task)["annotations"]
    answers = parse_answers(ticked["result"], SCHEMA)
    assert not says_the_same(made, ticked)
    assert answers.given["kind"] == ("battery",)
    assert [answers.says(TAGS, choice) for choice in TAGS.classes] == [False, True, None]


def save(label_studio: RunningLabelStudio, page: Page, task: int) -> None:
    """Press Update, until Label Studio has it."""
    before = label_studio.api.task(task)["annotations"][0]["updated_at"]
    page.locator("button", has_text="Update").click(timeout=WAIT_MILLISECONDS)
    wait_for(lambda: None if label_studio.api.task(task)["annotations"][0]["updated_at"] != before else "an update", 60)
