"""From rows in the store to published scores: the engine's steps, seen through views and predictions."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from ml_backend.data.encoders.words import WordLlamaEncoder
from ml_backend.data.media import read_data_uri
from ml_backend.data.pictures import to_data_uri
from ml_backend.errors import ConfigError, MediaError
from ml_backend.store import projects, publications, runs, tasks

from .conftest import UID, World

KINDS = {
    "battery": [
        "Battery at {} percent, plug in soon",
        "Low battery: {} percent left",
        "Only {} % charge remains in the battery",
    ],
    "network": ["Wi-Fi lost on channel {}", "No network connection since {} minutes", "Wireless dropped {} times"],
    "payment": ["Payment of {} euro declined", "Your card was refused for {} euro", "Card charge of {} euro failed"],
}
TRUTH = {
    100 * k + i: (kind, texts[i % 3].format(i + 3))
    for k, (kind, texts) in enumerate(KINDS.items(), start=1)
    for i in range(30)
}

NEW = (9999, {"text": "Battery at 3 percent, plug in soon"})


def fill(world: World) -> None:
    world.configure()
    world.add_tasks([(task, {"text": text}) for task, (_, text) in TRUTH.items()])


def accuracy(world: World) -> float:
    answered = {p.task_id: p.answers["kind"][0][0] for p in world.view().predictions() if p.answers.get("kind")}
    return sum(answered.get(task) == kind for task, (kind, _) in TRUTH.items()) / len(TRUTH)


def label_head_of_queue(world: World, n: int) -> None:
    for _ in range(n):
        asked = min(world.view().predictions(), key=lambda p: p.score)
        world.label(asked.task_id, TRUTH[asked.task_id][0])


def test_the_queue_is_there_before_the_first_label_and_nothing_is_predicted(world: World) -> None:
    fill(world)
    world.work()
    predictions = world.view().predictions()
    assert [p.task_id for p in predictions] == sorted(TRUTH)
    assert not any(p.answers.get("kind") for p in predictions)
    assert len({p.score for p in predictions}) == len(predictions)


def test_a_handful_of_labels_from_the_queue_spreads_to_most_tasks(world: World) -> None:
    fill(world)
    world.work()
    label_head_of_queue(world, 18)
    assert accuracy(world) >= 0.6


def test_a_label_counts_at_once_and_goes_again_when_it_is_changed(world: World) -> None:
    fill(world)
    world.work()
    world.label(101, "battery")
    before = {p.task_id: p for p in world.view().predictions([101])}[101]
    assert before.answers["kind"][0][0] == "battery"
    world.label(101, "payment")
    after = {p.task_id: p for p in world.view().predictions([101])}[101]
    assert after.answers["kind"][0][0] == "payment"


@pytest.mark.slow
def test_enough_labels_start_a_training_and_each_publication_has_a_version_of_its_own(world: World) -> None:
    fill(world)
    world.work()
    first = world.view().model_version
    label_head_of_queue(world, world.settings.start_training_each_n_updates)
    assert world.worker.due(UID)
    world.work()
    assert world.view().model_version != first
    with world.db.read() as session:
        project = projects.ensure(session, UID)
        run = runs.newest(session, project)
        assert run is not None
        assert run.status == "done"
        assert len(run.epochs) == 5
        assert project.labels_changed == 0


def test_a_restart_gives_the_same_version_and_the_same_answers(world: World) -> None:
    fill(world)
    world.work()
    label_head_of_queue(world, 5)
    before = world.view()
    expected = before.predictions()
    world.db.close()
    world.start()
    assert world.work() == 0
    assert world.view().model_version == before.model_version
    assert world.view().predictions() == expected


def test_new_tasks_are_scored_without_training_and_deleted_ones_are_gone(world: World) -> None:
    fill(world)
    world.work()
    label_head_of_queue(world, 9)
    world.add_tasks([(900, {"text": "Low battery: 7 percent left"})])
    world.delete_tasks([101, 102])
    world.work()
    view = world.view()
    assert {101, 102}.isdisjoint(view.task_ids.tolist())
    assert 900 in view.task_ids
    assert len(view.predictions()) == len(TRUTH) - 1


def test_a_project_whose_tasks_are_all_deleted_takes_new_ones_in(world: World) -> None:
    fill(world)
    world.work()
    world.label(100, "battery")
    world.work()
    world.delete_tasks(list(TRUTH))
    world.work()
    assert world.view().predictions() == []
    world.start()
    again = [(5000 + task, {"text": text}) for task, (_, text) in TRUTH.items()]
    world.add_tasks(again)
    world.work()
    assert {one.task_id for one in world.view().predictions()} == {task for task, _ in again}


def test_a_task_that_the_publication_does_not_know_is_folded_in(world: World) -> None:
    fill(world)
    world.work()
    label_head_of_queue(world, 12)
    known, new = world.engine.predict(
        UID, [(103, {"text": "ignored, the task is known"}), (5000, {"text": "Your card was refused for 99 euro"})]
    )
    assert known.task_id == 103
    assert known == world.view().predictions([103])[0]
    assert new.task_id == 5000
    assert new.answers["kind"][0][0] == "payment"
    assert 0.0 <= new.score <= 1.0


def test_before_the_first_publication_tasks_are_answered_as_unreadable(world: World) -> None:
    world.configure()
    [prediction] = world.engine.predict(UID, [(1, {"text": "hello"})])
    assert not prediction.readable
    assert prediction.reason_unreadable


def test_unreadable_tasks_say_why_and_the_others_go_on(world: World) -> None:
    fill(world)
    world.add_tasks([(950, {"text": "   "}), (951, {"other": 1})])
    world.work()
    with world.db.read() as session:
        reasons = tasks.unreadable(session, projects.ensure(session, UID))
    assert set(reasons) == {950, 951}
    assert len(world.view().predictions()) == len(TRUTH)


def test_a_field_that_was_wrong_and_is_right_again_leaves_nothing_behind(world: World) -> None:
    def reasons() -> dict[int, str]:
        with world.db.read() as session:
            return tasks.unreadable(session, projects.ensure(session, UID))

    fill(world)
    world.work()
    world.configure(field="no_such_field")
    world.add_tasks([(952, {"text": "a payment"})])
    world.work()
    assert reasons()
    world.configure(field="text")
    world.work()
    assert reasons() == {}
    assert len(world.view().predictions()) == len(TRUTH) + 1


def test_new_tasks_that_cannot_be_read_leave_nothing_behind(world: World) -> None:
    fill(world)
    world.work()
    published = world.view().number
    world.add_tasks([(950, {"text": "   "})])
    world.work()
    with world.db.read() as session:
        project = projects.ensure(session, UID)
        newest = publications.newest(session, project)
    assert newest is not None
    assert newest.number == published
    assert newest.data_version == project.data_version


def test_a_renamed_label_is_dropped_and_never_shifted_to_another_class(world: World) -> None:
    fill(world)
    world.work()
    label_head_of_queue(world, 9)
    world.configure(
        '<View><Text name="text" value="$text"/><Choices name="kind" toName="text">'
        '<Choice value="network"/><Choice value="payment"/><Choice value="power"/></Choices></View>'
    )
    world.work()
    named = {p.answers["kind"][0][0] for p in world.view().predictions() if p.answers.get("kind")}
    assert named <= {"network", "payment"}


def test_a_damaged_publication_is_passed_over_and_made_anew(world: World) -> None:
    fill(world)
    world.work()
    with world.db.read() as session:
        newest = publications.newest(session, projects.ensure(session, UID))
    assert newest is not None
    [tensors] = (world.home / newest.description_path).glob("*.safetensors")
    tensors.write_bytes(tensors.read_bytes()[:-100])
    world.db.close()
    world.start()
    view = world.engine.view(UID)
    assert view is not None
    assert view.number < newest.number


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["[!.]*", "model-*", "pool-*", "description-*", "*/*.safetensors"])
@pytest.mark.parametrize("restarted", [True, False])
def test_what_is_not_in_a_backup_is_made_anew_from_tasks_and_labels(world: World, lost: str, restarted: bool) -> None:
    fill(world)
    world.work()
    label_head_of_queue(world, 18)
    world.work()
    before = world.view()
    lose(world, lost)
    if restarted:
        world.db.close()
        world.start()
    assert world.work()
    view = world.view()
    assert view.number > before.number
    assert {p.task_id for p in view.predictions()} == set(TRUTH)
    assert accuracy(world) >= 0.6
    assert world.engine.predict(UID, [NEW])[0].answers
    assert not world.worker.due(UID)


def test_new_tasks_are_not_answered_while_the_model_is_gone_and_known_ones_are(world: World) -> None:
    fill(world)
    world.work()
    world.view()
    lose(world, "model-*")
    known, new = world.engine.predict(UID, [(101, {"text": TRUTH[101][1]}), NEW])
    assert known.readable
    assert not new.readable
    assert "made anew" in str(new.reason_unreadable)


def test_files_that_are_gone_wait_until_there_are_tasks_to_make_them_of(world: World) -> None:
    fill(world)
    world.work()
    world.delete_tasks(list(TRUTH)[1:])
    world.work()
    lose(world, "[!.]*")
    world.db.close()
    world.start()
    world.work()
    assert world.engine.view(UID) is None
    assert not world.worker.due(UID)
    world.add_tasks([(1000 + task, {"text": text}) for task, (_, text) in TRUTH.items()])
    world.work()
    assert {1000 + task for task in TRUTH} <= {p.task_id for p in world.view().predictions()}


def test_an_upgrade_with_another_encoder_makes_the_model_anew_and_meanwhile_answers_no_new_task(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(world)
    world.work()
    before = world.view()
    monkeypatch.setattr(WordLlamaEncoder, "name", "wordllama256-next")
    world.db.close()
    world.start()
    assert not world.engine.predict(UID, [NEW])[0].readable
    assert world.work()
    assert world.view().number > before.number
    assert "wordllama256_next" in world.view().model_version
    assert world.engine.predict(UID, [NEW])[0].readable
    assert not world.worker.due(UID)


def lose(world: World, what: str) -> None:
    for path in sorted((world.home / "projects").glob(f"*/{what}")):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_weights_of_a_project_are_checked_with_the_key_named(world: World) -> None:
    fill(world)
    world.configure(weights={"kl": -1})
    with pytest.raises(ConfigError, match="kl"):
        world.work()


def test_the_s_ood_query_gives_exactly_one_minus_s_ood(world: World) -> None:
    fill(world)
    world.configure(query="s_ood")
    world.work()
    for task, (kind, _) in list(TRUTH.items())[::9]:
        world.label(task, kind)
    predictions = world.view().predictions()
    np.testing.assert_allclose([p.score for p in predictions], [1 - p.scores["s_ood"] for p in predictions], atol=1e-6)


@pytest.mark.slow
def test_a_picture_whose_server_was_down_is_read_later(world: World) -> None:
    picture = to_data_uri(np.full((1, 8, 8), 200, dtype=np.uint8))
    down = True

    def fetch(address: str) -> bytes:
        if down:
            raise MediaError("the server is down")
        return read_data_uri(picture)

    world.fetch = fetch
    world.start()
    world.configure(
        '<View><Image name="image" value="$image"/><Choices name="kind" toName="image">'
        '<Choice value="a"/><Choice value="b"/></Choices></View>'
    )
    world.add_tasks([(i, {"image": f"http://pictures.example/{i}.png"}) for i in range(1, 9)])
    world.work()
    assert world.engine.view(UID) is None
    down = False
    world.start()
    world.work()
    assert len(world.view().predictions()) == 8
