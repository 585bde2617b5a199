"""A pool may rely on this: usable at once, learns, keeps ids, stops, fails safely, restores to the same answers."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ml_backend.core.batches import PoolBatches
from ml_backend.core.hyperparameters import LossWeights, ModelConfig, Phase, Prior, RunConfig
from ml_backend.core.initialise import fit_latents
from ml_backend.core.labels import LabelSet, class_probabilities, soft_counts, tau
from ml_backend.core.model import ComponentModel, Encoding, TrainingData
from ml_backend.errors import CheckpointError, InputError, TrainingError
from tests.core.synthetic import bars, blobs, cosine_neighbours, label_set

K = 12
CONFIG = ModelConfig(input_shape=(20,), n_components=K, latent_dim=4, hidden_dim=32, top_m=6)


def model_of(x: NDArray[np.generic], config: ModelConfig = CONFIG, seed: int = 0) -> ComponentModel:
    return ComponentModel.create(replace(config, input_shape=x.shape[1:]), x, seed=seed, device="cpu")


def accuracy(encoding: Encoding, labels: LabelSet, y: NDArray[np.int64]) -> float:
    """Of argmax_y sum_c r_c tau, given those labels."""
    r = encoding.responsibilities
    table = tau(soft_counts(r.take(labels.rows), labels.targets, r.n_components), None)
    return float((class_probabilities(r, table).argmax(1) == y).mean())


def ids(encoding: Encoding) -> NDArray[np.int32]:
    return encoding.responsibilities.indices[:, 0]


@pytest.fixture(scope="module")
def pool() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    return blobs(600, 6, 20, seed=1, noise=0.6)


def test_a_new_model_is_usable_before_any_training(pool: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
    x, y = pool
    encoding = model_of(x).encode(x)
    r = encoding.responsibilities
    assert len(r) == len(x)
    assert np.all(r.values.sum(1) <= 1 + 1e-5)
    assert np.all(np.diff(r.log_r, axis=1) <= 0)
    assert encoding.latent.shape == (600, 4)
    assert np.all(encoding.aleatoric > 0)
    # Six separate blobs, twelve components: with two labels a blob the rest follows.
    assert accuracy(encoding, label_set(np.arange(12), y, 6), y) > 0.9


def test_density_is_low_where_nothing_was_seen(pool: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
    x, _ = pool
    model = model_of(x)
    strange = np.random.default_rng(7).normal(size=(100, 20)).astype(np.float32)
    seen, unseen = model.encode(x).log_density, model.encode(strange).log_density
    assert np.median(unseen) < np.quantile(seen, 0.05)


@pytest.mark.parametrize("prior", ["standard", "mixture", "vamp"])
@pytest.mark.slow
def test_training_lowers_the_reconstruction_and_keeps_component_ids(
    pool: tuple[NDArray[np.float32], NDArray[np.int64]], prior: Prior
) -> None:
    x, _ = pool
    model = model_of(x, replace(CONFIG, prior=prior))
    before = ids(model.encode(x))
    neighbours = cosine_neighbours(x, 10)
    report = model.train(TrainingData(x, neighbours), RunConfig(epochs=5, device="cpu"))
    again = model.train(TrainingData(x, neighbours), RunConfig(epochs=5, device="cpu"))
    assert not report.stopped
    assert model.epochs_done == 10
    assert [e.epoch for e in report.epochs + again.epochs] == list(range(1, 11))
    assert again.epochs[-1].losses.reconstruction < report.epochs[0].losses.reconstruction - 0.02
    assert np.mean(ids(model.encode(x)) == before) > 0.8


@pytest.mark.slow
def test_switching_the_prior_keeps_weights_ids_and_answers(pool: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
    x, _ = pool
    model = model_of(x, replace(CONFIG, prior="standard"))
    model.train(TrainingData(x), RunConfig(epochs=2, device="cpu"))
    before, latent = ids(model.encode(x)), model.encode(x).latent
    # All weights 0: nothing is learned, so what differs is the switch itself.
    frozen = RunConfig(
        epochs=1, device="cpu", prior="vamp", weights=LossWeights(**dict.fromkeys(vars(LossWeights()), 0.0))
    )
    model.train(TrainingData(x), frozen)
    assert model.config.prior == "vamp"
    assert np.array_equal(ids(model.encode(x)), before)
    assert np.allclose(model.encode(x).latent, latent, atol=1e-5)
    priors: tuple[Prior, ...] = ("mixture", "standard")
    for prior in priors:
        model.train(TrainingData(x), RunConfig(epochs=2, device="cpu", prior=prior))
        assert np.mean(ids(model.encode(x)) == before) > 0.8
        assert ComponentModel.restore(model.config, model.state()).config.prior == prior


@pytest.mark.slow
def test_the_classification_term_lowers_the_loss_of_the_labels() -> None:
    # Classes that the clusters do not follow: the sign of one weak direction.
    x, _ = blobs(400, 4, 20, seed=3, noise=0.8)
    y = (x[:, 0] > np.median(x[:, 0])).astype(np.int64)
    labels = label_set(np.arange(0, 400, 2), y, 2)
    losses = {}
    for weight in (0.0, 3.0):
        model = model_of(x)
        weights = LossWeights(classification=weight, sparsity=0)
        run = RunConfig(epochs=5, device="cpu", phase=Phase.LABELS, weights=weights, batch_size=32)
        for _ in range(4):
            model.train(TrainingData(x, None, (labels,)), run)
        r = model.encode(x).responsibilities.take(labels.rows)
        p = class_probabilities(r, tau(soft_counts(r, labels.targets, K), None))
        losses[weight] = -np.log(p[np.arange(len(p)), y[labels.rows]]).mean()
    assert losses[3.0] < 0.85 * losses[0.0]


def test_several_label_sets_are_learned_at_once() -> None:
    x, y = blobs(300, 6, 20, seed=4)
    rows = np.arange(60)
    sets = (label_set(rows, y, 6, "kind"), label_set(rows, y % 2, 2, "parity"), label_set(rows[:0], y, 6, "empty"))
    model = model_of(x)
    run = RunConfig(epochs=5, device="cpu", phase=Phase.LABELS, weights=LossWeights(spread=0), batch_size=64)
    report = model.train(TrainingData(x, None, sets), run)
    assert 0 < report.epochs[-1].losses.classification < report.epochs[0].losses.classification
    assert accuracy(model.encode(x), sets[0], y) > 0.9
    assert accuracy(model.encode(x), sets[1], y % 2) > 0.9


@pytest.mark.slow
def test_sparsity_lowers_the_number_of_components_in_use() -> None:
    x, _ = blobs(500, 3, 20, seed=5)
    used = []
    for weight in (0.0, 1.0, 5.0):
        model = model_of(x)
        weights = LossWeights(sparsity=weight, spread=0)
        for _ in range(3):
            report = model.train(TrainingData(x), RunConfig(epochs=5, device="cpu", weights=weights, phase=Phase.PRIOR))
        used.append(report.epochs[-1].usage)
    assert used[0] > used[1] > used[2]


def test_stopping_within_an_epoch_leaves_a_usable_model(pool: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
    x, _ = pool
    model = model_of(x)
    calls = iter(range(100))
    report = model.train(
        TrainingData(x), RunConfig(epochs=5, device="cpu", batch_size=64), should_stop=lambda: next(calls) >= 13
    )
    assert report.stopped
    assert len(report.epochs) == 1  # ten batches an epoch: stopped in the second
    assert model.epochs_done == 1
    assert np.isfinite(model.encode(x).latent).all()


def test_where_the_latents_lie_is_measured_on_the_model_as_it_is(
    pool: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    """After creation, after a training, and after one that was stopped: sigma and prototypes are read there."""
    x, _ = pool
    model, found = model_of(x), []
    calls = iter(range(100))
    for should_stop in (None, lambda: False, lambda: next(calls) >= 13):
        if should_stop is not None:
            run = RunConfig(epochs=3, device="cpu", batch_size=64)
            model.train(TrainingData(x), run, should_stop=should_stop)
        again = deepcopy(model._vae)
        fit_latents(again, PoolBatches(model._backbone, x, torch.device("cpu")))
        torch.testing.assert_close(model._vae.latent_mean, again.latent_mean)
        torch.testing.assert_close(model._vae.latent_log_variance, again.latent_log_variance)
        found.append(again.latent_mean)
    assert not any(torch.allclose(a, b, atol=1e-3) for a, b in pairwise(found))


def test_a_loss_that_is_not_finite_restores_the_last_finite_epoch(
    pool: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    x, _ = pool
    model = model_of(x)
    states = []
    with pytest.raises(TrainingError, match="finite"):
        model.train(
            TrainingData(x),
            RunConfig(epochs=5, device="cpu", learning_rate=1e30),
            on_epoch=lambda _: states.append(model.state()),
        )
    last = states[-1] if states else model_of(x).state()
    assert all(np.array_equal(value, last[name]) for name, value in model.state().items() if name.startswith("vae."))
    assert np.isfinite(model.encode(x).latent).all()


def test_restored_models_give_the_same_answers_bit_for_bit(pool: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
    x, _ = pool
    model = model_of(x)
    model.train(TrainingData(x, cosine_neighbours(x, 5)), RunConfig(epochs=3, device="cpu"))
    restored = ComponentModel.restore(model.config, model.state(), device="cpu")
    first, second = model.encode(x, temperature=2.0), restored.encode(x, temperature=2.0)
    for name in ("indices", "log_r", "log_z_soft"):
        assert np.array_equal(getattr(first.responsibilities, name), getattr(second.responsibilities, name))
    assert np.array_equal(first.latent, second.latent)
    assert np.array_equal(first.log_density, second.log_density)
    assert np.array_equal(first.aleatoric, second.aleatoric)
    assert (restored.epochs_done, restored.phase) == (3, Phase.LABELS)
    # ... and go on learning in the same way.
    for one in (model, restored):
        one.train(TrainingData(x), RunConfig(epochs=1, device="cpu", seed=5))
    assert np.array_equal(model.encode(x).latent, restored.encode(x).latent)


@pytest.mark.slow
def test_the_seed_decides_everything(pool: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
    x, _ = pool
    states = []
    for _ in range(2):
        model = model_of(x, seed=3)
        model.train(TrainingData(x), RunConfig(epochs=2, device="cpu", seed=9))
        states.append(model.state())
    assert all(np.array_equal(value, states[1][name]) for name, value in states[0].items())


def test_states_are_finite_and_altered_ones_are_refused(pool: tuple[NDArray[np.float32], NDArray[np.int64]]) -> None:
    x, _ = pool
    model = model_of(x)
    state = model.state()
    assert all(np.isfinite(value).all() for value in state.values())
    spoiled = {**state, "vae.prototypes": np.full_like(state["vae.prototypes"], np.nan)}
    with pytest.raises(CheckpointError, match="finite"):
        ComponentModel.restore(model.config, spoiled)
    with pytest.raises(CheckpointError):
        ComponentModel.restore(replace(model.config, n_components=K + 1), state)
    with pytest.raises(CheckpointError):
        ComponentModel.restore(model.config, {name: value for name, value in state.items() if name != "vae.usage"})


@pytest.mark.parametrize(
    "x",
    [
        np.ones((1, 20), np.float32),
        np.zeros((5, 20), np.float32),
        np.ones((40, 20), np.float16),
        np.repeat(np.eye(20)[:3], 20, axis=0),
        np.hstack([np.random.default_rng(0).normal(size=(30, 2)), np.ones((30, 18))]),
    ],
    ids=["one item", "zeros", "duplicates", "fewer distinct items than components", "constant dimensions"],
)
def test_degenerate_pools_train(x: NDArray[np.float32]) -> None:
    model = model_of(x)
    labels = label_set(np.arange(min(3, len(x))), np.zeros(len(x), np.int64), 2)
    neighbours = np.full((len(x), 4), -1, np.int32)
    model.train(TrainingData(x, neighbours, (labels,)), RunConfig(epochs=5, device="cpu"))
    encoding = model.encode(x)
    for values in (encoding.latent, encoding.log_density, encoding.aleatoric, encoding.responsibilities.log_r):
        assert np.isfinite(values).all()
    assert np.isfinite(model.features(x)).all()
    assert all(np.isfinite(value).all() for value in model.state().values())


def test_copies_belong_to_their_component_and_mere_neighbours_are_shared() -> None:
    random = np.random.default_rng(0)
    copies = np.repeat(random.normal(size=(K, 20)).astype(np.float32), 30, axis=0)
    alike = random.normal(size=(30 * K, 20)).astype(np.float32)
    effective = []
    for x in (copies, alike):
        log_r = model_of(x, replace(CONFIG, top_m=K)).encode(x).responsibilities.log_r.astype(np.float64)
        effective.append(float(np.median(np.exp(-(np.exp(log_r) * log_r).sum(1)))))
    assert effective == pytest.approx([1.2, 2.0], abs=0.05)


@pytest.mark.parametrize("n_distinct", [3, 40, 150])
def test_copies_have_one_component_where_there_are_fewer_texts_than_components(n_distinct: int) -> None:
    """An encoder's copies differ in the last digit: k-means takes centres apart there that no softness can."""
    random = np.random.default_rng(0)
    truth = np.repeat(np.arange(n_distinct), random.integers(2, 40, n_distinct))
    x = random.normal(size=(n_distinct, 20))[truth] * (1 + 1e-7 * random.normal(size=(len(truth), 20)))
    listed = model_of(x, replace(CONFIG, n_components=200, top_m=8)).encode(x).responsibilities
    r = np.exp(listed.log_r.astype(np.float64))
    home = listed.indices[:, 0]
    assert len(np.unique(home)) == n_distinct
    assert all(len(np.unique(home[truth == place])) == 1 for place in range(n_distinct))
    assert r[:, 0].min() > 0.9


def test_components_without_items_stay_free() -> None:
    x = np.repeat(np.eye(20, dtype=np.float32)[:3], 20, axis=0)
    usage = np.bincount(ids(model_of(x).encode(x)), minlength=K)
    assert sorted(usage[usage > 0].tolist()) == [20, 20, 20]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((3, 19), np.float32), "do not fit"),
        (np.zeros((0, 20), np.float32), "no items"),
        (np.full((3, 20), np.nan, np.float32), "finite"),
    ],
)
def test_items_that_do_not_fit_are_refused(x: NDArray[np.float32], message: str) -> None:
    model = model_of(np.eye(20, dtype=np.float32))
    with pytest.raises(InputError, match=message):
        model.encode(x)


def test_features_of_vectors_have_length_one_whatever_the_scale(
    pool: tuple[NDArray[np.float32], NDArray[np.int64]],
) -> None:
    x, _ = pool
    model = model_of(x)
    given = x / np.linalg.norm(x, axis=1, keepdims=True)
    assert np.allclose(model.class_features(3 * x), given, atol=1e-6)
    features = model.features(3 * x)
    assert np.allclose(np.linalg.norm(features, axis=1), 1.0, atol=1e-5)
    assert np.allclose(features, model.features(x), atol=1e-5)
    centred = given - given.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    # All directions are kept here, so that the projection is a rotation about the mean.
    assert np.allclose(features @ features.T, centred @ centred.T, atol=1e-3)


@pytest.mark.slow
def test_images_are_clustered_trained_and_restored() -> None:
    x, y = bars(600, seed=0)
    model = model_of(x, ModelConfig(input_shape=(1, 12, 12), n_components=30, latent_dim=6, hidden_dim=64))
    labels = label_set(np.arange(60), y, 3)
    before = accuracy(model.encode(x), labels, y)
    features = model.features(x)
    assert np.allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    model.train(TrainingData(x, cosine_neighbours(features, 10), (labels,)), RunConfig(epochs=5, device="cpu"))
    encoding = model.encode(x)
    assert before > 0.8
    assert accuracy(encoding, labels, y) >= before - 0.02
    assert np.array_equal(model.features(x), features)  # the space of neighbours stays put
    restored = ComponentModel.restore(model.config, model.state(), device="cpu")
    assert np.array_equal(restored.encode(x).responsibilities.log_r, encoding.responsibilities.log_r)


def test_images_must_be_bytes() -> None:
    with pytest.raises(InputError, match="uint8"):
        ComponentModel.create(replace(CONFIG, input_shape=(1, 4, 4)), np.zeros((3, 1, 4, 4), np.float32), seed=0)
