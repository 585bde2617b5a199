"""The component model: one object that a pool creates, trains, asks and saves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ml_backend.core.batches import PoolBatches
from ml_backend.core.density import MixtureDensity
from ml_backend.core.generation import Generator
from ml_backend.core.hyperparameters import ModelConfig, Phase, Prior, RunConfig
from ml_backend.core.initialise import fit_latents, fit_prior, fit_templates, place_components
from ml_backend.core.losses import lower_bound
from ml_backend.core.newcomers import claim_components
from ml_backend.core.preprocess import ImageTransform, VectorTransform, check_items, sample_rows
from ml_backend.core.pretrain import pretrain_images
from ml_backend.core.representation import Backbone, ImageRepresentation
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.core.subspace import Subspace
from ml_backend.core.trainer import EpochReport, Stopped, Trainer, TrainingData, TrainingReport
from ml_backend.core.vae import ComponentVAE
from ml_backend.errors import CheckpointError, InputError

__all__ = ["ComponentModel", "Encoding", "EpochReport", "TrainingData", "TrainingReport"]

ALEATORIC_COMPONENTS = 2
"""Mean decoder sigma is averaged over so many of an item's largest components."""
ALEATORIC_REACH = 0.25
"""In standard deviations of the component's latents, each dimension by itself: with noise on half of the pixels of half
of MNIST, sigma there is 2.2 to 2.3 times that of clean pictures for any reach up to .5; mean sigma of a digit that was
never seen rises with the reach."""


@dataclass(frozen=True)
class Encoding:
    """What the model says of N items.

    latent: (N, dz) float32 mean of q(z|x). log_density: (N,) float32 nats, mixture density of the base representation,
    higher = more typical. outside: (N,) float32 >= 0, see `Subspace`; 0 for vectors. aleatoric: (N,) float32 > 0, mean
    decoder sigma where the preprocessed input has variance 1.
    """

    responsibilities: SparseResponsibilities
    latent: NDArray[np.float32]
    log_density: NDArray[np.float32]
    outside: NDArray[np.float32]
    aleatoric: NDArray[np.float32]


SUBSPACE_ROWS = 5000
"""At most so many pictures are looked at for the pool's principal directions."""


def choose_device(name: str) -> torch.device:
    """'auto' is CUDA where there is one; anything else is taken at its word."""
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)


class ComponentModel:
    """A component VAE with its fixed backbone. Not thread-safe while it trains."""

    def __init__(self, config: ModelConfig, backbone: Backbone, vae: ComponentVAE, density: MixtureDensity) -> None:
        self.config = config
        self.epochs_done = 0
        self.phase = Phase.RECONSTRUCTION
        self._backbone = backbone
        self._vae = vae
        self._density = density
        self._subspace = Subspace(math.prod(config.input_shape)).to(vae.pi_logits.device) if config.is_image else None

    @classmethod
    def create(
        cls,
        config: ModelConfig,
        x: NDArray[np.generic],
        *,
        seed: int,
        device: str = "auto",
        should_stop: Callable[[], bool] | None = None,
    ) -> ComponentModel:
        """Fit the preprocessing, learn the representation of images, place the components: usable at once.

        x: (N, *input_shape), N >= 1; floats for vectors, uint8 for images. Raises InputError on other shapes or NaN.
        """
        check_items(config, x)
        target = choose_device(device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if config.is_image:
                backbone = Backbone(ImageTransform.fit(x, seed=seed), ImageRepresentation(config))
            else:
                backbone = Backbone(VectorTransform.fit(x, config.whitened_dim, seed=seed), None)
            model = cls._untrained(config, backbone, target)
        if backbone.image is not None:
            assert isinstance(backbone.transform, ImageTransform)
            stop = should_stop or (lambda: False)
            pretrain_images(backbone.image, backbone.transform, x, seed=seed, should_stop=stop)
        pool = PoolBatches(backbone, x, target)
        place_components(model._vae, pool, n_placed=config.n_placed or config.n_components, seed=seed)
        fit_templates(model._vae, pool)
        fit_prior(model._vae, pool)
        model._fit_moments(pool)
        if model._subspace is not None:
            model._subspace.fit(pool.take(sample_rows(len(x), SUBSPACE_ROWS, seed))[0])
        return model

    def train(
        self,
        data: TrainingData,
        run: RunConfig,
        *,
        on_epoch: Callable[[EpochReport], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> TrainingReport:
        """1-5 epochs. A stop is honoured between two batches and leaves a usable model.

        Raises TrainingError when the loss is not finite, with the weights of the last finite epoch restored.
        """
        check_items(self.config, data.x)
        device = choose_device(run.device)
        self._to(device)
        pool = PoolBatches(self._backbone, data.x, device)
        if data.first_new:
            claim_components(self._vae, pool, data.first_new, run.seed)
        trainer = Trainer(self._vae, pool, data, run)
        if run.prior is not None and run.prior != self.config.prior:
            self._use_prior(run.prior, trainer)
        reports: list[EpochReport] = []
        stopped = False
        try:
            for _ in range(run.epochs):
                phase = trainer.phase(self.epochs_done)
                if self.phase is Phase.RECONSTRUCTION and phase is not Phase.RECONSTRUCTION:
                    # The latents moved freely in phase 1: the prior starts from where they are.
                    trainer.refit_prior()
                self.phase = phase
                reports.append(trainer.epoch(self.epochs_done, should_stop or (lambda: False)))
                self.epochs_done += 1
                if on_epoch is not None:
                    on_epoch(reports[-1])
        except Stopped:
            stopped = True
        finally:
            self._fit_moments(pool)
        return TrainingReport(tuple(reports), stopped)

    @torch.no_grad()
    def encode(
        self,
        x: NDArray[np.generic],
        *,
        temperature: float = 1.0,
        of_pool: bool = False,
    ) -> Encoding:
        """Encode (N, *input_shape). temperature: that of the softened responsibilities (s_ood).

        of_pool: x is what the model was fitted to, so that each item's density leaves the item itself out.
        """
        check_items(self.config, x)
        parts = [self._encode(rows, temperature, of_pool) for rows in self._parts_of(x)]
        return Encoding(
            SparseResponsibilities.concatenate([p.responsibilities for p in parts]),
            np.concatenate([p.latent for p in parts]),
            np.concatenate([p.log_density for p in parts]),
            np.concatenate([p.outside for p in parts]),
            np.concatenate([p.aleatoric for p in parts]),
        )

    @torch.no_grad()
    def responsibilities(self, x: NDArray[np.generic], *, temperature: float = 1.0) -> SparseResponsibilities:
        """Those of `encode` alone, at a fraction of its cost: nothing is decoded. N >= 1."""
        check_items(self.config, x)
        parts = []
        for rows in self._parts_of(x):
            inputs, base = self._inputs(rows)
            parts.append(self._sparse(self._vae.infer(inputs, base).log_r, temperature))
        return SparseResponsibilities.concatenate(parts)

    @torch.no_grad()
    def features(self, x: NDArray[np.generic]) -> NDArray[np.float32]:
        """(N, F) float32 L2-normalised rows for neighbours and novelty: where the components live.

        For vectors that is their PCA projection: on CLINC150 88 % of the 15 nearest share the item's intent, in the
        vectors as given 85 %.
        """
        check_items(self.config, x)
        parts = []
        for rows in self._parts_of(x):
            parts.append(_unit(self._inputs(rows)[1]))
        return np.concatenate(parts)

    @torch.no_grad()
    def component_cosines(self) -> NDArray[np.float32]:
        """(K, K) float32 in [-1, 1], of the prototypes, where `features` are."""
        unit = _unit(self._vae.prototypes)
        return np.asarray(np.clip(unit @ unit.T, -1.0, 1.0))

    def class_features(self, x: NDArray[np.generic]) -> NDArray[np.float32]:
        """(N, F) float32 L2-normalised rows for the head: vectors as given, images as in `features`."""
        if self.config.is_image:
            return self.features(x)
        check_items(self.config, x)
        return _unit(torch.from_numpy(np.ascontiguousarray(x)))

    def generator(self) -> Generator:
        """What the decoder draws. Raises InputError for a model of vectors."""
        transform = self._backbone.transform
        if not isinstance(transform, ImageTransform):
            raise InputError("a model of vectors draws no pictures")
        return Generator(self._vae, transform)

    @torch.no_grad()
    def sigma(self, x: NDArray[np.generic]) -> NDArray[np.float32]:
        """(N, *input_shape) float32 decoder sigma of each dimension of the preprocessed input; see `Encoding`."""
        check_items(self.config, x)
        parts = []
        for rows in self._parts_of(x):
            inference = self._vae.infer(*self._inputs(rows))
            top = inference.log_r.topk(min(ALEATORIC_COMPONENTS, self.config.n_components), dim=1)
            parts.append(self._sigma(inference.mean, top).cpu().numpy())
        return np.concatenate(parts)

    @torch.no_grad()
    def lower_bound(self, x: NDArray[np.generic], *, seed: int = 0) -> NDArray[np.float32]:
        """(N,) float32 one draw of each item's ELBO in nats, of the preprocessed input: what priors are compared by."""
        check_items(self.config, x)
        draws = torch.Generator(self._device).manual_seed(seed)
        parts = []
        for rows in self._parts_of(x):
            inputs, base = self._inputs(rows)
            parts.append(lower_bound(self._vae, inputs, base, self.config.top_m, draws).cpu().numpy())
        return np.concatenate(parts)

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Every array needed to restore the model; all finite."""
        arrays: dict[str, NDArray[np.generic]] = {
            f"{part}.{name}": value.detach().cpu().numpy().copy()
            for part, module in self._parts().items()
            for name, value in module.state_dict().items()
        }
        arrays["progress"] = np.array([self.epochs_done, int(self.phase)], dtype=np.int64)
        return arrays

    @classmethod
    def restore(
        cls, config: ModelConfig, state: Mapping[str, NDArray[np.generic]], *, device: str = "auto"
    ) -> ComponentModel:
        """The model that gave `state`, for the config it had then. Raises CheckpointError when they do not fit."""
        try:
            image = ImageRepresentation(config) if config.is_image else None
            transform = (
                ImageTransform(config.input_shape)
                if config.is_image
                else VectorTransform(*state["backbone.transform.directions"].shape)
            )
            model = cls._untrained(config, Backbone(transform, image), choose_device(device))
            for part, module in model._parts().items():
                module.load_state_dict(_tensors(state, f"{part}."))
            model.epochs_done, phase = (int(value) for value in state["progress"])
            model.phase = Phase(phase)
        except (KeyError, ValueError, RuntimeError, TypeError) as error:
            raise CheckpointError(f"the model state does not fit its config: {error}") from error
        return model

    @classmethod
    def _untrained(cls, config: ModelConfig, backbone: Backbone, device: torch.device) -> ComponentModel:
        vae = ComponentVAE(config, backbone.input_shape, backbone.base_dim).to(device)
        return cls(config, backbone.to(device), vae, MixtureDensity(config.n_components, backbone.base_dim).to(device))

    def _parts(self) -> dict[str, torch.nn.Module]:
        parts = {"backbone": self._backbone, "vae": self._vae, "density": self._density}
        return parts if self._subspace is None else {**parts, "subspace": self._subspace}

    @property
    def _device(self) -> torch.device:
        return self._vae.pi_logits.device

    def _to(self, device: torch.device) -> None:
        for module in self._parts().values():
            module.to(device)

    def _fit_moments(self, pool: PoolBatches) -> None:
        """What is measured on the pool rather than trained."""
        self._density.fit(self._vae, pool)
        fit_latents(self._vae, pool)

    def _use_prior(self, name: Prior, trainer: Trainer) -> None:
        self.config = replace(self.config, prior=name)
        self._vae.use_prior(name, self.config)
        trainer.refit_prior()

    def _encode(self, x: NDArray[np.generic], temperature: float, of_pool: bool) -> Encoding:
        inputs, base = self._inputs(x)
        inference = self._vae.infer(inputs, base)
        top = inference.log_r.topk(self.config.top_m, dim=1)
        return Encoding(
            self._sparse(inference.log_r, temperature),
            inference.mean.cpu().numpy(),
            self._density.log_density(base, inference.log_r.exp() if of_pool else None).cpu().numpy(),
            self._outside(inputs).cpu().numpy(),
            self._sigma(inference.mean, top).flatten(1).mean(1).cpu().numpy(),
        )

    def _parts_of(self, x: NDArray[np.generic]) -> Iterator[NDArray[np.generic]]:
        """x in parts that pass through the nets at once."""
        size = self._backbone.rows_at_once
        return (x[start : start + size] for start in range(0, len(x), size))

    def _inputs(self, x: NDArray[np.generic]) -> tuple[Tensor, Tensor]:
        """Preprocessed items and their base representation."""
        inputs = self._backbone.inputs(torch.from_numpy(np.ascontiguousarray(x)).to(self._device))
        return inputs, self._backbone.base(inputs)

    def _sparse(self, log_r: Tensor, temperature: float) -> SparseResponsibilities:
        top = log_r.topk(self.config.top_m, dim=1)
        return SparseResponsibilities(
            indices=top.indices.int().cpu().numpy(),
            log_r=top.values.cpu().numpy(),
            log_z_soft=torch.logsumexp(log_r / temperature, 1).cpu().numpy(),
            n_components=self.config.n_components,
            temperature=temperature,
        )

    def _outside(self, inputs: Tensor) -> Tensor:
        return inputs.new_zeros(len(inputs)) if self._subspace is None else self._subspace.residual(inputs)

    def _sigma(self, mean: Tensor, top: torch.return_types.topk) -> Tensor:
        """(B, *input_shape) decoder sigma near the latent mean, averaged over the largest components by r.

        z is held within ALEATORIC_REACH standard deviations of the component's latents: an item that fits no component
        lies outside, where the decoder extrapolates, and would add what is not known to what is noise.
        """
        components = top.indices[:, :ALEATORIC_COMPONENTS]
        centre = self._vae.latent_mean[components]
        reach = ALEATORIC_REACH * (0.5 * self._vae.latent_log_variance[components]).exp()
        z = (mean[:, None] + self._vae.shift(components)).clamp(centre - reach, centre + reach)
        _, log_sigma = self._vae.decode(z, components)
        share = torch.softmax(top.values[:, :ALEATORIC_COMPONENTS], 1)
        return torch.einsum("bs,bs...->b...", share, log_sigma.exp())


def _unit(rows: Tensor) -> NDArray[np.float32]:
    return np.asarray(torch.nn.functional.normalize(rows.float(), dim=1).cpu().numpy())


def _tensors(state: Mapping[str, NDArray[np.generic]], prefix: str) -> dict[str, Tensor]:
    chosen = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    if not all(np.isfinite(value).all() for value in chosen.values()):
        raise ValueError(f"{prefix}* holds numbers that are not finite")
    return {name: torch.from_numpy(np.array(value)) for name, value in chosen.items()}
