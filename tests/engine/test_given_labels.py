"""What a person did on the map counts in views and trainings from the moment it was done."""

from __future__ import annotations

import time

from ml_backend.data.edits import choose, set_aside
from ml_backend.data.label_config import parse_label_config
from ml_backend.engine.given_labels import count_given, given_labels
from ml_backend.store import acts, outbox, projects
from ml_backend.store.acts import Author, Deed, Target
from ml_backend.store.annotations import AnnotationRow
from ml_backend.store.tables import Act

from .conftest import CONFIG, UID, World

(KIND,) = parse_label_config(CONFIG).controls
ANN = Author(1, "Ann")
TEXTS = {
    1: "Battery at 3 percent, plug in soon",
    2: "Battery at 9 percent, plug in soon",
    3: "Wi-Fi lost on channel 4",
    4: "Wi-Fi lost on channel 8",
    5: "Payment of 4 euro declined",
    6: "Payment of 7 euro declined",
    7: "Battery at 5 percent, plug in now",
    8: "Wi-Fi lost on channel 2 again",
}


def ready(world: World) -> World:
    world.configure()
    world.add_tasks([(task, {"text": text}) for task, text in TEXTS.items()])
    world.work()
    return world


def act(world: World, kind: str, *tasks: int, label: str = "battery") -> Act:
    edit = choose(KIND, label) if kind == "label" else set_aside("unsure")
    with world.db.write() as session:
        project = projects.ensure(session, UID)
        targets = [Target(task, "e") for task in tasks]
        return acts.record(session, project, ANN, Deed(kind, "kind", label, {"e": edit}), targets, time.time())


def undo(world: World, one: Act) -> None:
    with world.db.write() as session:
        project = projects.ensure(session, UID)
        found = acts.find(session, project, one.id)
        assert found is not None
        acts.undo(session, project, found, time.time())


def answered(world: World) -> dict[int, str]:
    """Tasks whose row is labelled, with the class of the most."""
    view = world.view()
    (labels,) = view.label_sets
    rows = zip(labels.rows, labels.targets.argmax(axis=1), strict=True)
    return {int(view.snapshot.task_ids[row]): labels.classes[c] for row, c in rows}


def queue(world: World) -> list[int]:
    """Tasks, the one to label first in front."""
    return [p.task_id for p in sorted(world.view().predictions(), key=lambda p: p.score)]


def test_a_label_of_the_map_is_in_the_next_view_and_gone_after_its_undo(world: World) -> None:
    ready(world)
    one = act(world, "label", 1, 2)
    assert answered(world) == {1: "battery", 2: "battery"}
    assert {p.task_id for p in world.view().predictions() if p.answers.get("kind")} >= {7}
    undo(world, one)
    assert answered(world) == {}


def test_the_annotation_that_comes_of_it_counts_in_its_place(world: World) -> None:
    ready(world)
    act(world, "label", 1)
    with world.db.write() as session:
        project = projects.ensure(session, UID)
        (entry,) = outbox.claim(session, project, 1, "me", 5, 60.0, time.time())
        assert entry.wanted is not None
        row = AnnotationRow(77, 1, "1", entry.wanted["result"], False, 5.0)
        version = project.labels_version
        outbox.confirm(session, project, entry.id, entry.wanted, row, time.time())
        assert [label.annotation_id for label in given_labels(session, project)] == [77]
        assert project.labels_version == version
    assert answered(world) == {1: "battery"}


def test_a_newer_label_of_the_map_hides_the_same_person_s_annotation_not_another_s(world: World) -> None:
    ready(world)
    world.label(3, "network", annotation_id=70, annotator="1")
    world.label(3, "network", annotation_id=71, annotator="2")
    act(world, "label", 3, label="payment")
    (labels,) = world.view().label_sets
    assert dict(zip(labels.classes, labels.targets[0], strict=True)) == {"battery": 0.0, "network": 0.5, "payment": 0.5}


def test_what_waits_to_be_sent_is_counted_in_the_place_of_what_it_replaces(world: World) -> None:
    ready(world)
    for annotation_id, task, annotator in ((70, 3, "1"), (71, 3, "2"), (72, 5, "2")):
        world.label(task, "network", annotation_id=annotation_id, annotator=annotator)
    act(world, "label", 1, 3, label="payment")
    act(world, "unsure", 5)
    with world.db.read() as session:
        assert count_given(session, projects.ensure(session, UID)) == (4, 0)
        assert len(given_labels(session, projects.ensure(session, UID))) == 4


def test_labels_of_deleted_tasks_are_none_whoever_waits_to_send_them(world: World) -> None:
    ready(world)
    for task in (3, 4):
        world.label(task, "network", annotation_id=70 + task)
    act(world, "label", 1, 2)
    world.delete_tasks([1, 3])
    with world.db.read() as session:
        project = projects.ensure(session, UID)
        assert [label.task_id for label in given_labels(session, project)] == [4, 2]
        assert count_given(session, project) == (2, 0)


def test_a_training_learns_from_what_is_still_to_be_sent(world: World) -> None:
    ready(world)
    act(world, "label", 1, 2)
    act(world, "label", 3, 4, label="network")
    with world.db.write() as session:
        projects.request_training(session, projects.ensure(session, UID))
    world.work()
    assert answered(world) == {1: "battery", 2: "battery", 3: "network", 4: "network"}
    with world.db.read() as session:
        project = projects.ensure(session, UID)
        assert project.labels_changed == 0, "the training did not take the labels in"


def test_what_was_set_aside_leaves_the_queue_and_comes_back(world: World) -> None:
    ready(world)
    act(world, "label", 1)
    first = queue(world)[0]
    one = act(world, "unsure", first)
    assert world.view().set_aside == {first: "unsure"}
    assert first not in queue(world)[:6]
    assert answered(world) == {1: "battery"}
    undo(world, one)
    assert queue(world)[0] == first
