"""Which media a project may fetch: what the settings allow, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_backend.config import Settings
from ml_backend.errors import MediaError
from ml_backend.label_studio.media_access import fetcher_factory
from ml_backend.store.tables import Project
from tests.server_process import free_port

PROJECT = Project(id=1, uid="1.1700000000", label_studio_id=1, title="", label_config="", hostname="", connection={})


def test_a_file_is_read_only_from_the_folder_that_the_settings_name(tmp_path: Path) -> None:
    folder = tmp_path / "media"
    folder.mkdir()
    (folder / "in.npy").write_bytes(b"inside")
    (tmp_path / "out.npy").write_bytes(b"outside")
    allowed = fetcher_factory(Settings(home=tmp_path, local_files=folder))(PROJECT)
    assert allowed(str(folder / "in.npy")) == b"inside"
    with pytest.raises(MediaError):
        allowed(str(tmp_path / "out.npy"))
    with pytest.raises(MediaError):
        fetcher_factory(Settings(home=tmp_path))(PROJECT)(str(folder / "in.npy"))


def test_a_private_address_is_tried_only_when_the_settings_allow_it(tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}/picture.png"
    with pytest.raises(MediaError, match="private"):
        fetcher_factory(Settings(home=tmp_path))(PROJECT)(address)
    with pytest.raises(MediaError) as refused:
        fetcher_factory(Settings(home=tmp_path, allow_private_media=True))(PROJECT)(address)
    assert "private" not in str(refused.value)
