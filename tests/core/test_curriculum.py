"""Which terms count when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_backend.core.curriculum import phase_of, weights_at
from ml_backend.core.hyperparameters import MAX_EPOCHS_PER_RUN, LossWeights, Phase, RunConfig, usual_epochs
from ml_backend.errors import ConfigError

BASE = LossWeights()


def test_the_phases_follow_each_other_and_never_go_back() -> None:
    phases = [phase_of(epochs) for epochs in range(20)]
    assert phases[0] is Phase.RECONSTRUCTION
    assert phases == sorted(phases)
    assert set(phases) == set(Phase)


def test_phase_one_has_no_kl_and_no_labels() -> None:
    weights = weights_at(BASE, Phase.RECONSTRUCTION, 0.5)
    assert weights.reconstruction == BASE.reconstruction
    assert weights.kl == weights.prior == weights.classification == weights.contrastive == weights.sparsity == 0


def test_phase_two_raises_the_kl_and_has_no_labels() -> None:
    kl = [weights_at(BASE, Phase.PRIOR, epochs).kl for epochs in (1.0, 1.5, 2.5, 4.0, 9.0)]
    assert kl == sorted(kl)
    assert kl[0] == 0
    assert kl[-1] == BASE.kl
    assert weights_at(BASE, Phase.PRIOR, 5.0).classification == 0


def test_phase_three_has_every_term() -> None:
    weights = weights_at(BASE, Phase.LABELS, 10.0)
    assert weights.classification == BASE.classification
    assert weights.contrastive == BASE.contrastive


@given(st.floats(0, 50))
def test_usage_spreads_early_and_is_sparse_late_but_never_both(epochs: float) -> None:
    weights = weights_at(BASE, Phase.LABELS, epochs)
    assert weights.spread == 0 or weights.sparsity == 0
    assert weights_at(BASE, Phase.LABELS, epochs + 1).spread <= weights.spread


@given(st.floats(0, 50), st.sampled_from(list(Phase)))
def test_a_term_switched_off_stays_off(epochs: float, phase: Phase) -> None:
    off = LossWeights(**dict.fromkeys(vars(BASE), 0.0))
    assert not any(vars(weights_at(off, phase, epochs)).values())


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_weight_must_be_finite_and_not_negative(value: float) -> None:
    with pytest.raises(ConfigError, match="sparsity"):
        LossWeights(sparsity=value)


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_run_on_a_larger_pool_has_no_more_epochs_and_always_some(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert 1 <= usual_epochs(large) <= usual_epochs(small) <= MAX_EPOCHS_PER_RUN
    assert RunConfig(epochs=usual_epochs(large)).epochs == usual_epochs(large)


def test_a_run_passes_sixty_thousand_items_once_and_a_small_pool_as_often_as_it_may() -> None:
    assert [usual_epochs(n) for n in (1_797, 18_000, 30_000, 60_000)] == [5, 5, 3, 1]


@pytest.mark.parametrize("phase", [Phase.PRIOR, Phase.LABELS])
@pytest.mark.parametrize(
    ("epochs", "warm", "spread", "sparse"),
    [
        (0.0, 0, 1, 0),
        (1.0, 0, 2 / 3, 0),
        (1.5, 1 / 6, 1 / 2, 0),
        (2.5, 1 / 2, 1 / 6, 0),
        (3.0, 2 / 3, 0, 0),
        (4.0, 1, 0, 1 / 3),
        (4.5, 1, 0, 1 / 2),
        (6.0, 1, 0, 1),
        (60.0, 1, 0, 1),
    ],
)
def test_after_phase_one_the_kl_terms_rise_and_the_usage_terms_change_over_in_straight_lines(
    phase: Phase, epochs: float, warm: float, spread: float, sparse: float
) -> None:
    """Over three epochs each: both KL terms from 1 to 4, spread out from 0 to 3, sparsity in from 3 to 6."""
    base = LossWeights(kl=2.0, prior=0.3, spread=0.7, sparsity=0.11)
    weights = weights_at(base, phase, epochs)
    assert weights.kl == pytest.approx(2.0 * warm)
    assert weights.prior == pytest.approx(0.3 * warm)
    assert weights.spread == pytest.approx(0.7 * spread)
    assert weights.sparsity == pytest.approx(0.11 * sparse)
    assert weights.reconstruction == base.reconstruction


@pytest.mark.parametrize(("epochs", "spread"), [(0.0, 1), (0.5, 5 / 6), (1.5, 1 / 2), (3.0, 0)])
def test_in_phase_one_the_spread_fades_all_the_same(epochs: float, spread: float) -> None:
    assert weights_at(BASE, Phase.RECONSTRUCTION, epochs).spread == pytest.approx(BASE.spread * spread)
