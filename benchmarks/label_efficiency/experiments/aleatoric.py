"""Noise apart from novelty, where the truth is known: noise on half of the pixels in half of the images, and a digit
that the model never met."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.label_efficiency.bench import Bench, Variant
from benchmarks.label_efficiency.experiments.experiment import Case, Experiment
from benchmarks.label_efficiency.experiments.training import train
from benchmarks.label_efficiency.store import SavedCell
from ml_backend.engine.simulation.metrics import auroc

SEEDS = 3
DIGITS = ("2", "5", "8")
"""The digit that is left out, by seed."""
ITEMS, TESTED = 10_000, 2000
NOISE = 100.0
"""Standard deviation in grey values, 0..255; clipped."""

Images = NDArray[np.uint8]


def cases(_data: str) -> list[Case]:
    """A digit a seed."""
    options = {"items": ITEMS, "tested": TESTED, "noise": NOISE}
    return [
        Case(f"seed{seed}", {"seed": seed, "left_out": DIGITS[seed % len(DIGITS)], **options}) for seed in range(SEEDS)
    ]


def run(bench: Bench, case: Case) -> SavedCell:
    """Train on a half noisy pool without the digit; ask about held-back images, clean and noisy, and the digit.

    sigma_ratio: mean sigma in the noisy half of noisy images over that of the same pixels in clean ones.
    sigma_ratio_elsewhere: over that of the other pixels of the same images. auroc_noisy: novelty of noisy against clean
    images. auroc_digit: of the missing digit against clean known ones. sigma_change: of its mean sigma, relative.
    """
    seed, tested = case.options["seed"], case.options["tested"]
    random = np.random.default_rng(seed)
    problem = bench.problem(Variant(case.options["items"], ood_labels=(case.options["left_out"],)))
    mask = right_half(problem.pool.shape)
    noisy = random.permutation(len(problem.pool)) < len(problem.pool) // 2
    pool = problem.pool.copy()
    pool[noisy] = with_noise(pool[noisy], mask, case.options["noise"], random)
    trained = train(pool, None, seed, bench.loop)

    order = random.permutation(len(problem.test))[: 2 * tested]
    clean, to_spoil = problem.test[order[: len(order) // 2]], problem.test[order[len(order) // 2 :]]
    spoilt = with_noise(to_spoil, mask, case.options["noise"], random)
    digit = problem.ood[random.permutation(len(problem.ood))[:tested]]
    sigma = {name: trained.pool.model.sigma(x).mean(0) for name, x in (("clean", clean), ("noisy", spoilt))}
    said = {name: trained.pool.describe_new(x) for name, x in (("clean", clean), ("noisy", spoilt), ("digit", digit))}
    novelty = {name: -described.novelty for name, described in said.items()}
    level = {name: float(described.aleatoric.mean()) for name, described in said.items()}
    there = float(sigma["noisy"][mask].mean())
    return SavedCell(
        {
            "sigma_ratio": there / float(sigma["clean"][mask].mean()),
            "sigma_ratio_elsewhere": there / float(sigma["noisy"][~mask].mean()),
            "auroc_noisy": auroc(novelty["clean"], novelty["noisy"]),
            "auroc_digit": auroc(novelty["clean"], novelty["digit"]),
            "sigma_change": level["digit"] / level["clean"] - 1.0,
        },
        {
            "sigma_clean": sigma["clean"][0],
            "sigma_noisy": sigma["noisy"][0],
            "example_clean": clean[0, 0],
            "example_noisy": spoilt[0, 0],
            "example_digit": digit[0, 0],
            "novelty_clean": novelty["clean"],
            "novelty_noisy": novelty["noisy"],
            "novelty_digit": novelty["digit"],
            "aleatoric_clean": said["clean"].aleatoric,
            "aleatoric_noisy": said["noisy"].aleatoric,
            "aleatoric_digit": said["digit"].aleatoric,
        },
    )


def right_half(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(C, H, W) True where the noise is."""
    mask = np.zeros(shape[1:], bool)
    mask[..., shape[-1] // 2 :] = True
    return mask


def with_noise(images: Images, mask: NDArray[np.bool_], noise: float, random: np.random.Generator) -> Images:
    """Gaussian noise of that standard deviation where the mask says so."""
    added = images + noise * mask * random.standard_normal(images.shape, dtype=np.float32)
    return np.clip(added, 0, 255).astype(np.uint8)


EXPERIMENT = Experiment("aleatoric", ("mnist",), cases, run)
