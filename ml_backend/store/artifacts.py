"""Artifacts: a folder with tensors (safetensors) and a manifest, complete or not there.

Stops: a crash half-way, a truncated file, a flipped bit, NaN weights, and pickles (nothing here unpickles). safetensors
itself loads a file with a flipped byte or with NaN, so the manifest holds a sha256 of the tensors and of itself, and
every value is looked at.

    <root>/<name>/manifest.json              names the tensor file: it is the pointer, replaced by one rename
    <root>/<name>/<sha256>.safetensors       never changed once written
    <root>/.tmp-<name>-<random>/             being written; swept when its writer is dead
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ml_backend.errors import CheckpointError, CheckpointMissing, StoreError
from ml_backend.store.checks import path_component
from ml_backend.store.files import locked, sync, try_lock, write_synced
from ml_backend.store.jsontext import to_text

FORMAT = "lantern-artifact"
FORMAT_VERSION = 1
"""Raised when the layout changes; another version is refused."""
MANIFEST = "manifest.json"

_TEMPORARY = ".tmp-"
_LOCK = ".lock"
_FINITE_CHUNK = 1 << 20
"""Values looked at together: bounds the memory of the check."""
_KINDS = "biuf"

Tensors = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Artifact:
    """What was published: the caller's manifest and its tensors (all finite)."""

    manifest: dict[str, Any]
    tensors: Tensors


def publish(root: Path, name: str, *, manifest: Mapping[str, object], tensors: Mapping[str, NDArray[Any]]) -> Path:
    """Write `<root>/<name>`, durably; an artifact of that name is replaced at one moment. Returns the folder.

    tensors: bool, integer or float arrays of any shape, all finite (else CheckpointError, and nothing is written).
    Raises InputError for a name that is no file name, StoreError when the disk refuses.
    """
    target = root / path_component(name)
    arrays = {key: _publishable(key, value) for key, value in tensors.items()}
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _workplace(root, name) as folder:
            _write(folder, manifest, arrays)
            with locked(root / _LOCK):
                _move_into_place(folder, target)
    except (OSError, SafetensorError) as error:
        raise StoreError(f"the artifact {target} cannot be written: {error}") from error
    return target


def load(path: Path) -> Artifact:
    """Read an artifact. Raises CheckpointError when anything is missing, altered, of another version or not finite."""
    envelope = _read_envelope(path)
    while True:
        try:
            return _read_tensors(path, envelope)
        except FileNotFoundError:
            before, envelope = envelope, _read_envelope(path)
            if envelope["sha256"] == before["sha256"]:
                raise CheckpointError(f"{path} has lost its tensors: delete the folder, it will be made anew") from None
            # replaced between the two reads: the new manifest names the new file


def read_manifest(path: Path) -> dict[str, Any]:
    """The caller's manifest alone, without the tensors. Raises CheckpointError when it is missing or altered."""
    manifest: dict[str, Any] = _read_envelope(path)["manifest"]
    return manifest


def is_there(path: Path) -> bool:
    """Whether there is an artifact, at a glance: `load` tells whether it is whole."""
    return (path / MANIFEST).is_file() and any(path.glob(_tensor_file("*")))


def remove(path: Path) -> None:
    """Delete an artifact; it is gone at one moment. Nothing happens when it is not there."""
    try:
        if path.is_dir():
            with locked(path.parent / _LOCK):
                grave = Path(tempfile.mkdtemp(prefix=f"{_TEMPORARY}gone-", dir=path.parent))
                path.rename(grave / path.name)
            shutil.rmtree(grave, ignore_errors=True)
    except FileNotFoundError:
        return  # another process was faster
    except OSError as error:
        raise StoreError(f"the artifact {path} cannot be removed: {error}") from error


def sweep(root: Path) -> int:
    """Delete what dead writers left; how many folders. Safe while others publish. `publish` does it too."""
    if not root.is_dir():
        return 0
    with locked(root / _LOCK):
        return _sweep(root)


def _publishable(key: str, value: NDArray[Any]) -> NDArray[Any]:
    if value.dtype.kind not in _KINDS:
        raise CheckpointError(f"tensor {key!r} has dtype {value.dtype}: only numbers are stored")
    if not _is_finite(value):
        raise CheckpointError(f"tensor {key!r} holds NaN or infinity: it is not published")
    return np.ascontiguousarray(value)


def _is_finite(value: NDArray[Any]) -> bool:
    if value.dtype.kind != "f":
        return True
    flat = value.reshape(-1)
    return all(bool(np.isfinite(flat[i : i + _FINITE_CHUNK]).all()) for i in range(0, flat.size, _FINITE_CHUNK))


@contextmanager
def _workplace(root: Path, name: str) -> Iterator[Path]:
    """A temporary folder, locked so that no sweep takes it, and gone at the end whatever happens."""
    with locked(root / _LOCK):
        _sweep(root)
        folder = Path(tempfile.mkdtemp(prefix=f"{_TEMPORARY}{name}-", dir=root))
        lock = try_lock(folder)
    try:
        yield folder
    finally:
        if lock is not None:
            os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(root: Path) -> int:
    swept = 0
    for folder in root.glob(f"{_TEMPORARY}*"):
        try:
            lock = try_lock(folder)
        except FileNotFoundError:
            continue  # its writer has ended in this moment
        if lock is not None:
            os.close(lock)
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
    return swept


def _write(folder: Path, manifest: Mapping[str, object], arrays: Tensors) -> None:
    draft = folder / "tensors"
    save_file(arrays, draft)
    digest = _digest(draft)
    draft.rename(folder / _tensor_file(digest))
    sync(folder / _tensor_file(digest))
    envelope: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "manifest": dict(manifest),
        "tensors": _layout(arrays),
        "tensors_sha256": digest,
    }
    envelope["sha256"] = _envelope_digest(envelope)
    write_synced(folder / MANIFEST, to_text(envelope).encode("ascii"))
    sync(folder)


def _move_into_place(folder: Path, target: Path) -> None:
    if not target.exists():
        folder.rename(target)
        sync(target.parent)
        return
    tensor_file = next(folder.glob("*.safetensors"))
    (folder / tensor_file.name).rename(target / tensor_file.name)
    sync(target)
    (folder / MANIFEST).rename(target / MANIFEST)
    sync(target)
    for stale in target.glob("*.safetensors"):
        if stale.name != tensor_file.name:
            stale.unlink(missing_ok=True)


def _read_envelope(path: Path) -> dict[str, Any]:
    try:
        envelope = json.loads((path / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        raise CheckpointMissing(f"{path} has no {MANIFEST}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} has no readable {MANIFEST}: delete the folder, it will be made anew") from error
    if not isinstance(envelope, dict) or envelope.get("format") != FORMAT:
        raise CheckpointError(f"{path / MANIFEST} is no Lantern manifest")
    if envelope.get("format_version") != FORMAT_VERSION:
        raise CheckpointError(
            f"{path} has format version {envelope.get('format_version')!r}, this Lantern reads {FORMAT_VERSION}"
        )
    if envelope.get("sha256") != _envelope_digest(envelope) or not _is_digest(envelope.get("tensors_sha256")):
        raise CheckpointError(f"{path / MANIFEST} was altered: delete the folder, it will be made anew")
    return envelope


def _read_tensors(path: Path, envelope: dict[str, Any]) -> Artifact:
    digest = envelope["tensors_sha256"]
    file = path / _tensor_file(digest)
    if _digest(file) != digest:
        raise CheckpointError(f"{file} is truncated or altered: delete the folder, it will be made anew")
    try:
        tensors: Tensors = load_file(file)
    except SafetensorError as error:
        raise CheckpointError(f"{file} cannot be read: {error}") from error
    if envelope["tensors"] != _layout(tensors):
        raise CheckpointError(f"{file} does not hold the tensors that its manifest names")
    for key, value in tensors.items():
        if not _is_finite(value):
            raise CheckpointError(f"{file}: tensor {key!r} holds NaN or infinity")
    return Artifact(manifest=envelope["manifest"], tensors=tensors)


def _layout(tensors: Tensors) -> dict[str, dict[str, Any]]:
    return {key: {"dtype": value.dtype.str, "shape": list(value.shape)} for key, value in tensors.items()}


def _is_digest(value: object) -> bool:
    """It becomes part of a path."""
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value, re.ASCII) is not None


def _tensor_file(digest: str) -> str:
    return f"{digest}.safetensors"


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _envelope_digest(envelope: Mapping[str, Any]) -> str:
    content = {key: value for key, value in envelope.items() if key != "sha256"}
    return hashlib.sha256(to_text(content).encode("ascii")).hexdigest()
