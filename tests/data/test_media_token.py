"""Label Studio's token goes to its media and nowhere else, with real servers."""

from __future__ import annotations

from functools import partial

import pytest

from ml_backend.data.media import MediaFetcher
from ml_backend.errors import LabelStudioUnreachable, MediaError
from tests.data.conftest import Serve, hello, reply

TOKEN = {"Authorization": "Token secret-token"}


open_fetcher = partial(MediaFetcher, allow_private=True, timeout_seconds=5)
"""May reach loopback, as the test servers are there."""


def test_relative_addresses_go_to_label_studio_with_the_token(serve: Serve) -> None:
    label_studio = serve(hello)
    assert MediaFetcher(label_studio.url + "/", lambda: TOKEN)("/data/upload/1/a.png") == b"hello"
    path, headers, _ = label_studio.requests[0]
    assert path == "/data/upload/1/a.png"
    assert headers["Authorization"] == "Token secret-token"


def test_the_token_is_sent_to_no_other_server_not_even_after_a_redirect(serve: Serve) -> None:
    other = serve(hello)
    label_studio = serve(lambda h, _: reply(h, b"", 302, Location=f"{other.url}/data/upload/1/a.png"))
    fetcher = open_fetcher(label_studio_url=label_studio.url, authorise=lambda: TOKEN)
    fetcher("/data/upload/1/a.png")
    fetcher(f"{other.url}/data/upload/1/a.png")
    assert len(other.requests) == 2
    assert all("Authorization" not in headers for _, headers, _ in other.requests)
    assert "Authorization" in label_studio.requests[0][1]


@pytest.mark.parametrize(
    "path",
    [
        "/api/projects/1/export",
        "/data/../api/users",
        "/data/upload/../../api/users",
        "/",
        "/static/x.png",
        "/user/account",
        "/tasks/5/delete",
        "/tasks/1/../../api/users",
        "/tasks/",
        "/projects/1/",
        "/projects/1/settings/resolve/",
        "/projects/x/resolve/",
        "/storage-data/",
    ],
)
def test_the_token_opens_media_only_never_the_api(serve: Serve, path: str) -> None:
    label_studio = serve(hello)
    MediaFetcher(label_studio.url, lambda: TOKEN)(path)
    assert "Authorization" not in label_studio.requests[0][1]


@pytest.mark.parametrize(
    "path",
    [
        "/data/local-files/?d=a.png",
        "/storage-data/uploaded/?filepath=upload/1/a.png",
        "/tasks/5/resolve/?fileuri=czM6Ly9hL2I=",
        "/tasks/5/presign/?fileuri=czM6Ly9hL2I=",
        "/projects/3/resolve/?fileuri=czM6Ly9hL2I=",
    ],
)
def test_the_token_opens_all_that_label_studio_serves_media_at(serve: Serve, path: str) -> None:
    label_studio = serve(hello)
    MediaFetcher(label_studio.url, lambda: TOKEN)(path)
    assert label_studio.requests[0][1]["Authorization"] == "Token secret-token"


@pytest.mark.parametrize(
    "path",
    [
        "/data/%2e%2e/api/current-user/token",
        "/data/%2E./api/current-user/token",
        "/data/..%2fapi/current-user/token",
        "/data/..%5capi/current-user/token",
        "/data/%252e%252e/api/current-user/token",
        "/data/%25252525252525252e%2e/api/current-user/token",
        "/tasks/5/resolve/%2e%2e/%2e%2e/%2e%2e/api/current-user/token",
        "{url}/data/%2e%2e/api/current-user/token",
    ],
)
def test_no_wrapping_of_two_dots_leads_from_label_studios_media_to_its_api(serve: Serve, path: str) -> None:
    label_studio = serve(hello)
    with pytest.raises(MediaError, match="leads out of the folder"):
        MediaFetcher(label_studio.url, lambda: TOKEN)(path.format(url=label_studio.url))
    assert label_studio.requests == []


def test_names_with_dots_in_them_lead_nowhere_and_are_fetched(serve: Serve) -> None:
    label_studio = serve(hello)
    assert MediaFetcher(label_studio.url, lambda: TOKEN)("/data/upload/1/a..b%20...png") == b"hello"


def test_a_label_studio_below_a_path_gets_the_token_below_that_path_only(serve: Serve) -> None:
    server = serve(hello)
    fetcher = open_fetcher(label_studio_url=f"{server.url}/ls", authorise=lambda: TOKEN)
    for address in ("/data/upload/a", "/ls/data/upload/a", f"{server.url}/data/upload/a"):
        fetcher(address)
    assert [(path, "Authorization" in headers) for path, headers, _ in server.requests] == [
        ("/ls/data/upload/a", True),
        ("/ls/data/upload/a", True),
        ("/data/upload/a", False),
    ]


def test_without_a_token_from_label_studio_the_media_may_be_had_later(serve: Serve) -> None:
    def refuse() -> dict[str, str]:
        raise LabelStudioUnreachable("down")

    with pytest.raises(MediaError, match="no access token"):
        MediaFetcher(serve(hello).url, refuse)("/data/upload/1/a.png")
