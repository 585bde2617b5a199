"""Whom to ask, without Lantern: at random, TypiClust, cluster medoids, or where logistic regression is in doubt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ml_backend.engine.simulation.embedded import Embedded
from ml_backend.engine.simulation.learners import logistic
from ml_backend.engine.simulation.oracle import AskedLabels, Oracle

MAX_CLUSTERS = 500
"""TypiClust's own bound on the number of clusters."""
FIRST_BATCH = 10
BATCH_SHARE = 0.2
"""Margin sampling asks a fifth of the labels so far at a time, at least FIRST_BATCH."""

Asked = Mapping[int, AskedLabels]
"""Budget -> the labels that a method has then."""
Query = Callable[[Embedded, Oracle, Sequence[int], int], Asked]


def ask_random(data: Embedded, oracle: Oracle, budgets: Sequence[int], seed: int) -> Asked:
    """Uniformly, without replacement; budgets nest."""
    order = np.random.default_rng(seed).permutation(len(data.pool))[: max(budgets)]
    labels = oracle.ask(AskedLabels(), order.tolist())
    return {budget: labels.first(budget) for budget in budgets}


def ask_typical(data: Embedded, oracle: Oracle, budgets: Sequence[int], seed: int) -> Asked:
    """TypiClust (Hacohen et al. 2022): at each budget as many clusters as labels, and of the largest clusters without a
    label the most typical item; budgets nest.
    """
    labels = AskedLabels()
    asked: dict[int, AskedLabels] = {}
    for budget in sorted(budgets):
        clusters = _clusters(data, min(budget, MAX_CLUSTERS), seed)
        while len(labels) < budget:
            labels = oracle.ask(labels, _most_typical(data, clusters, labels.asked, budget - len(labels)))
        asked[budget] = labels
    return asked


def ask_medoids(data: Embedded, oracle: Oracle, budgets: Sequence[int], seed: int) -> Asked:
    """The item nearest to each of `budget` k-means centres; one run for each budget, so that they do not nest."""
    asked: dict[int, AskedLabels] = {}
    for budget in budgets:
        cosine = data.reduced["pool"] @ data.centres(budget, seed).T
        chosen = list(dict.fromkeys(cosine.argmax(axis=0).tolist()))
        spare = np.random.default_rng(seed).permutation(np.setdiff1d(np.arange(len(data.pool)), chosen))
        chosen += spare[: budget - len(chosen)].tolist()  # two centres may share a medoid
        asked[budget] = oracle.ask(AskedLabels(), chosen)
    return asked


def ask_margin(data: Embedded, oracle: Oracle, budgets: Sequence[int], seed: int) -> Asked:
    """Where logistic regression's two best classes are closest, from a random first batch; budgets nest."""
    first = min(FIRST_BATCH, min(budgets))
    labels = ask_random(data, oracle, [first], seed)[first]
    asked: dict[int, AskedLabels] = {}
    for budget in sorted(budgets):
        while len(labels) < budget:
            size = min(max(FIRST_BATCH, int(BATCH_SHARE * len(labels))), budget - len(labels))
            margin = _margins(data, labels)
            margin[labels.asked] = np.inf
            labels = oracle.ask(labels, np.argsort(margin, kind="stable")[:size].tolist())
        asked[budget] = labels
    return asked


QUERIES: Mapping[str, Query] = {
    "random": ask_random,
    "typiclust": ask_typical,
    "medoid": ask_medoids,
    "margin": ask_margin,
}
"""Name in a result -> how it asks."""


def _clusters(data: Embedded, k: int, seed: int) -> NDArray[np.int64]:
    return np.asarray((data.reduced["pool"] @ data.centres(k, seed).T).argmax(axis=1))


def _most_typical(data: Embedded, clusters: NDArray[np.int64], asked: NDArray[np.int64], limit: int) -> list[int]:
    """At most one item of each cluster: those with the fewest labels first, of these the largest."""
    sizes = np.bincount(clusters)
    given = np.bincount(clusters[asked], minlength=len(sizes))
    typical = data.typicality.copy()
    typical[asked] = -np.inf
    fewest = given[(sizes - given) > 0].min()
    chosen: list[int] = []
    for cluster in np.argsort(-sizes, kind="stable"):
        if given[cluster] == fewest and sizes[cluster] > given[cluster] and len(chosen) < limit:
            members = np.flatnonzero(clusters == cluster)
            chosen.append(int(members[typical[members].argmax()]))
    return chosen


def _margins(data: Embedded, labels: AskedLabels) -> NDArray[np.float64]:
    given = labels.label_set
    if given is None or len(given.classes) < 2:
        return np.random.default_rng(len(labels)).random(len(data.pool))
    y = given.targets.argmax(axis=1)
    classifier = logistic.train(data.scaled["pool"][given.rows], y, logistic.DEFAULT_C)
    p = logistic.probabilities(classifier, data.scaled["pool"], len(given.classes))
    top = np.partition(p, -2, axis=1)
    return np.asarray(top[:, -1] - top[:, -2])
