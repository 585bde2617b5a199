"""python -m ml_backend.demo.screenshots [--dataset FILE.npz] [options of the demo]"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from playwright.sync_api import Error as PlaywrightError

from ml_backend.demo.browser import chromium
from ml_backend.demo.dataset_subject import dataset_subject
from ml_backend.demo.demonstration import Demonstration
from ml_backend.demo.lantern_process import LanternProcess
from ml_backend.demo.options import DemoOptions, parse_options
from ml_backend.demo.scenario import Scenario
from ml_backend.demo.screenshots.map_data import MapData
from ml_backend.demo.screenshots.map_pictures import LABELS, MapPictures
from ml_backend.demo.screenshots.studio import studio
from ml_backend.demo.screenshots.studio_pictures import StudioPictures
from ml_backend.demo.screenshots.task_pictures import take_task_pictures
from ml_backend.demo.signals import interrupts_on_request
from ml_backend.demo.subjects import Subject, digits, notifications
from ml_backend.errors import LanternError
from ml_backend.label_studio.connect import connect
from ml_backend.store.database import Database

USUAL = ("--folder", ".demo/screenshots", "--tasks", "10000")
"""Enough for a map that looks like the whole; all 70,000 pictures of MNIST would take Label Studio an hour."""


def main(argv: Sequence[str] | None = None) -> int:
    """Takes all pictures; returns the exit status."""
    options = parse_options([*USUAL, *(sys.argv[1:] if argv is None else argv)])
    demonstration = Demonstration(options)
    with interrupts_on_request():
        try:
            chromium()
            take_all(demonstration)
        except (LanternError, PlaywrightError) as error:
            print(f"screenshots: {error}", file=sys.stderr)
            return 1
        finally:
            demonstration.stop()
    return 0


def take_all(demonstration: Demonstration) -> None:
    """Two projects: of the notifications the pictures of Label Studio, of the images those of the map."""
    label_studio, lantern = demonstration.start()
    subjects = [subject_of_the_map(demonstration.options), notifications()]
    of_map, of_tasks = demonstration.prepare(subjects, label_studio, lantern)
    outcomes = demonstration.label([of_tasks], label_studio, lantern)
    for scenario in (of_map, of_tasks):
        scenario.wait_until_spread()
        scenario.wait_until_tidy()
    db = Database.open(lantern.settings.home)
    try:
        connect(db, lantern.settings, project=of_map.made.project, beside=True, on_map=True)
        with studio(label_studio.url, label_studio.account) as opened:
            take_task_pictures(opened, outcomes[0])
            address = map_address(lantern, of_map)
            MapPictures(opened, of_map, address).take(demonstration.options.labels or LABELS)
            of_map.wait_until_tidy()
            StudioPictures(opened, of_map, db).take(MapData(address))
    finally:
        db.close()


def subject_of_the_map(options: DemoOptions) -> Subject:
    """The file's images, or the demo's digits."""
    return digits() if options.dataset is None else dataset_subject(options.dataset, options.tasks)


def map_address(lantern: LanternProcess, scenario: Scenario) -> str:
    return f"{lantern.url}/map/{scenario.made.project}"


if __name__ == "__main__":
    sys.exit(main())
