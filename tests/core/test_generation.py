"""What the decoder draws for a component."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ml_backend.core.generation import WALK, Generator
from ml_backend.core.hyperparameters import PRIORS, ModelConfig, Prior, RunConfig
from ml_backend.core.model import ComponentModel, TrainingData
from ml_backend.core.preprocess import ImageTransform
from ml_backend.core.vae import ComponentVAE
from ml_backend.errors import InputError

from .synthetic import bars, blobs, cosine_neighbours

K = 6
SHAPE = (1, 12, 12)


def untrained(prior: Prior = "mixture") -> tuple[Generator, ComponentVAE]:
    """Random weights, components told apart."""
    torch.manual_seed(0)
    vae = ComponentVAE(ModelConfig(input_shape=SHAPE, n_components=K, latent_dim=4, prior=prior, top_m=K), SHAPE, 4)
    with torch.no_grad():
        for parameter in vae.decoder.parameters():
            parameter.normal_(0.0, 0.3)
        for values in (*vae.prior.parameters(), vae.latent_mean, vae.latent_log_variance):
            values.normal_(0.0, 1.0)
    x, _ = bars(50, seed=0)
    return Generator(vae, ImageTransform.fit(x, seed=0)), vae


def test_pictures_have_the_items_shape_and_differ_between_components() -> None:
    generator, _ = untrained()
    drawn = [generator.prototype(c) for c in range(K)]
    assert {(d.mean.shape, d.mean.dtype.name, d.sigma.shape) for d in drawn} == {(SHAPE, "uint8", SHAPE)}
    assert all((d.sigma > 0).all() for d in drawn)
    assert len({d.mean.tobytes() for d in drawn}) == K


def test_the_prototype_is_the_decoder_at_the_mean_of_the_latents_in_pixels() -> None:
    generator, vae = untrained()
    x, _ = bars(50, seed=0)
    with torch.no_grad():
        standardised, _ = vae.decode(vae.latent_mean[2:3], torch.tensor([2]))
    pixels = standardised[0].numpy() * x.std() + x.mean()
    np.testing.assert_allclose(generator.prototype(2).mean, np.clip(pixels, 0, 255), atol=0.51)


def test_a_walk_passes_the_prototype_and_the_first_axis_changes_most() -> None:
    generator, _ = untrained()
    assert sorted(generator.axes(0).tolist()) == [0, 1, 2, 3]
    walks = [generator.walk(0, axis).astype(float) for axis in range(4)]
    assert {walk.shape for walk in walks} == {(len(WALK), *SHAPE)}
    for walk in walks:
        np.testing.assert_allclose(walk[len(WALK) // 2], generator.prototype(0).mean, atol=1)
    travelled = [float(np.linalg.norm(walk[-1] - walk[0])) for walk in walks]
    assert travelled[0] > travelled[-1]


def test_only_the_vamp_prior_has_pseudo_inputs() -> None:
    assert untrained("mixture")[0].pseudo_input(0) is None
    assert untrained("standard")[0].pseudo_input(0) is None
    generator, _ = untrained("vamp")
    drawn = [generator.pseudo_input(c) for c in range(K)]
    assert all(picture is not None and picture.shape == SHAPE for picture in drawn)
    assert len({picture.tobytes() for picture in drawn if picture is not None}) == K


def test_a_model_of_vectors_draws_nothing() -> None:
    x, _ = blobs(40, 2, 8, seed=0)
    config = ModelConfig(input_shape=(8,), n_components=4, latent_dim=2, top_m=4)
    with pytest.raises(InputError):
        ComponentModel.create(config, x, seed=0, device="cpu").generator()


@pytest.mark.slow
@pytest.mark.parametrize("prior", PRIORS)
def test_a_prototype_looks_like_the_items_of_its_component(prior: Prior) -> None:
    x, _ = bars(240, seed=0)
    config = ModelConfig(input_shape=SHAPE, n_components=K, latent_dim=4, top_m=K, prior=prior)
    model = ComponentModel.create(config, x, seed=0, device="cpu")
    neighbours = cosine_neighbours(model.features(x), 8)
    for _ in range(6):
        model.train(TrainingData(x, neighbours), RunConfig(epochs=5, device="cpu", learning_rate=3e-3))
    home = model.encode(x).responsibilities.indices[:, 0]
    flat = x.reshape(len(x), -1).astype(float)
    used = [c for c in range(K) if (home == c).sum() >= 10]
    drawn = {c: model.generator().prototype(c).mean.astype(float).ravel() for c in used}
    means = {c: flat[home == c].mean(axis=0) for c in used}
    nearest = [min(used, key=lambda other: float(np.square(drawn[other] - means[c]).sum())) for c in used]
    assert len(used) >= 3
    assert np.mean([found == c for found, c in zip(nearest, used, strict=True)]) >= 0.8
