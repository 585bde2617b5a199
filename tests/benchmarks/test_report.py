"""The report's arithmetic: differences are paired by seed, floors are judged as the issue puts them."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmarks.label_efficiency.checkout import checkout
from benchmarks.label_efficiency.readme import BEGIN, END, main, read_results, section, with_section
from benchmarks.label_efficiency.report import to_markdown, verdict_table
from benchmarks.label_efficiency.results import Results, flagged
from benchmarks.label_efficiency.targets import Verdict, verdicts
from ml_backend.core.hyperparameters import PRIORS
from ml_backend.engine.pool import PoolSettings
from ml_backend.errors import InputError
from tests.benchmarks.small import results, row

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "benchmarks" / "results.json"


def two_methods() -> Results:
    ours, theirs = (0.9, 0.7, 0.8), (0.8, 0.6, 0.75)
    rows = [row("lantern", seed, 5, accuracy_pool=value) for seed, value in enumerate(ours)]
    return results(rows + [row("random+knn", seed, 5, accuracy_pool=value) for seed, value in enumerate(theirs)])


def test_differences_are_paired_by_seed() -> None:
    found = two_methods().difference("blobs", "random+knn", 5, "accuracy_pool")
    assert found is not None
    differences = np.array([0.1, 0.1, 0.05])
    assert found.mean == pytest.approx(differences.mean())
    assert found.error == pytest.approx(differences.std(ddof=1) / 3**0.5)
    assert two_methods().difference("blobs", "random+knn", 5, "accuracy_test") is None
    text = to_markdown(two_methods())
    assert "| `random+knn` | 0.717 ± 0.104 | +0.083 ± 0.017 |" in text
    assert "Inductive" not in text


def test_only_seeds_that_both_have_are_compared() -> None:
    rows = [row("lantern", 0, 5, accuracy_test=0.9), row("lantern", 1, 5, accuracy_test=0.5)]
    found = results([*rows, row("random+knn", 1, 5, accuracy_test=0.4)]).difference(
        "blobs", "random+knn", 5, "accuracy_test"
    )
    assert found is not None
    assert found.mean == pytest.approx(0.1)
    assert math.isnan(found.error)


def verdict_of(found: Results, words: str) -> Verdict:
    [verdict] = [verdict for verdict in verdicts(found) if words in verdict.what]
    return verdict


@pytest.mark.parametrize(("accuracy", "missed", "goal"), [(0.84, 0.01, 0.03), (0.86, 0.0, 0.01), (0.9, 0.0, 0.0)])
def test_floor_and_goal_of_accuracy(accuracy: float, missed: float, goal: float) -> None:
    verdict = verdict_of(results([row("lantern", 0, 300, accuracy_test=accuracy)], "clinc150"), "accuracy with 300")
    assert verdict.missed_by == pytest.approx(missed)
    assert verdict.goal_missed_by == pytest.approx(goal)


def test_the_best_baseline_counts_within_one_standard_error() -> None:
    rows = [row("lantern", seed, 9, accuracy_test=value) for seed, value in enumerate((0.80, 0.70))]
    rows += [row("good", seed, 9, accuracy_test=value) for seed, value in enumerate((0.81, 0.73))]
    rows += [row("bad", seed, 9, accuracy_test=0.1) for seed in range(2)]
    verdict = verdict_of(results(rows), "best baseline")
    assert "`good`" in verdict.what
    assert verdict.value == pytest.approx(-0.02)
    assert verdict.floor == pytest.approx(-0.01)
    assert verdict.missed_by == pytest.approx(0.01)


@pytest.mark.parametrize(("share", "missed"), [(0.05, 0.0), (0.03, 0.01), (0.08, 0.02)])
def test_the_flagged_share_must_lie_between(share: float, missed: float) -> None:
    found = results([row("lantern", 0, 100, accuracy_test=0.9, flagged=share)], "mnist")
    assert verdict_of(found, "p-value").missed_by == pytest.approx(missed)


def test_flagged_counts_p_values_at_or_below_the_level() -> None:
    assert flagged({"known_novelty": -np.array([0.01, 0.05, 0.06, 1.0])}) == 0.5
    assert flagged({}) is None


def test_log_templates_are_judged_by_the_share_that_the_frequent_ones_cover() -> None:
    found = results([row("lantern", 0, 100, accuracy_pool=0.72, covered=0.8)], "loghub_x")
    verdict = verdict_of(found, "frequent templates")
    assert verdict.value == pytest.approx(0.9)
    assert verdict.missed_by == pytest.approx(0.03)
    assert "| 100 | 0.800 | 0.900 |" in to_markdown(found)


def test_experiments_are_judged_and_shown() -> None:
    oos = {
        f"oos.seed{seed}": {"auroc_novelty": 0.97, "auroc_knn1": 0.95, "auroc_knn10": 0.98, "auroc_s_ood": 0.96}
        for seed in (0, 1)
    }
    found = results(
        [row("lantern", 0, 5, accuracy_test=0.9)],
        unknown={"clinc150": oos},
        groups={"clinc150": {"seed0": {"found": 11, "found_random": 4, "groups": 15, "accuracy_test": 0.8}}},
usage={"mnist": {"rising.seed0": {"0.0": 90.0, "0.05": 60.0, "0.5": 65.0}}},
    )  # fmt: skip
    assert verdict_of(found, "better of kNN").missed_by == pytest.approx(0.01)
    assert verdict_of(found, "rare intents").missed_by == 1.0
    assert verdict_of(found, "effective number").missed_by == pytest.approx(5.0)
    text = to_markdown(found)
    assert "| Lantern: novelty | 0.970 ± 0.000 | - |" in text
    assert "| asked about by Lantern | 11.000 |" in text


def test_the_loss_with_unknown_items_in_the_pool_is_paired_by_seed() -> None:
    cases = {"oos.seed0": 0.97, "oos.seed1": 0.99, "oos.seed2": 0.5, "pool.seed0": 0.96, "pool.seed1": 0.95}
    names = ("auroc_novelty", "auroc_knn1", "auroc_knn10", "auroc_s_ood")
    found = results([], unknown={"clinc150": {name: dict.fromkeys(names, value) for name, value in cases.items()}})
    assert verdict_of(found, "loss").value == pytest.approx((0.01 + 0.04) / 2)


def test_the_table_of_priors_says_by_how_much_the_default_leads() -> None:
    chosen = PoolSettings().prior
    other = next(prior for prior in PRIORS if prior != chosen)
    ours, theirs = ((0.90, 12.0), (0.91, 13.0)), ((0.88, 11.0), (0.93, 11.5))
    cases = {
        f"seed{seed}": {
            prior: {"accuracy_test": accuracy, "accuracy_test_components": 0.8, "evidence": evidence}
            for prior, (accuracy, evidence) in ((chosen, ours[seed]), (other, theirs[seed]))
        }
        for seed in range(2)
    }
    found = results([], priors={"mnist": cases})
    text = to_markdown(found)
    assert f"Leads are those of the default, the {chosen} prior." in text
    line = f"| {other} | 11.250 ± 0.354 | 0.905 ± 0.035 | 0.800 ± 0.000 | - | +1.250 ± 0.250 | +0.000 ± 0.020 |"
    assert line in text
    assert verdict_of(found, "over the others in evidence").value == pytest.approx(1.25)
    assert verdict_of(found, "over the others in accuracy").value == pytest.approx(0.0)


def test_the_report_says_which_code_it_is_of(tmp_path: Path) -> None:
    document = two_methods().document
    assert "Made of" not in to_markdown(Results(document))
    for clean, words in ((True, "commit abc, on 2"), (False, "commit abc, with changes that are not committed, on 2")):
        machine = {"commit": "abc", "clean": clean, "cores": 2}
        assert f"Made of {words} cores." in to_markdown(Results({**document, "machine": machine}))
    mixed = {
        **document,
        "machine": {"commit": "abc", "clean": True, "cores": 2},
        "apart": {"priors": "def", "digits": "ghi"},
    }
    assert "on 2 cores. Apart from that: priors (commit def), digits (commit ghi)." in to_markdown(Results(mixed))
    assert checkout(tmp_path) == {}
    git = ("git", "-c", "user.name=n", "-c", "user.email=e", "-C", str(tmp_path))
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    found = checkout(tmp_path)
    assert head.startswith(str(found["commit"]))
    assert found["clean"]
    (tmp_path / "new").touch()
    assert not checkout(tmp_path)["clean"]


def test_met_and_missed_are_said_in_words() -> None:
    found = [Verdict("a", 0.9, 0.8, 0.95), Verdict("b", 3.0, 2.0, sense="most"), Verdict("c", -0.1, -0.1)]
    found += [Verdict("d", -0.10003, -0.1)]
    assert verdict_table(found)[2:] == [
        "| a | 0.9000 | >= 0.8000 | met | >= 0.9500 | **missed by 0.0500** |",
        "| b | 3.0000 | <= 2.0000 | **missed by 1.0000** | - | - |",
        "| c | -0.1000 | >= -0.1000 | met | - | - |",
        "| d | -0.1000 | >= -0.1000 | **missed by less than 0.0001** | - | - |",
    ]


def test_the_readme_names_every_floor_and_every_goal_that_is_missed() -> None:
    """What is met is not listed."""
    text = section(
        results(
            [row("lantern", 0, 300, accuracy_test=0.86, ece=0.01)],
            "clinc150",
            groups={"clinc150": {"seed0": {"found": 11, "found_random": 4, "groups": 15, "accuracy_test": 0.8}}},
        )
    )
    assert "Of 3 floors (what must be reached) 2 are met, of 1 goals 0." in text
    assert (
        "| clinc150: accuracy with 300 labels | 0.8600 | >= 0.8500 | met | >= 0.8700 | **missed by 0.0100** |" in text
    )
    assert "rare intents of 15 asked about after 300 labels | 11.0000 | >= 12.0000 | **missed by 1.0000** |" in text
    assert "calibration" not in text


def test_the_readme_section_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    document, readme = tmp_path / "results.json", tmp_path / "README.md"
    document.write_text(json.dumps(two_methods().document), "utf-8")
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    assert main([str(document), str(readme)]) == 0
    text = readme.read_text("utf-8")
    assert text.startswith(f"before\n{BEGIN}\n**blobs**")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert "0.800 ± 0.100" in text
    assert (tmp_path / "report.md").read_text("utf-8") == to_markdown(two_methods())
    with pytest.raises(InputError, match="results"):
        with_section("no markers", "x")


@pytest.mark.skipif(not COMMITTED.is_file(), reason="no results are committed")
def test_the_readme_shows_the_committed_results() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert readme == with_section(readme, section(read_results(COMMITTED)))
    assert COMMITTED.with_name("report.md").read_text("utf-8") == to_markdown(read_results(COMMITTED))
