"""The media fetcher's other addresses: files of the allowed folder, data in the address itself, and what is none."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from ml_backend.data.media import MediaFetcher, fetch_media, read_data_uri
from ml_backend.errors import MediaError
from tests.data.conftest import Serve, hello


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret.png").write_bytes(b"secret")
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a b.png").write_bytes(b"picture")
    (root / "passwd").write_bytes(b"no suffix")
    (root / "out.png").symlink_to(tmp_path / "secret.png")
    (root / "circle.png").symlink_to(root / "circle.png")
    (root / "dir.png").mkdir()
    os.mkfifo(root / "pipe.png")
    return root


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "file:/etc/passwd", "FILE:///etc/passwd", "sub/a b.png", "../x.png"]
)
def test_without_an_allowed_folder_no_file_is_read(address: str) -> None:
    with pytest.raises(MediaError):
        MediaFetcher()(address)


def test_files_below_the_allowed_folder_are_read_by_every_spelling(root: Path) -> None:
    fetcher = MediaFetcher(local_root=root)
    path = root / "sub" / "a b.png"
    for address in ("sub/a b.png", "./sub/../sub/a b.png", str(path), path.as_uri()):
        assert fetcher(address) == b"picture"


@pytest.mark.parametrize(
    "address",
    [
        "../secret.png",
        "sub/../../secret.png",
        "out.png",
        "passwd",
        "dir.png",
        "pipe.png",
        "missing.png",
        "file:///etc/passwd",
        "file:///%2e%2e/secret.png",
        "sub/\0.png",
        "file://host/../secret.png",
        "file://[x",
        "circle.png",
        "x" * 5_000 + ".png",
    ],
)
def test_everything_else_is_refused(root: Path, address: str) -> None:
    with pytest.raises(MediaError):
        MediaFetcher(local_root=root)(address)


def test_an_absolute_path_outside_is_an_address_of_label_studio(root: Path, serve: Serve) -> None:
    label_studio = serve(hello)
    fetcher = MediaFetcher(label_studio.url, local_root=root)
    assert fetcher("/data/local-files/?d=../../etc/passwd") == b"hello"
    assert label_studio.requests[0][0] == "/data/local-files/?d=../../etc/passwd"


def test_large_files_are_refused(root: Path) -> None:
    (root / "big.npy").write_bytes(b"x" * 101)
    with pytest.raises(MediaError, match="larger than 100 bytes"):
        MediaFetcher(local_root=root, max_bytes=100)("big.npy")


@pytest.mark.parametrize(
    "address",
    [
        "ftp://x/a",
        "gopher://127.0.0.1:25/",
        "//127.0.0.1/a",
        "javascript:1",
        "s3://bucket/key",
        "",
        "http://",
        "http://[bad/",
        "http://x:99999/",
    ],
)
def test_other_schemes_and_broken_addresses_are_refused(address: str) -> None:
    with pytest.raises(MediaError):
        MediaFetcher("http://127.0.0.1:1", allow_private=True, timeout_seconds=5)(address)


def test_a_relative_address_without_label_studio_names_the_setting() -> None:
    with pytest.raises(MediaError, match="LABEL_STUDIO_URL"):
        MediaFetcher()("/data/upload/1/a.png")


def test_data_addresses_are_decoded_without_any_network() -> None:
    content = bytes(range(256))
    encoded = base64.b64encode(content).decode()
    assert read_data_uri(f"data:image/png;base64,{encoded}") == content
    assert fetch_media(f"DATA:;base64,{encoded[:100]}%0A{encoded[100:]}", None) == content
    assert MediaFetcher()("data:,a%20b") == b"a b"


@pytest.mark.parametrize(
    "address",
    ["data:image/png;base64", "data:;base64,a", "data:;base64,====", "data:;base64,ü", "data:," + "x" * 40_000_000],
)
def test_broken_data_addresses_are_refused(address: str) -> None:
    with pytest.raises(MediaError):
        read_data_uri(address)
