"""Free components go to data that came later, and only to data that is really new."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_backend.core.hyperparameters import DEFAULT_PRIOR, PRIORS, ModelConfig, Prior, RunConfig
from ml_backend.core.model import ComponentModel, TrainingData

pytestmark = pytest.mark.slow

OLD, NEW, WIDTH = 400, 60, 12


def blobs(seed: int, centres: NDArray[np.float64], n: int) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    rows: NDArray[np.float64] = centres[np.arange(n) % len(centres)] + 0.3 * random.standard_normal((n, WIDTH))
    return rows.astype(np.float32)


OLD_CENTRES = np.random.default_rng(1).standard_normal((8, WIDTH)) * 3
FAR_CENTRE = np.full((1, WIDTH), 6.0)


def trained(
    newcomers: NDArray[np.float32], prior: Prior = DEFAULT_PRIOR, n_components: int = 24, n_placed: int = 16
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """First component of old and of new items after one run in which the new ones are new."""
    old = blobs(2, OLD_CENTRES, OLD)
    config = ModelConfig(
        input_shape=(WIDTH,), n_components=n_components, latent_dim=4, n_placed=n_placed, prior=prior, hidden_dim=32
    )
    model = ComponentModel.create(config, old, seed=0, device="cpu")
    x = np.concatenate([old, newcomers])
    model.train(TrainingData(x, first_new=len(old)), RunConfig(epochs=1, device="cpu"))
    first = model.encode(x).responsibilities.indices[:, 0]
    return first[:OLD], first[OLD:]


@pytest.mark.parametrize("prior", PRIORS)
def test_a_new_group_gets_components_of_its_own(prior: Prior) -> None:
    old, new = trained(blobs(3, FAR_CENTRE, NEW), prior)
    assert not set(new) & set(old)


def test_the_components_of_a_new_group_were_free() -> None:
    _, new = trained(blobs(3, FAR_CENTRE, NEW))
    assert set(new) <= set(range(16, 24))


def test_more_of_the_known_takes_no_component() -> None:
    old, new = trained(blobs(4, OLD_CENTRES, NEW))
    assert set(new) <= set(range(16))
    assert set(old) <= set(range(16))


def test_a_few_strays_wait_for_others_of_their_kind() -> None:
    _, new = trained(np.concatenate([blobs(4, OLD_CENTRES, NEW), blobs(5, FAR_CENTRE, 3)]))
    assert set(new) <= set(range(16))


def test_copies_of_one_new_item_get_a_component_of_their_own() -> None:
    """There is one place for them, and clusters beyond it stay empty."""
    old, new = trained(np.repeat(FAR_CENTRE.astype(np.float32), NEW, axis=0))
    assert len(set(new)) == 1
    assert not set(new) & set(old)


def test_without_a_component_to_spare_the_new_group_shares_one() -> None:
    """Each of the eight is used by an eighth of the old items: none is free, and none is small enough to give way."""
    old, new = trained(blobs(3, FAR_CENTRE, NEW), n_components=len(OLD_CENTRES), n_placed=len(OLD_CENTRES))
    assert len(set(old)) == len(OLD_CENTRES)
    assert set(new) <= set(old)
