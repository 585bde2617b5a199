"""Components for data that came later: where new items are far from every component, free ones are placed on them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ml_backend.core.batches import PoolBatches
from ml_backend.core.initialise import kmeans_centres, nearest_centre
from ml_backend.core.nets import ImageDecoder, VectorDecoder
from ml_backend.core.priors import MixturePrior, VampPrior
from ml_backend.core.vae import ComponentVAE

FAR_QUANTILE = 0.95
"""An item is far when its distance to the nearest component exceeds that of so many of the older items."""
FAR_SHARE = 0.15
"""Three times what chance puts beyond FAR_QUANTILE: fewer far ones are the edge of what is known, not a new group."""
LEAST_FAR = 8
"""So few far items may be accidents; they wait for others of their kind."""
IN_USE_MASS = 0.5
"""Items' worth of responsibility from which a component counts as used."""
CHUNK = 4096
SMALL_SHARE = 0.25
"""A component with less than this of the mean used component's mass gives way when the free ones do not suffice."""


@torch.no_grad()
def claim_components(vae: ComponentVAE, pool: PoolBatches, first_new: int, seed: int) -> NDArray[np.int64]:
    """Place free components on the new items that no component explains; ids (n,) of those taken, n may be 0.

    first_new: rows from here on came after the components were placed. The far items get as many components as they
    would have got, had they been there from the beginning. Used components keep ids and places, but for the smallest.
    """
    mass = _mass(vae, pool.base[:first_new])
    used = mass >= IN_USE_MASS
    far = _far_rows(vae.anchor_prototypes[torch.from_numpy(used)].cpu(), pool.base, first_new)
    if len(far) < max(LEAST_FAR, FAR_SHARE * (len(pool) - first_new)):
        return np.empty(0, dtype=np.int64)
    mean_mass = float(mass[used].mean())
    available = np.argsort(mass, kind="stable")[: int((mass < SMALL_SHARE * mean_mass).sum())]
    if not len(available):
        return np.empty(0, dtype=np.int64)
    base = pool.base[far].numpy()
    centres = kmeans_centres(base, max(1, min(len(available), round(len(far) / mean_mass))), seed)
    members = nearest_centre(base, centres)
    groups = np.unique(members)  # copies leave clusters empty
    taken = available[: len(groups)]
    bias = vae.component_bias[torch.from_numpy(used)].mean(), vae.anchor_bias[torch.from_numpy(used)].mean()
    for group, component in zip(groups, taken, strict=True):
        _place(vae, pool, int(component), far[members == group], bias)
    vae.usage.div_(vae.usage.sum())
    return taken


def _mass(vae: ComponentVAE, base: Tensor) -> NDArray[np.float64]:
    """(K,) items' worth of anchored responsibility."""
    total = torch.zeros(vae.n_components, dtype=torch.float64)
    for part in torch.split(base, CHUNK):
        total += vae.anchored_log_r(part.to(vae.prototypes.device)).exp().sum(0).double().cpu()
    return total.numpy()


def _far_rows(prototypes: Tensor, base: Tensor, first_new: int) -> NDArray[np.int64]:
    """New rows that are farther from every prototype than FAR_QUANTILE of the older rows."""
    distance = torch.cat([torch.cdist(part, prototypes).amin(1) for part in torch.split(base, CHUNK)]).numpy()
    limit = np.quantile(distance[:first_new], FAR_QUANTILE)
    return first_new + np.flatnonzero(distance[first_new:] > limit)


def _place(
    vae: ComponentVAE, pool: PoolBatches, component: int, rows: NDArray[np.int64], bias: tuple[Tensor, Tensor]
) -> None:
    """Make the component as clustering would have made it for these rows; bias: of used components, and anchored."""
    inputs, base = pool.take(rows)
    hidden = vae.encoder(inputs)
    centre = vae.features(hidden, base).mean(0)
    vae.prototypes[component], vae.anchor_prototypes[component] = centre, base.mean(0)
    vae.component_bias[component], vae.anchor_bias[component] = bias
    share = len(rows) / len(pool)
    vae.usage[component] = share
    vae.pi_logits[component] = torch.logsumexp(vae.pi_logits, 0) + np.log(share)
    vae.shift.weight[component] = 0.0
    _place_decoder(vae.decoder, component, inputs)
    _place_prior(vae, component, inputs, hidden, base)


def _place_decoder(decoder: nn.Module, component: int, inputs: Tensor) -> None:
    assert isinstance(decoder, VectorDecoder | ImageDecoder)
    decoder.component.weight[component] = 0.0
    if isinstance(decoder, VectorDecoder):
        decoder.template.weight[component] = inputs.mean(0)


def _place_prior(vae: ComponentVAE, component: int, inputs: Tensor, hidden: Tensor, base: Tensor) -> None:
    if isinstance(vae.prior, MixturePrior):
        latent = vae.to_mean(hidden)
        variance = latent.var(0, unbiased=False) if len(latent) > 1 else torch.ones_like(latent[0])
        vae.prior.mean[component] = latent.mean(0)
        vae.prior.raw_log_variance[component] = variance.clamp(0.01, 4.0).log()
    elif isinstance(vae.prior, VampPrior):
        medoid = (base - base.mean(0)).square().sum(1).argmin()
        vae.prior.pseudo_inputs[component] = inputs[medoid]
