"""Pictures of a component as PNG files: what the decoder draws for it, with pixels as squares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ml_backend.core.generation import Generator
from ml_backend.core.nets import LOG_SIGMA_MAX, LOG_SIGMA_MIN
from ml_backend.data.pictures import to_png
from ml_backend.engine.engine import Engine
from ml_backend.engine.kept import Kept
from ml_backend.engine.view import ProjectView
from ml_backend.errors import InputError
from ml_backend.store import artifacts, projects, publications

PictureKind = Literal["prototype", "sigma", "walk", "pseudo"]
PICTURE_KINDS: tuple[PictureKind, ...] = get_args(PictureKind)

SIDE = 128
"""About so many pixels has the longer side of one picture on the screen."""
STEP_SIDE = 64
"""The same of one step of a walk."""
GAP = 1
"""Pixels of the model between two steps of a walk, of grey GAP_GREY."""
GAP_GREY = 128
KEPT_PICTURES = 512


@dataclass(frozen=True)
class ImageModel:
    """What a publication's model can draw. pseudo_inputs: whether its prior has them."""

    latent_dim: int
    pseudo_inputs: bool


class ComponentPictures:
    """One a process. Safe for threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._made: Kept[tuple[object, ...], bytes] = Kept(KEPT_PICTURES)

    def model(self, uid: str, view: ProjectView) -> ImageModel | None:
        """None when the view's model is not one of pictures. Raises CheckpointError for damaged files."""
        db = self._engine.db
        with db.read() as session:
            listed = publications.list_all(session, projects.ensure(session, uid))
        published = next((p for p in listed if p.number == view.number), None)
        if published is None:
            return None
        manifest = artifacts.read_manifest(db.path.parent / published.model_path)
        if not manifest.get("is_image"):
            return None
        return ImageModel(int(manifest["latent_dim"]), manifest["prior"] == "vamp")

    def png(self, uid: str, view: ProjectView, component: int, kind: PictureKind, axis: int = 0) -> bytes | None:
        """None when there is no such picture: no pictures, another prior, or a model that is gone. axis: of a walk, the
        one that changes most is 0. Raises InputError for an axis or a component that the model does not have.
        """
        model = self.model(uid, view)
        if model is None or (kind == "pseudo" and not model.pseudo_inputs):
            return None
        if not 0 <= axis < model.latent_dim:
            raise InputError(f"there is no axis {axis}: they are 0 to {model.latent_dim - 1}")
        if not 0 <= component < view.description.responsibilities.n_components:
            raise InputError(f"there is no component {component}")
        key = (uid, view.model_version, component, kind, axis if kind == "walk" else 0)

        def draw() -> bytes:
            with self._engine.working(uid, view.number) as working:
                if working is None:
                    raise _GoneError
                generator = working.pool.model.generator()
                return _DRAWN[kind](generator, component, axis)

        try:
            return self._made.get(key, draw)
        except _GoneError:
            return None


class _GoneError(Exception):
    """A newer publication has taken the model's place."""


def _prototype(generator: Generator, component: int, _axis: int) -> bytes:
    return _single(generator.prototype(component).mean)


def _sigma(generator: Generator, component: int, _axis: int) -> bytes:
    """From black, as sure as the model can be, to white, as uncertain; in equal steps of log sigma."""
    share = (np.log(generator.prototype(component).sigma) - LOG_SIGMA_MIN) / (LOG_SIGMA_MAX - LOG_SIGMA_MIN)
    return _single(np.rint(np.clip(share, 0.0, 1.0) * 255.0).astype(np.uint8))


def _walk(generator: Generator, component: int, axis: int) -> bytes:
    """The steps side by side."""
    steps = generator.walk(component, axis)
    framed = np.pad(steps, ((0, 0), (0, 0), (0, 0), (0, GAP)), constant_values=GAP_GREY)
    return to_png(np.concatenate(list(framed), axis=2)[:, :, :-GAP], scale=_scale(steps[0], STEP_SIDE))


def _pseudo(generator: Generator, component: int, _axis: int) -> bytes:
    picture = generator.pseudo_input(component)
    if picture is None:
        raise _GoneError
    return _single(picture)


def _single(picture: NDArray[np.uint8]) -> bytes:
    return to_png(picture, scale=_scale(picture, SIDE))


def _scale(picture: NDArray[np.uint8], side: int) -> int:
    return max(1, round(side / max(picture.shape[1:])))


_DRAWN: dict[PictureKind, Callable[[Generator, int, int], bytes]] = {
    "prototype": _prototype,
    "sigma": _sigma,
    "walk": _walk,
    "pseudo": _pseudo,
}
