"""The inbox: durable, in order, each letter taken out once."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from ml_backend.errors import StoreError
from ml_backend.store.inbox import FOLDER_NAME, Inbox, Letter


def intact() -> None:
    pytest.fail("no letter is damaged")


def test_letters_come_out_oldest_first_and_only_once(tmp_path: Path) -> None:
    letters = [Letter({"n": n}, 100.0 + n // 2) for n in range(20)]
    inbox = Inbox(tmp_path)
    for letter in letters:
        inbox.put(letter)
    found: list[Letter] = []
    assert Inbox(tmp_path).empty(found.append, intact) == 20, "also by an inbox that did not put them there"
    assert found == letters
    assert inbox.is_empty
    assert inbox.empty(found.append, intact) == 0


def test_a_letter_that_was_not_taken_stays_with_all_after_it(tmp_path: Path) -> None:
    inbox, taken = Inbox(tmp_path), []
    for n in range(3):
        inbox.put(Letter(n, float(n)))

    def take(letter: Letter) -> None:
        if letter.body == 1:
            raise StoreError("locked")
        taken.append(letter.body)

    with pytest.raises(StoreError):
        inbox.empty(take, intact)
    assert taken == [0]
    assert inbox.empty(lambda letter: taken.append(letter.body), intact) == 2
    assert taken == [0, 1, 2]


def test_two_who_empty_it_at_once_never_take_the_same_letter(tmp_path: Path) -> None:
    for n in range(200):
        Inbox(tmp_path).put(Letter(n, float(n)))
    taken: list[object] = []
    threads = [
        threading.Thread(target=Inbox(tmp_path).empty, args=(lambda letter: taken.append(letter.body), intact))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert taken == list(range(200))


def test_a_damaged_letter_is_set_aside_and_holds_nothing_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    inbox, taken, damaged = Inbox(tmp_path), [], []
    for n in range(3):
        inbox.put(Letter(n, float(n)))
    first = min((tmp_path / FOLDER_NAME).glob("*.json"))
    first.write_text('{"at": 0, "bo')
    assert inbox.empty(lambda letter: taken.append(letter.body), lambda: damaged.append(first.exists())) == 2
    assert taken == [1, 2]
    assert damaged == [True], "told before it is set aside, so that a process killed in between tells again"
    assert inbox.is_empty
    assert "damaged" in caplog.text
    assert first.with_suffix(".damaged").exists()


def test_only_the_owner_can_read_it_and_half_written_ones_do_not_count(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    inbox.put(Letter({}, 1.0))
    (letter,) = (tmp_path / FOLDER_NAME).iterdir()
    assert stat.S_IMODE(letter.stat().st_mode) == 0o600
    assert stat.S_IMODE(letter.parent.stat().st_mode) == 0o700
    letter.rename(letter.with_suffix(".tmp"))
    assert inbox.is_empty


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / FOLDER_NAME).write_text("a file is in the way")
    with pytest.raises(StoreError, match=FOLDER_NAME):
        Inbox(tmp_path).put(Letter({}, 1.0))
