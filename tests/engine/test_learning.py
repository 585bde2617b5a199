"""A small training run proves learning: on real digits that do not all stand at the same place."""

from __future__ import annotations

import pytest

from ml_backend.engine.pool import PoolSettings
from ml_backend.engine.simulation import LoopSettings
from ml_backend.engine.simulation.embedded import Embedded
from ml_backend.engine.simulation.methods import run_baseline, run_lantern
from ml_backend.engine.simulation.problem import Problem
from tests.engine.small_digits import digits

LABELS = 40
CHANCE = 0.1


@pytest.mark.slow
def test_forty_labels_teach_far_more_than_chance_and_than_k_means_with_tau() -> None:
    """On its own questions and on Lantern's; p(y|x) = sum_c r_c tau alone does, too, without the head's help."""
    images, kinds = digits(shift=2)
    pool, test = slice(0, 1200), slice(1200, None)
    problem = Problem("digits", "image", images[pool], images[test], images[:0], kinds[pool], kinds[test])
    [session] = run_lantern(problem, (LABELS,), 0, LoopSettings(pool=PoolSettings(device="cpu")))
    ours = session.graded.figures
    embedded, labels = Embedded.of(problem), {LABELS: session.labels}
    theirs = [
        baseline.graded.figures.accuracy_test
        for method in ("medoid+kmeans+tau", "lantern+kmeans+tau")
        for baseline in run_baseline(method, problem, embedded, (LABELS,), 0, labels)
    ]
    for accuracy in (ours.accuracy_test, ours.accuracy_test_components, ours.accuracy_pool):
        assert accuracy is not None
        assert accuracy > 6 * CHANCE
        for other in theirs:
            assert other is not None
            assert accuracy > other + 0.15
