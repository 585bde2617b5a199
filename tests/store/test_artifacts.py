"""Artifacts: what was published comes back bit for bit, and nothing else comes back."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from ml_backend.errors import CheckpointError, InputError
from ml_backend.store import artifacts
from ml_backend.store.files import try_lock

TENSORS: dict[str, NDArray[Any]] = {
    "x": np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32),
    "ids": np.arange(50, dtype=np.int64),
    "pixels": np.zeros((2, 3, 4), dtype=np.uint8),
    "flags": np.array([True, False]),
    "empty": np.empty((0, 7), dtype=np.float32),
    "one": np.array(2.5),
    "turned": np.arange(12, dtype=np.float64).reshape(3, 4).T,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return artifacts.publish(tmp_path, "model-1", manifest={"kind": "model", "n": 3}, tensors=TENSORS)


def tensor_file(path: Path) -> Path:
    (file,) = path.glob("*.safetensors")
    return file


def forge(path: Path, change: dict[str, Any]) -> None:
    """Alter the manifest and make its own checksum right again."""
    envelope = json.loads((path / "manifest.json").read_text()) | change
    envelope["sha256"] = artifacts._envelope_digest(envelope)
    (path / "manifest.json").write_text(json.dumps(envelope))


def swap_tensors(path: Path, tensors: dict[str, NDArray[Any]]) -> None:
    """Other tensors, with a manifest that names and describes them."""
    tensor_file(path).unlink()
    save_file(tensors, path / "new")
    digest = artifacts._digest(path / "new")
    (path / "new").rename(path / f"{digest}.safetensors")
    forge(path, {"tensors_sha256": digest, "tensors": artifacts._layout(tensors)})


def test_what_was_published_comes_back(path: Path) -> None:
    artifact = artifacts.load(path)
    assert artifact.manifest == artifacts.read_manifest(path) == {"kind": "model", "n": 3}
    assert artifact.tensors.keys() == TENSORS.keys()
    for key, value in TENSORS.items():
        assert artifact.tensors[key].dtype == value.dtype
        np.testing.assert_array_equal(artifact.tensors[key], value)


def test_nothing_but_the_artifact_is_left_behind(path: Path) -> None:
    assert {p.name for p in path.parent.iterdir()} == {"model-1", ".lock"}
    assert len(list(path.iterdir())) == 2


def test_publishing_a_name_again_replaces_it(path: Path) -> None:
    again = artifacts.publish(path.parent, "model-1", manifest={"n": 4}, tensors={"x": np.ones(3)})
    assert again == path
    assert artifacts.load(path).manifest == {"n": 4}
    assert artifacts.load(path).tensors.keys() == {"x"}
    assert len(list(path.iterdir())) == 2
    assert {p.name for p in path.parent.iterdir()} == {"model-1", ".lock"}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_tensor_that_is_not_finite_is_not_published(path: Path, value: float, dtype: type[np.floating]) -> None:
    bad = np.zeros((3, 5), dtype=dtype)
    bad[2, 4] = value
    with pytest.raises(CheckpointError, match="'w'"):
        artifacts.publish(path.parent, "model-1", manifest={}, tensors={"w": bad})
    assert artifacts.load(path).manifest["n"] == 3


def test_one_value_far_into_a_large_tensor_is_found(tmp_path: Path) -> None:
    large = np.zeros(3_000_000, dtype=np.float32)
    large[2_500_000] = np.nan
    with pytest.raises(CheckpointError):
        artifacts.publish(tmp_path, "a", manifest={}, tensors={"w": large})
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("bad", [np.array(["a"]), np.array([None]), np.array([1j])])
def test_only_numbers_are_stored(tmp_path: Path, bad: NDArray[Any]) -> None:
    with pytest.raises(CheckpointError, match="dtype"):
        artifacts.publish(tmp_path, "a", manifest={}, tensors={"w": bad})


@pytest.mark.parametrize("name", ["../out", "a/b", "", ".hidden", "/etc"])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        artifacts.publish(tmp_path / "root", name, manifest={}, tensors={})
    assert list(tmp_path.iterdir()) == []


def test_a_flipped_bit_anywhere_is_noticed(path: Path) -> None:
    for file in (tensor_file(path), path / "manifest.json"):
        content = file.read_bytes()
        for position in {0, 9, len(content) // 2, len(content) - 1}:
            flipped = bytearray(content)
            flipped[position] ^= 1
            file.write_bytes(flipped)
            with pytest.raises(CheckpointError):
                artifacts.load(path)
        file.write_bytes(content)
    assert artifacts.load(path)


@pytest.mark.parametrize("length", [0, 1, 7, 100, -1])
@pytest.mark.parametrize("which", ["tensors", "manifest"])
def test_a_truncated_file_is_noticed(path: Path, length: int, which: str) -> None:
    file = tensor_file(path) if which == "tensors" else path / "manifest.json"
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(CheckpointError):
        artifacts.load(path)


def test_a_missing_part_is_noticed(path: Path) -> None:
    tensor_file(path).unlink()
    with pytest.raises(CheckpointError, match="lost its tensors"):
        artifacts.load(path)
    (path / "manifest.json").unlink()
    with pytest.raises(CheckpointError, match=r"manifest\.json"):
        artifacts.load(path)
    with pytest.raises(CheckpointError):
        artifacts.load(path.parent / "never")


@pytest.mark.parametrize(
    "text", ["", "[]", "null", '"x"', "{", "[" * 100_000, '{"format": "other"}', b"\xff\xfe".decode("latin-1")]
)
def test_a_manifest_that_is_none_is_refused(path: Path, text: str) -> None:
    (path / "manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(CheckpointError):
        artifacts.load(path)


def test_another_version_of_the_layout_is_refused(path: Path) -> None:
    forge(path, {"format_version": 2})
    with pytest.raises(CheckpointError, match="version 2"):
        artifacts.load(path)


@pytest.mark.parametrize("digest", ["../../../etc/passwd", None, 3, "A" * 64, "0" * 63 + "\n"])
def test_a_forged_manifest_cannot_name_another_file(path: Path, digest: object) -> None:
    forge(path, {"tensors_sha256": digest})
    with pytest.raises(CheckpointError, match="altered"):
        artifacts.load(path)


def test_nan_weights_that_somebody_put_there_are_refused(path: Path) -> None:
    swap_tensors(path, {"w": np.array([1.0, 2.0])})
    assert artifacts.load(path).tensors.keys() == {"w"}
    swap_tensors(path, {"w": np.array([1.0, np.nan])})
    with pytest.raises(CheckpointError, match="NaN"):
        artifacts.load(path)


def test_tensors_other_than_the_manifest_says_are_refused(path: Path) -> None:
    swap_tensors(path, {"w": np.zeros((2, 2))})
    forge(path, {"tensors": {"w": {"dtype": "<f8", "shape": [4]}}})
    with pytest.raises(CheckpointError, match="manifest names"):
        artifacts.load(path)


def test_a_pickle_under_the_right_name_is_refused_unopened(path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (path.parent / "exploded",)

    (path / "bomb").write_bytes(pickle.dumps(Bomb()))
    digest = artifacts._digest(path / "bomb")
    (path / "bomb").rename(path / f"{digest}.safetensors")
    forge(path, {"tensors_sha256": digest})
    with pytest.raises(CheckpointError):
        artifacts.load(path)
    assert not (path.parent / "exploded").exists()


def test_a_removed_artifact_is_gone_and_removing_it_again_is_nothing(path: Path) -> None:
    artifacts.remove(path)
    artifacts.remove(path)
    assert {p.name for p in path.parent.iterdir()} == {".lock"}
    with pytest.raises(CheckpointError):
        artifacts.load(path)


def test_what_dead_writers_left_is_swept_and_artifacts_stay(path: Path) -> None:
    left = path.parent / ".tmp-model-2-abc"
    left.mkdir()
    (left / "tensors").write_bytes(b"half")
    assert artifacts.sweep(path.parent) == 1
    assert not left.exists()
    assert artifacts.load(path)
    assert artifacts.sweep(path.parent / "never") == 0


@pytest.mark.parametrize("first", [True, False])
def test_bytes_are_on_the_disk_before_the_name_and_the_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    """A power cut cannot be tried here; what survives one follows from this order."""
    if not first:
        artifacts.publish(tmp_path, "m", manifest={"is": "old"}, tensors={"x": np.zeros(3)})
    done: list[tuple[str, Path]] = []
    fsync, rename = os.fsync, Path.rename

    def recorded_fsync(descriptor: int) -> None:
        done.append(("sync", Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    def recorded_rename(self: Path, target: Path) -> Path:
        done.append(("name", Path(target)))
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(Path, "rename", recorded_rename)
    path = artifacts.publish(tmp_path, "m", manifest={"is": "new"}, tensors={"x": np.ones(3)})

    def at(kind: str, name: Path | str) -> int:
        (last,) = [n for n, (k, p) in enumerate(done) if k == kind and name in (p, p.name)][-1:]
        return last

    pointer = path if first else path / "manifest.json"
    tensors = tensor_file(path).name
    assert at("sync", tensors) < at("name", pointer)
    assert at("sync", "manifest.json") < at("name", pointer)
    assert at("name", pointer) < at("sync", pointer.parent)
    if not first:
        assert at("name", path / tensors) < done.index(("sync", path)) < at("name", pointer)


def test_a_folder_that_goes_while_its_like_are_swept_disturbs_nobody(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer ends between the sweeper's look at the root and its look at the folder."""
    (path.parent / ".tmp-model-1-other").mkdir()

    def late_look(folder: Path) -> int | None:
        if folder.name == ".tmp-model-1-other":
            folder.rmdir()
        return try_lock(folder)

    monkeypatch.setattr(artifacts, "try_lock", late_look)
    artifacts.publish(path.parent, "model-2", manifest={}, tensors=TENSORS)
    assert artifacts.load(path.parent / "model-2").tensors.keys() == TENSORS.keys()
