"""Trains a pool whose new tasks may be copies of each other.

A training begins by placing free components on the tasks that came since the last one. Where those are copies of fewer
messages than components are meant for them, some component would be left without a task, and core cannot place it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np

from ml_backend.core.hyperparameters import RunConfig
from ml_backend.core.labels import LabelSet
from ml_backend.core.model import EpochReport, TrainingReport
from ml_backend.engine.arrivals import FIRST_NEW
from ml_backend.engine.checkpoint import Working
from ml_backend.engine.pool import Pool
from ml_backend.errors import TrainingError

log = logging.getLogger(__name__)


def train_with_newcomers(
    working: Working,
    run: RunConfig,
    label_sets: Sequence[LabelSet],
    *,
    on_epoch: Callable[[EpochReport], None],
    should_stop: Callable[[], bool],
) -> TrainingReport:
    """`Pool.train`; where it cannot place components on the new tasks, it begins again without placing any, in a pool
    that takes the present one's place. Nothing learned is lost, and labels reach the new tasks over their neighbours.

    Raises TrainingError as `Pool.train` does.
    """
    pool = working.pool
    before, epochs_before = pool.state(), pool.model.epochs_done
    try:
        return pool.train(run, label_sets, on_epoch=on_epoch, should_stop=should_stop)
    except (IndexError, TrainingError) as error:
        # A component without tasks is an index out of bounds; with the standard prior, a loss that is not finite.
        if before[FIRST_NEW].item() == len(pool) or pool.model.epochs_done > epochs_before:
            raise
        log.warning("the new tasks get no components of their own: they cannot be placed (%s)", error)
    working.pool = Pool.restore(pool.x, pool.settings, before | {FIRST_NEW: np.array(len(pool))})
    return working.pool.train(run, label_sets, on_epoch=on_epoch, should_stop=should_stop)
