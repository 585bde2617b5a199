"""Markdown of the experiments beside the main table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.label_efficiency.experiments.ablations import VARIANTS
from benchmarks.label_efficiency.experiments.digits import DIGITS
from benchmarks.label_efficiency.experiments.usage import LAMBDAS
from benchmarks.label_efficiency.results import CaseFigures, Results, paired
from benchmarks.label_efficiency.tables import NOTHING, lead, mean_and_spread, number, table
from ml_backend.core.hyperparameters import PRIORS
from ml_backend.engine.pool import PoolSettings

SCORES = {
    "novelty": "Lantern: novelty",
    "s_ood": "Lantern: s_OOD",
    "s_ood_exact": "s_OOD at temperature 1 (trained on the same labels at once)",
    "knn1": "kNN, k = 1, cosine to the pool",
    "knn10": "kNN, k = 10, cosine to the pool",
    "centroids": "cosine to the nearest of 300 k-means centroids",
    "logreg": "LogReg: 1 - largest probability",
}
UNKNOWN = {
    "oos.": "Out-of-scope test items",
    "pool.": "The same with out-of-scope training items in the pool",
    "left_out.": "15 of 150 intents in neither pool nor labels",
}


def experiment_sections(results: Results) -> list[str]:
    """A section for each experiment that was run."""
    parts: Sequence[tuple[str, str, Callable[[Results, str], list[str]]]] = (
        ("unknown", "Never seen, with 300 labels", _unknown),
        ("digits", "Each digit left out in turn (10,000 images, 100 labels)", _digits),
        ("groups", "15 intents thinned to 2 % of the pool: found after 300 labels", _fields(GROUPS)),
        ("lifted", "Lifted to 1,536 dimensions, 300 labels", _fields(LIFTED)),
        ("mislabel", "5 % of 1,500 labels flipped: found by disagreement", _fields(MISLABEL)),
        ("aleatoric", "Noise apart from novelty (10,000 images)", _fields(ALEATORIC)),
        ("usage", "Sparse usage (10,000 images)", _usage),
        ("priors", "Priors: the same labels, given at once", _priors),
        ("ablations", "Ablations: the same labels, given at once", _ablations),
        ("interactive", "Interactive", _interactive),
    )
    lines: list[str] = []
    for name, title, section in parts:
        for data in results.experiment_data(name):
            lines += ["", f"## {title}: {data}", "", *section(results, data)]
    return lines


TRAINED = {
    "evidence": "evidence, nats",
    "accuracy_test": "accuracy",
    "accuracy_test_components": "accuracy of p(y given x) alone",
    "auroc_novelty": "AUROC of novelty",
}
EVIDENCE = "Evidence: mean lower bound of log p(x) of test items, preprocessed; high = explained well."
GROUPS = {"found": "asked about by Lantern", "found_random": "by as many random questions", "accuracy_test": "accuracy"}
LIFTED = {"accuracy_lifted": "lifted", "accuracy_as_given": "as given", "difference": "difference"}
MISLABEL = {"average_precision": "average precision", "chance": "chance"}
ALEATORIC = {
    "sigma_ratio": "sigma where there is noise, over the same pixels without",
    "sigma_ratio_elsewhere": "over the other pixels of the same images",
    "auroc_noisy": "novelty AUROC, noisy against clean",
    "auroc_digit": "novelty AUROC, missing digit against clean",
    "sigma_change": "relative change of mean sigma, missing digit",
}


def _fields(named: dict[str, str]) -> Callable[[Results, str], list[str]]:
    def section(results: Results, data: str) -> list[str]:
        for experiment in ("groups", "lifted", "mislabel", "aleatoric"):
            cases = results.cases(experiment, data)
            if cases and set(named) <= set(next(iter(cases.values()))):
                rows = ([title, mean_and_spread([c[f] for c in cases.values()])] for f, title in named.items())
                return table(("figure", f"mean of {len(cases)}"), rows)
        return []

    return section


def _unknown(results: Results, data: str) -> list[str]:
    lines: list[str] = []
    for start, title in UNKNOWN.items():
        rows = []
        for score, name in SCORES.items():
            found = [results.of_case("unknown", data, start, f"{figure}_{score}") for figure in ("auroc", "fpr95")]
            if found[0]:
                rows.append([name, *(mean_and_spread(values) for values in found)])
        if rows:
            lines += [f"### {title}", "", *table(("score", "AUROC", "FPR95 (low = good)"), rows), ""]
    return lines[:-1]


def _digits(results: Results, data: str) -> list[str]:
    fields = {"auroc_novelty": "novelty", "auroc_knn1": "pixel kNN, k = 1", "auroc_knn10": "pixel kNN, k = 10"}
    rows = []
    for field, title in fields.items():
        each = [results.of_case("digits", data, f"without{digit}", field) for digit in DIGITS]
        every = [value for values in each for value in values]
        rows.append([title, *(mean_and_spread(values) for values in each), mean_and_spread(every)])
    return table(("AUROC", *DIGITS, "mean"), rows)


def _usage(results: Results, data: str) -> list[str]:
    rows = [
        [f"{weight}", mean_and_spread(results.of_case("usage", data, "rising.", str(weight)), 1)] for weight in LAMBDAS
    ]
    later = {
        "own_before": "components of its own before training with it",
        "own": "after 5 epochs",
        "covered": "share of its items in components of its own",
        "right_with_one_label": "share of its items with its label after one label",
    }
    lines = table(("lambda", "effective components exp(H(p_hat))"), rows)
    found = {field: results.of_case("usage", data, "later.", field) for field in later}
    if found["own"]:
        lines += [
            "",
            *table(("a class that comes later", "mean"), ([later[f], mean_and_spread(found[f])] for f in later)),
        ]
    return lines


def _priors(results: Results, data: str) -> list[str]:
    chosen, found = PoolSettings().prior, results.cases("priors", data)
    judged = {"evidence": "its lead in evidence", "accuracy_test": "its lead in accuracy"}
    rows = []
    for prior in PRIORS:
        leads = [paired(results.between_variants("priors", data, chosen, prior, field)) for field in judged]
        shown = [NOTHING if prior == chosen or ahead is None else lead(ahead.mean, ahead.error) for ahead in leads]
        rows.append([prior, *_of_variant(found, prior), *shown])
    lines = table(("prior", *TRAINED.values(), *judged.values()), rows)
    return [f"Leads are those of the default, the {chosen} prior. {EVIDENCE}", "", *lines]


def _ablations(results: Results, data: str) -> list[str]:
    found = results.cases("ablations", data)
    lines = table(("training", *TRAINED.values()), ([name, *_of_variant(found, name)] for name in VARIANTS))
    return [EVIDENCE, "", *lines]


def _interactive(results: Results, data: str) -> list[str]:
    fields = {
        "items": ("items", 0),
        "threads": ("threads", 0),
        "first_queue_seconds": ("seconds to the first queue", 1),
        "epoch_seconds": ("seconds of an epoch", 2),
        "plain_ratio": ("epoch over a plain VAE's", 2),
        "accuracy_test": ("accuracy after 3 epochs, 300 random labels", 3),
        "peak_mb": ("peak memory, MB", 0),
    }
    cases = results.cases("interactive", data)
    rows = (
        [device, *(number(figures.get(f, float("nan")), decimals) for f, (_, decimals) in fields.items())]
        for device, figures in cases.items()
    )
    return table(("device", *(title for title, _ in fields.values())), rows)


def _of_variant(cases: CaseFigures, name: str) -> list[str]:
    """A cell of the table for each figure of a trained model."""
    found = [variants[name] for variants in cases.values() if name in variants]
    return [mean_and_spread([figures[field] for figures in found if field in figures]) for field in TRAINED]
