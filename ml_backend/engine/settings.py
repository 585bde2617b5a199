"""A project's own settings: what was set on the map, over Label Studio's "extra params", over the server's environment,
over the defaults.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TypeVar

from ml_backend.config import Settings
from ml_backend.core.hyperparameters import LossWeights, ModelConfig, RunConfig
from ml_backend.data.source import encoder_kind
from ml_backend.engine.pool_settings import VECTOR_LATENT_DIM, PoolSettings
from ml_backend.errors import ConfigError
from ml_backend.store.tables import JsonObject, Project

T = TypeVar("T")

MIN_COMPONENTS = 2
LEAST_LATENT, MOST_LATENT = 12, 64
"""Dimensions of z that a project may choose: fewer draw too little, more only make training slower."""

POOL_KEYS = {
    "n_components": int,
    "latent_dim": int,
    "prior": str,
    "alpha0": float,
    "query": str,
    "temperature": float,
    "never_seen_level": float,
}


OTHER_KEYS = ("encoder", "field", "epochs", "weights")
STEERING_KEY = "steering"
"""In a project row's settings: what was set on the map."""
STEERED = ("alpha0", "never_seen_level", "prior")


@dataclass(frozen=True)
class ProjectSettings:
    """encoder, field: what to read and how (None = automatic). epochs: of one run; None = as suit the pool's size.
    weights: None = the curriculum's own.
    """

    pool: PoolSettings
    encoder: str | None = None
    field: str | None = None
    epochs: int | None = None
    weights: LossWeights | None = None


def settings_of(server: Settings, project: Project) -> ProjectSettings:
    """The settings that hold for a project now. Raises ConfigError naming the key that cannot be used."""
    return project_settings(server, {**project.extra_params, **steered(project)})


def steered(project: Project) -> dict[str, object]:
    """What was set on the map, by keys among STEERED."""
    kept = project.settings.get(STEERING_KEY)
    return {key: kept[key] for key in STEERED if key in kept} if isinstance(kept, Mapping) else {}


def with_steering(project: Project, changes: Mapping[str, object]) -> JsonObject:
    """The project row's settings with other values for keys among STEERED; None takes a value back."""
    chosen = {key: value for key, value in {**steered(project), **changes}.items() if value is not None}
    return {**project.settings, STEERING_KEY: chosen}


def project_settings(settings: Settings, extra_params: Mapping[str, object]) -> ProjectSettings:
    """Raises ConfigError naming the key of extra_params that cannot be used."""
    pool: dict[str, object] = {
        "query": settings.query,
        "never_seen_level": settings.never_seen_level,
        "device": settings.device,
    }
    for key, kind in POOL_KEYS.items():
        if key in extra_params:
            pool[key] = _cast(key, kind, extra_params[key])
    made = ProjectSettings(
        pool=_made(PoolSettings, pool),
        encoder=_text(extra_params, "encoder") or settings.encoder,
        field=_text(extra_params, "field"),
        epochs=int(_cast("epochs", int, extra_params["epochs"])) if "epochs" in extra_params else None,
        weights=_weights(extra_params.get("weights")),
    )
    _check_ranges(made)
    return made


def unknown_keys(extra_params: Mapping[str, object]) -> list[str]:
    """Keys that no setting has, sorted: they change nothing."""
    return sorted(set(extra_params) - {*POOL_KEYS, *OTHER_KEYS})


def _check_ranges(made: ProjectSettings) -> None:
    """Now, and not when the first model is made or trained."""
    chosen = made.pool
    if made.encoder is not None:
        encoder_kind(made.encoder)
    if made.epochs is not None:
        RunConfig(epochs=made.epochs)
    ModelConfig(
        input_shape=(1,),
        n_components=MIN_COMPONENTS if chosen.n_components is None else chosen.n_components,
        latent_dim=VECTOR_LATENT_DIM if chosen.latent_dim is None else chosen.latent_dim,
        prior=chosen.prior,
        top_m=1,
    )
    if chosen.latent_dim is not None and not LEAST_LATENT <= chosen.latent_dim <= MOST_LATENT:
        raise ConfigError(f"latent_dim {chosen.latent_dim} must lie in {LEAST_LATENT}..{MOST_LATENT}")
    if chosen.alpha0 is not None and not 0 < chosen.alpha0 < math.inf:
        raise ConfigError(f"alpha0 {chosen.alpha0} must be a finite number above 0")


def _weights(given: object) -> LossWeights | None:
    if given is None:
        return None
    known = {f.name for f in fields(LossWeights)}
    if not isinstance(given, Mapping) or not set(given) <= known:
        raise ConfigError(f"extra_params.weights must be an object with keys among {', '.join(sorted(known))}")
    return _made(LossWeights, {key: _cast(f"weights.{key}", float, value) for key, value in given.items()})


def _cast(key: str, kind: type[int] | type[float] | type[str], value: object) -> int | float | str:
    try:
        return kind(str(value))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"extra_params.{key} = {value!r} is not a {kind.__name__}") from error


def _text(extra_params: Mapping[str, object], key: str) -> str | None:
    value = extra_params.get(key)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"extra_params.{key} = {value!r} is not a text")
    return value or None


def _made(kind: type[T], values: Mapping[str, object]) -> T:
    try:
        return kind(**values)
    except TypeError as error:
        raise ConfigError(f"extra_params: {error}") from error
