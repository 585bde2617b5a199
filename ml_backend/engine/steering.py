"""What a person steers on the map: the next training, its end, the way back to an earlier run, and alpha0."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime

from ml_backend.config import Settings
from ml_backend.core.curriculum import phase_of
from ml_backend.core.hyperparameters import LossWeights
from ml_backend.core.presets import PRESETS
from ml_backend.engine.settings import project_settings, settings_of, steered, with_steering
from ml_backend.engine.training_request import (
    TrainingRequest,
    read_epochs,
    read_phase,
    read_prior,
    read_weights,
)
from ml_backend.errors import CheckpointError, ConfigError, ConflictError, InputError
from ml_backend.store import artifacts, projects, publications, runs
from ml_backend.store.database import Database
from ml_backend.store.tables import JsonList, JsonObject, TrainingRun

SHOWN_RUNS = 50
LARGEST_ALPHA0 = 1000.0
SETTABLE = ("alpha0", "never_seen_level")
"""Settings that hold at once, without training."""


class Steering:
    """Reads and writes of one server's projects; uid: of a project. InputError: what was sent cannot be used.
    ConflictError: not now.
    """

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings

    def overview(self, uid: str) -> JsonObject:
        """Where the sliders begin: as in the last run that a person asked for, else as in the next one by itself."""
        with self._db.read() as session:
            project = projects.ensure(session, uid)
            newest = publications.newest(session, project)
            past = runs.list_newest(session, project, SHOWN_RUNS)
        usual = TrainingRequest.usual(settings_of(self._settings, project))
        by_hand = next((r.request for r in past if r.request.get("requested_by")), None)
        weights = read_weights(by_hand.get("weights")) if by_hand else None
        epochs_done = _epochs_done(self._db, newest.model_path) if newest is not None else 0
        return {
            "weights": asdict(weights or usual.weights),
            "defaults": asdict(LossWeights()),
            "presets": {name: asdict(preset) for name, preset in PRESETS.items()},
            "prior": usual.prior,
            "phase": None,
            "next_phase": phase_of(epochs_done).name.lower(),
            "contributions": _contributions(past),
        }

    def ask(self, uid: str, wish: Mapping[str, object], person: str) -> int:
        """Queue a run {epochs, weights, prior, phase}; its id. Without `epochs` it is one epoch; any other may be null:
        as usual. The prior stays for later runs.
        """
        epochs, weights = read_epochs(wish.get("epochs", 1)), read_weights(wish.get("weights"))
        prior, phase = read_prior(wish.get("prior")), read_phase(wish.get("phase"))
        with self._db.write() as session:
            project = projects.ensure(session, uid)
            usual = TrainingRequest.usual(settings_of(self._settings, project))
            request = replace(
                usual,
                epochs=epochs,
                weights=weights or usual.weights,
                prior=prior or usual.prior,
                phase=phase,
                requested_by=person,
            )
            if publications.newest(session, project) is None:
                raise ConflictError("there is no model yet: the first one is being made")
            _nothing_under_way(runs.unfinished(session, project))
            if request.prior != usual.prior:
                projects.configure(session, project, settings=with_steering(project, {"prior": request.prior}))
            return runs.create(session, project, request.as_json(), time.time()).id

    def stop(self, uid: str) -> int:
        """End the run that waits or is under way, within its epoch; its id. What it has learned until then counts."""
        with self._db.write() as session:
            run = runs.request_stop(session, projects.ensure(session, uid), time.time())
        if run is None:
            raise ConflictError("no training waits or is under way")
        return run.id

    def restore(self, uid: str, run_id: int, person: str) -> int:
        """Queue the way back to a run's model; the id of the run that does it."""
        with self._db.write() as session:
            project = projects.ensure(session, uid)
            source = runs.get(session, project, run_id)
            if source is None:
                raise InputError(f"there is no run {run_id}")
            if source.model_path is None:
                raise ConflictError(f"the model of run {run_id} is no longer kept")
            _nothing_under_way(runs.unfinished(session, project))
            request = TrainingRequest.of_row(source.request, settings_of(self._settings, project))
            request = replace(request, requested_by=person, restores=run_id)
            return runs.create(session, project, request.as_json(), time.time()).id

    def runs(self, uid: str) -> JsonList:
        """The last SHOWN_RUNS, newest first."""
        with self._db.read() as session:
            project = projects.ensure(session, uid)
            past = runs.list_newest(session, project, SHOWN_RUNS)
        usual = TrainingRequest.usual(settings_of(self._settings, project))
        return [_run(run, usual) for run in past]

    def set(self, uid: str, wish: Mapping[str, object]) -> JsonObject:
        """alpha0, never_seen_level: a number, or None for the project's own; they hold at once. Returns what holds."""
        unknown = set(wish) - set(SETTABLE)
        if unknown:
            raise InputError(f"there is no setting {sorted(unknown)[0][:40]!r}: {', '.join(SETTABLE)}")
        for name, value in wish.items():
            _check(name, value)
        with self._db.write() as session:
            project = projects.ensure(session, uid)
            before = steered(project)
            projects.configure(session, project, settings=with_steering(project, wish))
            try:
                now = project_settings(self._settings, {**project.extra_params, **steered(project)}).pool
            except ConfigError as error:
                raise InputError(str(error)) from error
            if steered(project) != before:
                projects.touch_scores(session, project)
        return {"alpha0": now.alpha0, "never_seen_level": now.never_seen_level}


def _check(name: str, value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{name!r} must be a number or null")
    if name == "alpha0" and not 0 < value <= LARGEST_ALPHA0:
        raise InputError(f"'alpha0' must lie above 0 and be at most {LARGEST_ALPHA0:g}")


def _nothing_under_way(run: TrainingRun | None) -> None:
    if run is not None:
        raise ConflictError(f"run {run.id} is {run.status}: wait for its end or stop it")


def _restores(run: TrainingRun) -> int | None:
    number = run.request.get("restores")
    return number if isinstance(number, int) else None


def _contributions(past: list[TrainingRun]) -> dict[str, float] | None:
    """Share of each term in the last epoch's loss, by absolute value, sums to 1."""
    last = next((run.epochs[-1].get("weighted") for run in past if run.epochs), None)
    if not isinstance(last, Mapping):
        return None
    total = sum(abs(value) for value in last.values())
    return {name: abs(value) / total if total else 0.0 for name, value in last.items()}


def _epochs_done(db: Database, model_path: str) -> int:
    try:
        return int(artifacts.read_manifest(db.path.parent / model_path).get("epochs_done", 0))
    except CheckpointError:
        return 0  # the model is made anew, and begins at its first epoch


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _run(run: TrainingRun, usual: TrainingRequest) -> JsonObject:
    asked = run.request
    return {
        "id": run.id,
        "status": run.status,
        "requested_by": asked.get("requested_by"),
        "restores": _restores(run),
        "weights": asked.get("weights") or asdict(usual.weights),
        "prior": asked.get("prior") or usual.prior,
        "phase": asked.get("phase"),
        "epochs_asked": asked.get("epochs"),
        "epochs": run.epochs,
        "effect": run.effect,
        "created_at": _moment(run.created_at),
        "started_at": _moment(run.started_at),
        "finished_at": _moment(run.finished_at),
        "stopped": run.stop_requested_at is not None,
        "error": run.error,
        "restorable": run.model_path is not None,
    }
