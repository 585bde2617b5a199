"""What makes a new model usable before any training: clustering, and parameters set from moments."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor, nn

from ml_backend.core.batches import PoolBatches
from ml_backend.core.nets import component_rows
from ml_backend.core.preprocess import sample_rows
from ml_backend.core.priors import MixturePrior, VampPrior
from ml_backend.core.vae import FREE_BIAS, SAME, ComponentVAE

CLUSTERING_ROWS = 40_000
"""k-means sees at most so many rows; the others are assigned to its centres."""
COMPONENTS_PER_ITEM, COMPONENTS_PER_COPY = 2.0, 1.2
"""Initial softness of r: the median item spreads over so many components, exp(H(r)): among items that are alike, and
among copies of their component's centre. There is nothing to be unsure of in a copy: as soft as the others, a group of
log lines took its label from larger groups nearby (5 points of accuracy on Linux with 50 labels)."""


def place_components(vae: ComponentVAE, pool: PoolBatches, *, n_placed: int, seed: int) -> None:
    """Seeded k-means on the base representation -> prototypes, softness, pi and usage; free components stay aside.

    n_placed: how many of the K components k-means may use, 1..K.
    """
    base = pool.base.numpy()
    centres = kmeans_centres(base[sample_rows(len(base), CLUSTERING_ROWS, seed)], n_placed, seed)
    counts = np.bincount(nearest_centre(base, centres), minlength=len(centres))
    order = np.argsort(-counts, kind="stable")
    centres, counts = centres[order], counts[order]
    live = int((counts > 0).sum())
    prototypes = np.tile(base.mean(0), (vae.n_components, 1))
    prototypes[:live] = centres[:live]
    bias = np.full(vae.n_components, FREE_BIAS)
    bias[:live] = 0.0
    share = np.full(vae.n_components, 1e-6)
    share[:live] = counts[:live] / len(base)
    with torch.no_grad():
        vae.prototypes.copy_(torch.from_numpy(prototypes))
        vae.component_bias.copy_(torch.from_numpy(bias))
        vae.pi_logits.copy_(torch.from_numpy(np.log(share)))
        vae.usage.copy_(torch.from_numpy(share / share.sum()))
        sample = pool.base[sample_rows(len(base), 2048, seed)].to(vae.prototypes.device)
        apart = float((_squared_distance(sample, vae.prototypes[:live]) > SAME * sample.shape[1]).float().mean())
        spread = apart * COMPONENTS_PER_ITEM + (1.0 - apart) * COMPONENTS_PER_COPY
        vae.log_sharpness.fill_(_log_sharpness_for(vae, sample, spread))
    vae.drop_anchor()


def kmeans_centres(base: NDArray[np.float32], n_components: int, seed: int) -> NDArray[np.float32]:
    """(k, F) centres of base (N, F), no two on one place: k <= min(n_components, N), less where many rows are the same.

    Items between centres on one place would belong half to each, and no softness of r could tell them apart.
    """
    with warnings.catch_warnings():
        # Duplicates leave fewer distinct points than clusters.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = KMeans(min(n_components, len(base)), n_init=1, max_iter=25, random_state=seed).fit(base)
    return _distinct(np.asarray(fitted.cluster_centers_, dtype=np.float32))


def _distinct(centres: NDArray[np.float32]) -> NDArray[np.float32]:
    """The first of those that lie on one place; all others as they are."""
    same = cdist(centres, centres, "sqeuclidean") <= SAME * centres.shape[1]
    kept: NDArray[np.float32] = centres[~np.tril(same, -1).any(1)]
    return kept


def nearest_centre(base: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.int64]:
    """(N,) number of the nearest of the centres (k, F)."""
    half_norm = 0.5 * np.square(centres).sum(1)
    chunks = [np.argmax(base[i : i + 4096] @ centres.T - half_norm, 1) for i in range(0, len(base), 4096)]
    return np.concatenate(chunks)


def _squared_distance(base: Tensor, centres: Tensor) -> Tensor:
    """(B,) to the nearest of the centres (k, F); in double precision: copies are at rounding noise from each other."""
    return torch.cdist(base.double(), centres.double()).amin(1).square()


def _log_sharpness_for(vae: ComponentVAE, base: Tensor, spread: float) -> float:
    """By bisection, the log sharpness at which the median item spreads over so many components."""
    low, high = -12.0, 12.0
    for _ in range(40):
        middle = (low + high) / 2
        vae.log_sharpness.fill_(middle)
        log_r = torch.log_softmax(vae.component_logits(base), 1)
        median = (-(log_r.exp() * log_r).sum(1)).exp().median()
        low, high = (middle, high) if median > spread else (low, middle)
    return low if low > -12.0 else 0.0


@torch.no_grad()
def fit_templates(vae: ComponentVAE, pool: PoolBatches) -> None:
    """Start each component's decoder of vectors at the component's mean input."""
    table = getattr(vae.decoder, "template", None)
    if not isinstance(table, nn.Embedding):
        return
    total = torch.zeros_like(table.weight)
    mass = torch.zeros(vae.n_components, 1, device=total.device)
    for _, inputs, base in pool.chunks():
        r = vae.infer(inputs, base).log_r.exp()
        total += r.T @ inputs
        mass += r.sum(0)[:, None]
    component_rows(table, total / mass.clamp_min(1.0))


@torch.no_grad()
def fit_prior(vae: ComponentVAE, pool: PoolBatches) -> None:
    """Set the prior's parameters from the pool as the model sees it now: a new prior starts where the latents are."""
    if isinstance(vae.prior, MixturePrior):
        vae.prior.fit(*_aggregate_posterior(vae, pool))
    elif isinstance(vae.prior, VampPrior):
        inputs, _ = pool.take(medoids(vae, pool))
        vae.prior.pseudo_inputs.copy_(inputs)


@torch.no_grad()
def fit_latents(vae: ComponentVAE, pool: PoolBatches) -> None:
    """Remember where each component's latents lie in the pool: the decoder has learned nothing of elsewhere.

    A component of few items is drawn toward the pool's own moments, by the weight of one item. A mixture takes these
    moments as its own: they are its optimum, which its gradient only follows.
    """
    mean, variance = _aggregate_posterior(vae, pool)
    vae.latent_mean.copy_(mean)
    vae.latent_log_variance.copy_(variance.log())
    if isinstance(vae.prior, MixturePrior):
        vae.prior.fit(mean, variance)


def _aggregate_posterior(vae: ComponentVAE, pool: PoolBatches) -> tuple[Tensor, Tensor]:
    """Mean and variance (K, dz) of E_x[r_c(x) q(z|x,c)] / E_x[r_c(x)] (Makhzani et al. 2016), bounded."""
    first = torch.zeros_like(vae.latent_mean)
    second = torch.zeros_like(vae.latent_mean)
    mass = torch.zeros(vae.n_components, 1, device=first.device)
    for _, inputs, base in pool.chunks():
        inference = vae.infer(inputs, base)
        r = inference.log_r.exp()
        first += r.T @ inference.mean
        second += r.T @ (inference.mean.square() + inference.log_variance.exp())
        mass += r.sum(0)[:, None]
    # One unit of the pool's own moments per component keeps small components from collapsing.
    pooled_mean, pooled_second = first.sum(0) / mass.sum(), second.sum(0) / mass.sum()
    mean = (first + pooled_mean) / (mass + 1)
    variance = (second + pooled_second) / (mass + 1) - mean.square()
    return mean + vae.shift.weight, variance.clamp(0.01, 4.0)


@torch.no_grad()
def medoids(vae: ComponentVAE, pool: PoolBatches) -> NDArray[np.int64]:
    """(K,) row of the item nearest to each component's prototype."""
    best = torch.full((vae.n_components,), -torch.inf, device=vae.prototypes.device)
    row = torch.zeros(vae.n_components, dtype=torch.int64)
    for rows, inputs, base in pool.chunks():
        features = vae.features(vae.encoder(inputs), base)
        closeness = 2 * features @ vae.prototypes.T - features.square().sum(1, keepdim=True)
        value, position = closeness.max(0)
        better = (value > best).cpu()
        row[better] = torch.from_numpy(rows)[position.cpu()[better]]
        best = torch.maximum(best, value)
    return row.numpy()
