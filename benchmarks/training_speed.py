"""Epoch seconds, time to a new model, and peak memory of the component model, against their budgets.

    python -m benchmarks.training_speed [--images 60000] [--threads 2]

Synthetic data, so nothing is downloaded. Each row runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import numpy as np
import torch
from numpy.typing import NDArray

from ml_backend.core.batches import PoolBatches
from ml_backend.core.hyperparameters import ModelConfig, Phase, RunConfig
from ml_backend.core.labels import LabelSet
from ml_backend.core.losses import gaussian_nll
from ml_backend.core.model import ComponentModel, TrainingData
from ml_backend.core.priors import gaussian_kl

Figures = dict[str, float]
PLAIN_RATIO = 2.5
"""An epoch of images may take so many times that of a plain VAE with the same nets."""


def peak_mb() -> float:
    """Peak resident memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


Items = NDArray[np.float32] | NDArray[np.uint8]


def vectors(n: int, dim: int) -> NDArray[np.float32]:
    """Unit-length vectors (n, dim) around 150 directions."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(150, dim)).astype(np.float32)
    x = np.empty((n, dim), np.float32)
    for start in range(0, n, 4096):
        rows = np.arange(start, min(start + 4096, n))
        chunk = centres[rows % 150] + 0.7 * random.standard_normal((len(rows), dim), dtype=np.float32)
        x[rows] = chunk / np.linalg.norm(chunk, axis=1, keepdims=True)
    return x


def pictures(n: int) -> NDArray[np.uint8]:
    """Grey pictures (n, 1, 28, 28) uint8: two soft blobs each."""
    random = np.random.default_rng(0)
    grid = np.arange(28, dtype=np.float32)
    x = np.zeros((n, 28, 28), np.float32)
    for _ in range(2):
        place = random.uniform(6, 22, size=(n, 2, 1)).astype(np.float32)
        rows = np.exp(-(((grid - place[:, 0]) / 3) ** 2))
        x += rows[:, :, None] * np.exp(-(((grid - place[:, 1]) / 3) ** 2))[:, None, :]
    return (np.clip(x, 0, 1) * 255).astype(np.uint8)[:, None]


def data_for(x: Items) -> TrainingData:
    """Random neighbours and 300 labels: the cost does not depend on what they say."""
    random = np.random.default_rng(0)
    neighbours = random.integers(0, len(x), size=(len(x), 15), dtype=np.int32)
    rows = np.sort(random.choice(len(x), 300, replace=False))
    targets = np.eye(150)[random.integers(0, 150, size=300)]
    return TrainingData(x, neighbours, (LabelSet("kind", tuple(map(str, range(150))), rows, targets),))


def measure(x: Items, n_components: int, latent_dim: int) -> tuple[ComponentModel, Figures]:
    """Create, two epochs of phase 3, encode."""
    config = ModelConfig(input_shape=x.shape[1:], n_components=n_components, latent_dim=latent_dim)
    start = time.perf_counter()
    model = ComponentModel.create(config, x, seed=0)
    created, created_mb = time.perf_counter(), peak_mb()
    ends: list[float] = []
    run = RunConfig(epochs=2, phase=Phase.LABELS)
    model.train(data_for(x), run, on_epoch=lambda _: ends.append(time.perf_counter()))
    trained, trained_mb = time.perf_counter(), peak_mb()
    model.encode(x)
    return model, {
        "create_seconds": created - start,
        # The second epoch: the first one of a process also pays for imports.
        "epoch_seconds": ends[1] - ends[0],
        "encode_seconds": time.perf_counter() - trained,
        "create_peak_mb": created_mb,
        "train_peak_mb": trained_mb,
        "peak_mb": peak_mb(),
    }


def plain_epoch_seconds(model: ComponentModel, x: Items) -> float:
    """One epoch of a VAE without components: the same encoder and decoder, one decode an item."""
    vae = model._vae
    device = vae.pi_logits.device
    pool = PoolBatches(model._backbone, x, device)
    optimiser = torch.optim.Adam(vae.parameters(), lr=1e-3)
    order = np.random.default_rng(0).permutation(len(x))
    start = time.perf_counter()
    for begin in range(0, len(x), 256):
        inputs, _ = pool.take(order[begin : begin + 256])
        component = torch.zeros(len(inputs), dtype=torch.int64, device=device)
        mean, log_variance = vae.posterior(inputs, component)
        z = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        decoded, log_sigma = vae.decode(z, component)
        zeros = torch.zeros_like(mean)
        kl = gaussian_kl(mean, log_variance, zeros, zeros).mean()
        loss = gaussian_nll(inputs, decoded, log_sigma).flatten(1).sum(1).mean() + kl
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
    if device.type == "cuda":  # what was asked of it is not done yet
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def vector_case(n: int, dim: int) -> Figures:
    """K = 512, 32 latent dimensions."""
    return measure(vectors(n, dim), 512, 32)[1]


def image_case(n: int) -> Figures:
    """K = 512, 16 latent dimensions, beside a plain VAE."""
    x = pictures(n)
    model, figures = measure(x, 512, 16)
    figures["ratio"] = figures["epoch_seconds"] / plain_epoch_seconds(model, x)
    return figures


def _child(case: Callable[..., Figures], arguments: tuple[int, ...], threads: int, connection: Connection) -> None:
    torch.set_num_threads(threads)
    connection.send(case(*arguments))


def run_apart(case: Callable[..., Figures], arguments: tuple[int, ...], threads: int) -> Figures:
    """In a fresh process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(case, arguments, threads, theirs))
    process.start()
    theirs.close()
    figures: Figures = ours.recv()
    process.join()
    return figures


def main() -> int:
    """Print the table; status 1 when a budget is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    cases: list[tuple[str, Callable[..., Figures], tuple[int, ...], Figures]] = [
        ("20,000 x 384", vector_case, (20_000, 384), {"epoch_seconds": 6}),
        ("20,000 x 1,536", vector_case, (20_000, 1536), {"epoch_seconds": 10}),
        ("100,000 x 384", vector_case, (100_000, 384), {"peak_mb": 1024}),
        (f"{options.images:,} x 28 x 28", image_case, (options.images,), {"create_seconds": 120, "ratio": PLAIN_RATIO}),
    ]
    missed = False
    for name, case, arguments, budgets in cases:
        figures = run_apart(case, arguments, options.threads)
        print(f"{name:>16}  " + "  ".join(f"{key} {value:.1f}" for key, value in figures.items()), flush=True)
        for key, budget in budgets.items():
            missed |= figures[key] > budget
            print(f"{'':>16}  {key}: {figures[key]:.1f} of {budget}: {'missed' if figures[key] > budget else 'met'}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
