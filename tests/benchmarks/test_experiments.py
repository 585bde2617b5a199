"""Each experiment asks what it says: the problems it makes are as described, and its figures have a known truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import entropy

from benchmarks.label_efficiency.bench import Bench
from benchmarks.label_efficiency.experiments import (
    EXPERIMENTS,
    Case,
    ablations,
    aleatoric,
    digits,
    groups,
    interactive,
    lifted,
    mislabel,
    unknown,
    usage,
)
from benchmarks.label_efficiency.experiments.training import continue_training
from benchmarks.label_efficiency.plan import Plan
from benchmarks.label_efficiency.plots import write_plots
from benchmarks.label_efficiency.running import DataResult
from benchmarks.label_efficiency.store import Store
from ml_backend.core.hyperparameters import PRIORS, usual_epochs
from ml_backend.core.labels import LabelSet
from ml_backend.core.responsibilities import SparseResponsibilities
from ml_backend.engine.pool import Pool, PoolSettings
from tests.benchmarks.small import LOOP, save_blobs
from tests.engine.labelled_blobs import blob_problem


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("blobs")
    return Bench(save_blobs(folder, n=120), Store(folder / "cells"), LOOP)


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Named as digits are: pictures 8 x 8 of classes "0", "1", "2", a bright bar in another place each, with noise."""
    random = np.random.default_rng(0)
    y = np.arange(240) % 3
    x = random.normal(40.0, 10.0, size=(240, 8, 8))
    for item, kind in enumerate(y):
        x[item, :, 1 + 2 * kind] += 150.0
    folder = tmp_path_factory.mktemp("bars")
    split = np.where(np.arange(240) < 180, "train", "test")
    np.savez(folder / "mnist.npz", x=np.clip(x, 0, 255).astype(np.uint8), y=y.astype(str), split=split)
    return Bench(folder / "mnist.npz", Store(folder / "cells"), LOOP)


def run(experiment: str, bench: Bench, **options: Any) -> dict[str, Any]:
    """Figures of one cell of an experiment."""
    return dict(EXPERIMENTS[experiment].ensure(bench, Case("case", options)).figures)


def test_names_of_cases_are_unique_and_all_are_for_known_data() -> None:
    for experiment in EXPERIMENTS.values():
        for data in experiment.data:
            names = [case.name for case in experiment.cases(data)]
            assert len(set(names)) == len(names) > 0


@pytest.mark.slow
def test_epochs_that_nobody_chose_suit_the_pool(blobs: Bench) -> None:
    loop = replace(LOOP, epochs=None)
    pool = Pool.create(blobs.problem().pool, loop.pool, seed=0)
    continue_training(pool, [], 0, loop, runs=1)
    assert pool.model.epochs_done == usual_epochs(len(pool))


def test_a_finished_cell_is_not_done_again(blobs: Bench) -> None:
    case = Case("again", {"labels": 8, "flipped": 0.25, "seed": 0})
    experiment = EXPERIMENTS["mislabel"]
    first = experiment.ensure(blobs, case)
    path = blobs.store.folder / f"{experiment.key(blobs, case).path}.json"
    before = path.stat().st_mtime_ns
    assert experiment.ensure(blobs, case).figures == first.figures
    assert path.stat().st_mtime_ns == before


@pytest.mark.slow
def test_strangers_far_away_are_told_apart_by_every_distance(blobs: Bench) -> None:
    figures = run("unknown", blobs, kind="oos", seed=0, labels=16)
    assert {name for name in figures if name.startswith("auroc")} == {f"auroc_{name}" for name in SCORES}
    assert min(figures[f"auroc_{name}"] for name in ("novelty", "knn1", "knn10", "centroids")) > 0.9
    assert set(run("unknown", blobs, kind="pool", seed=0, labels=16)) == {
        f"{figure}_{score}" for figure in ("auroc", "fpr95") for score in ("novelty", "s_ood")
    }


SCORES = ("novelty", "s_ood", "s_ood_exact", "knn1", "knn10", "centroids", "logreg")


@pytest.mark.slow
def test_a_class_that_is_left_out_is_novel(blobs: Bench) -> None:
    figures = run("unknown", blobs, kind="left_out", seed=0, labels=16, left_out=1)
    assert figures["auroc_knn1"] > 0.8
    assert figures["auroc_novelty"] > 0.7


def test_thinned_classes_are_their_share_of_the_pool() -> None:
    problem, _ = blob_problem(n=400)
    thinned, rare = groups.thinned(problem, 2, 0.1, seed=0)
    assert len(rare) == 2
    counts = {name: int(np.sum(thinned.pool_truth == name)) for name in np.unique(thinned.pool_truth)}
    assert sum(counts[name] for name in rare) / len(thinned.pool) == pytest.approx(0.1, abs=0.01)
    assert len({counts[name] for name in rare}) == 1
    for name in set(counts) - rare:
        assert counts[name] == np.sum(problem.pool_truth == name)


@pytest.mark.slow
def test_the_queue_finds_clear_rare_groups(blobs: Bench) -> None:
    figures = run("groups", blobs, seed=0, labels=20, groups=1, share=0.2)
    assert figures["found"] == figures["groups"] == 1


def test_a_lift_keeps_distances_but_for_its_noise() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
    lifted_rows = lifted.Lift(6, 30, 0.0, seed=1)(rows)
    assert lifted_rows.shape == (20, 30)
    assert np.allclose(lifted_rows @ lifted_rows.T, rows @ rows.T, atol=1e-4)
    noisy = lifted.Lift(6, 30, 0.5, seed=1)(rows)
    added = np.square(noisy).sum(axis=1) - np.square(rows).sum(axis=1)
    assert added.mean() == pytest.approx(24 * 0.25, rel=0.2)


@pytest.mark.slow
def test_lifted_accuracy_is_compared_with_the_same_seed(blobs: Bench) -> None:
    figures = run("lifted", blobs, seed=0, labels=16, dimensions=24, noise=0.01)
    assert figures["difference"] == pytest.approx(figures["accuracy_lifted"] - figures["accuracy_as_given"])
    assert abs(figures["difference"]) < 0.2


def test_flipped_labels_are_wrong_and_as_many_as_asked_for() -> None:
    targets = np.eye(4)[np.arange(40) % 4]
    labels = LabelSet("label", tuple("abcd"), np.arange(40), targets)
    flipped, wrong = mislabel.flip(labels, 0.25, seed=0)
    assert wrong.sum() == 10
    assert np.array_equal(flipped.targets.argmax(axis=1) != targets.argmax(axis=1), wrong)


@pytest.mark.slow
def test_wrong_labels_are_suspected(blobs: Bench) -> None:
    figures = run("mislabel", blobs, seed=0, labels=40, flipped=0.1)
    assert figures["chance"] == pytest.approx(0.1)
    assert figures["average_precision"] > 0.5


@pytest.mark.slow
def test_priors_and_ablations_start_from_the_same_model_and_labels(blobs: Bench) -> None:
    options = {"labels": 12, "items": None, "seed": 0, "runs": 1}
    priors = run("priors", blobs, priors=list(PRIORS), **options)
    parts = run("ablations", blobs, variants=list(ablations.VARIANTS), **options)
    assert set(priors) == set(PRIORS)
    assert set(parts) == set(ablations.VARIANTS)
    assert all(found["accuracy_test"] > 0.6 for found in (*priors.values(), *parts.values()))
    assert priors[PoolSettings().prior] == parts["as it is"]
    assert len({found["evidence"] for found in priors.values()}) == len(PRIORS)
    assert parts["no reconstruction"]["evidence"] < parts["as it is"]["evidence"]


def test_noise_lies_on_the_right_half_only() -> None:
    images = np.full((5, 1, 6, 8), 100, np.uint8)
    mask = aleatoric.right_half(images.shape)
    spoilt = aleatoric.with_noise(images, mask, 30.0, np.random.default_rng(0))
    assert np.array_equal(spoilt[..., :4], images[..., :4])
    assert spoilt[..., 4:].std() == pytest.approx(30.0, rel=0.25)


@pytest.mark.slow
def test_pictures(bars: Bench) -> None:
    figures = run("digits", bars, left_out="2", labels=12, items=200)
    assert figures["auroc_novelty"] > 0.65
    figures = run("usage", bars, kind="later", digit="2", seed=0, items=200, old=8)
    assert figures["own"] >= 1
    assert figures["covered"] > 0.9
    assert figures["right_with_one_label"] > 0.5
    effective = run("usage", bars, kind="rising", weights=[0.0, 4.0], seed=0, items=200)
    assert all(1.0 <= effective[weight] <= 8.0 + 1e-6 for weight in ("0.0", "4.0"))
    figures = run("interactive", bars, device="cpu", labels=12)
    assert figures["first_queue_seconds"] > 0
    assert figures["accuracy_test"] > 0.9
    assert figures["plain_ratio"] == pytest.approx(figures["epoch_seconds"] / figures["plain_epoch_seconds"])


@pytest.mark.slow
def test_noise_apart_from_novelty_has_a_figure(bars: Bench, tmp_path: Path) -> None:
    case = aleatoric.EXPERIMENT.cases(bars.name)[0]
    assert case.options["left_out"] == "2"
    assert aleatoric.EXPERIMENT.ensure(bars, case).figures["auroc_digit"] > 0.6
    plan = Plan.of(bars.name, loop=LOOP)
    [drawn] = write_plots([DataResult(bars.name, plan, {})], [bars], tmp_path)
    assert drawn.name == "mnist.aleatoric.png"
    assert drawn.read_bytes().startswith(b"\x89PNG")


def test_effective_components_are_the_exponent_of_the_entropy() -> None:
    logits = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]], np.float32))
    r = SparseResponsibilities.from_logits(logits, top_m=3, temperature=1.0)
    assert usage.effective_components(r) == pytest.approx(np.exp(entropy([0.4, 0.5, 0.1])), rel=1e-5)


def test_own_components_are_those_with_most_of_their_mass_from_the_members() -> None:
    logits = np.log(np.array([[0.98, 0.01, 0.01]] * 3 + [[0.01, 0.98, 0.01]] * 3 + [[0.01, 0.01, 0.98]], np.float32))
    r = SparseResponsibilities.from_logits(logits, top_m=3, temperature=1.0)
    members = np.array([True, True, False, True, False, False, False])
    assert usage.own_components(r, members).tolist() == [0]


def test_data_sets_are_found_by_the_beginning_of_their_name() -> None:
    assert unknown.EXPERIMENT.fits("clinc150")
    assert not digits.EXPERIMENT.fits("clinc150")
    assert interactive.EXPERIMENT.alone
