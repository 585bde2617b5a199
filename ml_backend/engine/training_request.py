"""What one training run is asked to do, as its row keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from ml_backend.core.hyperparameters import PRIORS, LossWeights, Phase, Prior, RunConfig
from ml_backend.engine.settings import ProjectSettings
from ml_backend.errors import ConfigError, InputError
from ml_backend.store.tables import JsonObject

PHASES = {phase.name.lower(): phase for phase in Phase}
"""By the names that people read."""

LARGEST_WEIGHT = 1000.0
"""Of a loss term: beyond it the others are lost in rounding."""

_WEIGHT_NAMES = tuple(field.name for field in fields(LossWeights))


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """Everything that the run's outcome depends on, besides the labels.

    epochs: None = as suit the pool's size. phase: None lets the curriculum choose. requested_by: the person who asked,
    None = Lantern itself. restores: instead of training, bring back the model of that run.
    """

    epochs: int | None
    weights: LossWeights
    prior: Prior
    phase: Phase | None = None
    requested_by: str | None = None
    restores: int | None = None

    @staticmethod
    def usual(wanted: ProjectSettings) -> TrainingRequest:
        """The run that Lantern starts by itself."""
        return TrainingRequest(epochs=wanted.epochs, weights=wanted.weights or LossWeights(), prior=wanted.pool.prior)

    @staticmethod
    def of_row(request: Mapping[str, object], wanted: ProjectSettings) -> TrainingRequest:
        """What `as_json` wrote; what a row does not say is as usual. Raises InputError on values out of range."""
        usual = TrainingRequest.usual(wanted)
        by, restores = request.get("requested_by"), request.get("restores")
        return TrainingRequest(
            epochs=read_epochs(request["epochs"]) if request.get("epochs") else usual.epochs,
            weights=read_weights(request.get("weights")) or usual.weights,
            prior=read_prior(request.get("prior")) or usual.prior,
            phase=read_phase(request.get("phase")),
            requested_by=by if isinstance(by, str) else None,
            restores=restores if isinstance(restores, int) else None,
        )

    def as_json(self) -> JsonObject:
        """For the run's row."""
        return {
            "epochs": self.epochs if self.restores is None else 0,
            "weights": asdict(self.weights),
            "prior": self.prior,
            "phase": None if self.phase is None else self.phase.name.lower(),
            "requested_by": self.requested_by,
            "restores": self.restores,
        }


def read_epochs(given: object) -> int:
    """A whole number 1..5. Raises InputError."""
    try:
        if not isinstance(given, int) or isinstance(given, bool):
            raise InputError("'epochs' must be a whole number")
        return RunConfig(epochs=given).epochs
    except ConfigError as error:
        raise InputError(str(error)) from error


def read_weights(given: object) -> LossWeights | None:
    """Weights by term, missing ones as by default; None for None. Raises InputError naming the term."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise InputError("'weights' must be an object of numbers")
    for name, value in given.items():
        if name not in _WEIGHT_NAMES:
            raise InputError(f"there is no loss term {str(name)[:40]!r}: {', '.join(_WEIGHT_NAMES)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LARGEST_WEIGHT:
            raise InputError(f"weight {name!r} must be a number 0..{LARGEST_WEIGHT:g}")
    return LossWeights(**{name: float(value) for name, value in given.items()})


def read_prior(given: object) -> Prior | None:
    """None for None. Raises InputError."""
    for prior in PRIORS:
        if given == prior:
            return prior
    if given is None:
        return None
    raise InputError(f"'prior' must be one of {', '.join(PRIORS)}")


def read_phase(given: object) -> Phase | None:
    """None for None. Raises InputError."""
    if given is None:
        return None
    if isinstance(given, str) and given in PHASES:
        return PHASES[given]
    raise InputError(f"'phase' must be one of {', '.join(PHASES)}, or null")
