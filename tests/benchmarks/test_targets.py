"""Every floor can be missed: for each, figures on its good side and on its bad side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.label_efficiency.experiments import EXPERIMENTS
from benchmarks.label_efficiency.plan import Plan
from benchmarks.label_efficiency.readme import read_results
from benchmarks.label_efficiency.results import Results
from benchmarks.label_efficiency.targets import Verdict, verdicts
from ml_backend.engine.pool import PoolSettings
from ml_backend.engine.simulation import LoopSettings
from tests.benchmarks.small import results, row

COMMITTED = Path(__file__).parents[2] / "benchmarks" / "results.json"
DISTANCES = {"auroc_knn1": 0.80, "auroc_knn10": 0.82, "auroc_centroids": 0.85}
OUT_OF_SCOPE = {"auroc_novelty": 0.97, "auroc_knn1": 0.96, "auroc_knn10": 0.96, "auroc_s_ood": 0.96}
NOISE = {"sigma_ratio": 2.1, "auroc_noisy": 0.5, "auroc_digit": 0.9, "sigma_change": -0.1}
LATER = {"covered": 0.9, "right_with_one_label": 0.9}
CHOSEN = PoolSettings().prior
OTHER = next(prior for prior in ("standard", "mixture") if prior != CHOSEN)


def of_experiment(name: str, data: str, **cases: dict[str, float]) -> Results:
    """A document with this experiment alone."""
    return results([], data, **{name: {data: cases}})


def of_rows(data: str, *rows: dict[str, Any]) -> Results:
    """A document with these rows of the main table alone."""
    return results(list(rows), data)


def unknown(**figures: float) -> Results:
    return of_experiment("unknown", "clinc150", **{"oos.seed0": {**OUT_OF_SCOPE, **figures}})


def noise(**figures: float) -> Results:
    return of_experiment("aleatoric", "mnist", seed0={**NOISE, **figures})


def later(**figures: float) -> Results:
    return of_experiment("usage", "mnist", **{"later.digit4": {**LATER, **figures}})


def digits(**by_digit: float) -> Results:
    pixels = {"auroc_knn1": 0.9, "auroc_knn10": 0.88}
    return of_experiment("digits", "mnist", **{d: {"auroc_novelty": value, **pixels} for d, value in by_digit.items()})


def left_out(novelty: float) -> Results:
    return of_experiment("unknown", "clinc150", **{"left_out.draw0": {"auroc_novelty": novelty, **DISTANCES}})


def with_others_in_the_pool(novelty: float) -> Results:
    cases = {"oos.seed0": OUT_OF_SCOPE, "pool.seed0": {**OUT_OF_SCOPE, "auroc_novelty": novelty}}
    return of_experiment("unknown", "clinc150", **cases)


def a_third(accuracy: float) -> Results:
    ours, theirs = (
        row("lantern", 0, 333, accuracy_test=accuracy),
        row("random+logreg", 0, 1000, accuracy_test=0.86),
    )
    return of_rows("clinc150", ours, theirs)


def against(method: str, theirs: float) -> Results:
    return of_rows("x", row("lantern", 0, 9, accuracy_test=0.9), row(method, 0, 9, accuracy_test=theirs))


def ours(data: str, budget: int, **figures: float) -> Results:
    return of_rows(data, row("lantern", 0, budget, **figures))


def priors(accuracy: float, evidence: float) -> Results:
    ours = {"accuracy_test": accuracy, "evidence": evidence}
    theirs = {"accuracy_test": 0.8, "evidence": -9.0}
    return results([], "mnist", priors={"mnist": {"seed0": {CHOSEN: ours, OTHER: theirs}}})


def frequent(accuracy: float) -> Results:
    return ours("loghub_x", 100, accuracy_pool=accuracy, covered=0.8)


def flagged(share: float) -> Results:
    return ours("mnist", 100, accuracy_test=0.9, flagged=share)


def one(experiment: str, **figures: float) -> Results:
    return of_experiment(experiment, "clinc150", cpu=figures)


def rising(after: float) -> Results:
    return of_experiment("usage", "mnist", **{"rising.seed0": {"0.0": 90.0, "0.05": after}})


def waiting(data: str, seconds: float) -> Results:
    return of_experiment("interactive", data, cpu={"first_queue_seconds": seconds})


def beside_plain(ratio: float) -> Results:
    return of_experiment("interactive", "mnist", cpu={"plain_ratio": ratio})


def devices(cuda: float) -> Results:
    return of_experiment("interactive", "mnist", cpu={"accuracy_test": 0.95}, cuda={"accuracy_test": cuda})


JUDGED: list[tuple[str, Results, Results]] = [
    ("accuracy with", ours("clinc150", 300, accuracy_test=0.85), ours("clinc150", 300, accuracy_test=0.84)),
    ("frequent templates", frequent(0.75), frequent(0.74)),
    ("best baseline", against("margin+logreg", 0.9), against("margin+logreg", 0.91)),
    ("lead over `medoid+gmm+tau`", against("medoid+gmm+tau", 0.89), against("medoid+gmm+tau", 0.9)),
    ("lead over `lantern+gmm+tau`", against("lantern+gmm+tau", 0.9), against("lantern+gmm+tau", 0.91)),
    ("lead with 333", a_third(0.86), a_third(0.85)),
    ("scope: AUROC of novelty", unknown(), unknown(auroc_novelty=0.96)),
    ("better of kNN", unknown(), unknown(auroc_knn10=0.98)),
    ("AUROC of s_OOD", unknown(), unknown(auroc_s_ood=0.94)),
    ("loss with others in the pool", with_others_in_the_pool(0.967), with_others_in_the_pool(0.96)),
    ("intents left out", left_out(0.86), left_out(0.84)),
    ("mean AUROC, floor = pixel kNN", digits(zero=0.94, one=0.94), digits(zero=0.92, one=0.93)),
    ("worst digit", digits(zero=0.99, one=0.75), digits(zero=0.99, one=0.74)),
    ("p-value", flagged(0.06), flagged(0.061)),
    ("calibration error", ours("mnist", 100, ece=0.05), ours("mnist", 100, ece=0.051)),
    ("rare intents", one("groups", found=12), one("groups", found=11)),
    ("1,536-D", one("lifted", difference=-0.009), one("lifted", difference=-0.011)),
    ("wrong labels", one("mislabel", average_precision=0.6), one("mislabel", average_precision=0.59)),
    ("sigma where there is noise", noise(), noise(sigma_ratio=1.9)),
    ("noisy against clean", noise(), noise(auroc_noisy=0.61)),
    ("missing digit against clean", noise(), noise(auroc_digit=0.79)),
    ("change of mean sigma", noise(), noise(sigma_change=-0.21)),
    ("effective number of components", rising(89.0), rising(90.0)),
    ("came later in components of its own", later(), later(covered=0.4)),
    ("with its own label after one label", later(), later(right_with_one_label=0.4)),
    ("over the others in accuracy", priors(0.8, -9.0), priors(0.79, -8.9)),
    ("over the others in evidence", priors(0.79, -8.9), priors(0.8, -9.0)),
    ("clinc150: seconds from nothing", waiting("clinc150", 19.0), waiting("clinc150", 21.0)),
    ("mnist: seconds from nothing", waiting("mnist", 149.0), waiting("mnist", 151.0)),
    ("seconds of an epoch", one("interactive", epoch_seconds=4.9), one("interactive", epoch_seconds=5.1)),
    ("that of a plain VAE", beside_plain(2.4), beside_plain(2.6)),
    ("CUDA", devices(0.955), devices(0.93)),
]


def verdict_of(found: Results, words: str) -> Verdict:
    [verdict] = [verdict for verdict in verdicts(found) if words in verdict.what]
    return verdict


@pytest.mark.parametrize(("words", "good", "bad"), JUDGED, ids=[words for words, _, _ in JUDGED])
def test_a_floor_is_met_on_its_good_side_only(words: str, good: Results, bad: Results) -> None:
    assert verdict_of(good, words).met
    assert not verdict_of(bad, words).met


def test_every_floor_of_the_committed_results_is_among_them() -> None:
    """A verdict that is not listed above could be one that nothing misses."""
    judged = verdicts(read_results(COMMITTED))
    assert {words for words, _, _ in JUDGED if any(words in verdict.what for verdict in judged)} >= ALWAYS
    for verdict in judged:
        assert any(words in verdict.what for words, _, _ in JUDGED), verdict.what


ALWAYS = {words for words, _, _ in JUDGED} - {"CUDA"}
"""CUDA: where there is one."""


def test_the_committed_results_have_every_figure_of_the_plan() -> None:
    """What is missing would not be judged, and nobody would see it."""
    found = read_results(COMMITTED)
    assert set(found.data) == {"clinc150", "mnist", "loghub_android", "loghub_linux", "loghub_mac"}
    for data in found.data:
        plan = Plan.of(data, budgets=[], seeds=None, methods=[], pool_items=None, loop=LoopSettings())
        for method in plan.methods:
            for budget in plan.budgets_of(method):
                assert len(found.values(data, method, budget, "seconds")) == plan.seeds, (data, method, budget)
        for name, experiment in EXPERIMENTS.items():
            planned = {case.name for case in experiment.cases(data)} if experiment.fits(data) else set()
            measured: dict[str, Any] = found.document["experiments"][name].get(data, {})
            assert planned <= set(measured), (name, data)
