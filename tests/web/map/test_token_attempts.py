"""Label Studio tokens cannot be guessed through the map by trying, and whoever tries locks nobody else out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ml_backend.web.attempts import LIMIT, WINDOW_SECONDS, Attempts
from tests.label_studio.fake_people import ANN, BOB
from tests.web.conftest import Clock

from .test_acts import Page


@pytest.fixture(scope="module")
def module_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    made = Page(tmp_path_factory.mktemp("attempts"))
    yield made
    made.sender.stop()
    made.world.db.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def page(module_page: Page, clock: Clock) -> Page:
    object.__setattr__(module_page.world.maps, "token_attempts", Attempts(clock))
    return module_page


def guess(page: Page, times: int) -> list[int]:
    """Statuses of a sign-in with one wrong token after the other."""
    return [page.post("sign-in", token=f"{number:040d}").status_code for number in range(times)]


def test_too_many_bad_tokens_have_to_wait_and_label_studio_is_not_asked(page: Page, clock: Clock) -> None:
    assert guess(page, LIMIT) == [401] * LIMIT
    asked = len(page.fake.calls)
    reply = page.post("sign-in", token=BOB)
    assert (reply.status_code, int(reply.headers["Retry-After"])) == (429, WINDOW_SECONDS)
    assert len(page.fake.calls) == asked
    clock.now += WINDOW_SECONDS
    assert page.post("sign-in", token=BOB).status_code == 200


def test_every_write_counts_and_who_is_known_goes_on(page: Page) -> None:
    assert page.post("sign-in", token=ANN).status_code == 200
    for number in range(LIMIT):
        assert page.post("controls/kind/classes/network", {"shown_as": "x"}, token=f"{number:040d}").status_code == 401
    assert page.post("sign-in", token="f" * 40).status_code == 429
    assert page.post("sign-in", token=ANN).status_code == 200


def test_bad_tokens_lock_neither_readers_nor_label_studio_out(page: Page) -> None:
    assert guess(page, LIMIT + 1)[-1] == 429
    assert page.get("state")["project"]
    assert page.world.client.get("/versions").status_code == 200


def test_no_token_is_no_try(page: Page) -> None:
    for _ in range(LIMIT + 5):
        assert page.post("sign-in", token=None).status_code == 401
    assert guess(page, 1) == [401]
