"""Baselines: each learns what it should from few labels, and each formula holds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import sparse
from sklearn.datasets import make_moons
from sklearn.semi_supervised import LabelSpreading

from ml_backend.core.labels import LabelSet
from ml_backend.engine.simulation.embedded import Embedded
from ml_backend.engine.simulation.grading import grade
from ml_backend.engine.simulation.learners import LEARNERS
from ml_backend.engine.simulation.learners.graph import extend, left_out_votes, neighbour_graph, solve
from ml_backend.engine.simulation.learners.logistic import DEFAULT_C, GRID, choose_c
from ml_backend.engine.simulation.learners.nearest import choose_k
from ml_backend.engine.simulation.learners.spreading import fit_spreading
from ml_backend.engine.simulation.oracle import AskedLabels, Oracle
from ml_backend.engine.simulation.queries import QUERIES, Query, ask_margin, ask_medoids, ask_typical
from tests.engine.labelled_blobs import CLASSES, blob_problem, rows_per_class


def truth_of(labels: AskedLabels) -> LabelSet:
    given = labels.label_set
    assert given is not None
    return given


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_recovers_clear_groups_from_few_labels(name: str) -> None:
    problem, data = blob_problem(n=240, test=60, oos=30)
    labels = Oracle(problem.pool_truth).ask(AskedLabels(), rows_per_class(problem, 3).tolist())
    figures = grade(problem, labels, LEARNERS[name](data, truth_of(labels), 0)).figures
    assert figures.accuracy_pool is not None
    assert figures.accuracy_pool > 0.9
    assert figures.accuracy_test is not None
    assert figures.accuracy_test > 0.9
    assert 0.0 <= figures.ece <= 1.0
    if figures.auroc_novelty is not None:
        assert figures.auroc_novelty > 0.9


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("answer", [("ant",), ("ant", "bee")])
def test_every_learner_bears_one_class_and_one_label_a_class(name: str, answer: tuple[str, ...]) -> None:
    _, data = blob_problem(n=80)
    labels = AskedLabels(tuple(range(len(answer))), answer)
    said = LEARNERS[name](data, truth_of(labels), 0)("pool")
    assert set(said.label.tolist()) <= set(range(len(answer)))
    assert np.isfinite(said.confidence).all()
    assert said.confidence.min() >= 0.0
    assert said.confidence.max() <= 1.0 + 1e-6


@pytest.mark.parametrize("name", LEARNERS)
def test_learners_answer_for_empty_parts(name: str) -> None:
    problem, data = blob_problem(n=80)
    labels = Oracle(problem.pool_truth).ask(AskedLabels(), rows_per_class(problem, 2).tolist())
    assert len(LEARNERS[name](data, truth_of(labels), 0)("test").label) == 0


def test_the_graph_is_symmetric_without_self_loops() -> None:
    _, data = blob_problem(n=100)
    graph = neighbour_graph(data, 10)
    assert abs(graph - graph.T).max() == 0
    assert not graph.diagonal().any()
    assert 0 < graph.data.min() <= graph.data.max() <= 1


def test_conjugate_gradients_solve_the_system() -> None:
    random = np.random.default_rng(0)
    root = random.normal(size=(30, 30))
    matrix = (root @ root.T + 30 * np.eye(30)).astype(np.float32)
    right = random.normal(size=(30, 4)).astype(np.float32)
    right[:, 3] = 0.0
    found = solve(sparse.csr_array(matrix), right)
    assert np.allclose(matrix @ found, right, atol=2e-2)
    assert not found[:, 3].any()


def test_left_out_votes_are_those_of_a_solution_without_the_label() -> None:
    problem, data = blob_problem(n=90)
    labels = truth_of(Oracle(problem.pool_truth).ask(AskedLabels(), list(range(12))))
    graph = neighbour_graph(data, 10)
    matrix = (sparse.diags_array((1.1 * graph.sum(axis=1)).astype(np.float32)) - graph).tocsr()
    left_out = left_out_votes(matrix, labels, labels.targets, 0)
    for place, item in enumerate(left_out.chosen):
        sources = np.zeros((90, len(labels.classes)))
        others = np.arange(12) != item
        sources[labels.rows[others]] = labels.targets[others]
        expected = np.linalg.solve(matrix.toarray(), sources)[labels.rows[item]]
        assert np.allclose(left_out.votes[place], expected, atol=1e-3 * np.abs(expected).max() + 1e-4)


def test_new_items_get_the_mean_of_their_neighbours() -> None:
    problem, data = blob_problem(n=120, test=30)
    values = np.eye(len(CLASSES), dtype=np.float32)[np.searchsorted(CLASSES, problem.pool_truth)]
    extended = extend(data, "test", values, 5)
    assert np.allclose(extended.sum(axis=1), 1.0, atol=1e-5)
    assert np.mean(np.array(CLASSES)[extended.argmax(axis=1)] == problem.test_truth) > 0.9


def test_label_spreading_is_no_weaker_than_scikit_learns() -> None:
    ours, theirs = [], []
    for seed in range(5):
        problem, data = blob_problem(n=240, seed=seed, noise=1.6)
        rows = np.random.default_rng(seed).permutation(240)[:12]
        labels = Oracle(problem.pool_truth).ask(AskedLabels(), rows.tolist())
        figures = grade(problem, labels, fit_spreading(data, truth_of(labels), seed)).figures
        assert figures.accuracy_pool is not None
        ours.append(figures.accuracy_pool)
        y = np.full(240, -1)
        y[rows] = np.searchsorted(CLASSES, problem.pool_truth[rows])
        rest = np.setdiff1d(np.arange(240), rows)
        found = LabelSpreading(kernel="knn", n_neighbors=10).fit(data.pool, y).transduction_
        theirs.append(np.mean(np.array(CLASSES)[found[rest]] == problem.pool_truth[rest]))
    assert np.mean(ours) >= np.mean(theirs)


def moons(seed: int) -> tuple[Embedded, NDArray[np.int64]]:
    """Two interleaved half circles on a patch of the sphere, and which one each item is of."""
    flat, y = make_moons(600, noise=0.06, random_state=seed)
    x = np.c_[0.3 * (flat - flat.mean(axis=0)), np.ones(len(flat))].astype(np.float32)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return Embedded({"pool": x, "test": x[:0], "ood": x[:0]}), y


def test_poisson_learning_beats_label_spreading_where_labels_are_far_away() -> None:
    """One label a class on long curved groups: most items are many steps from a label."""
    accuracy: dict[str, list[float]] = {"poisson": [], "labelspreading": []}
    for seed in range(4):
        data, y = moons(seed)
        random = np.random.default_rng(seed)
        rows = np.array([random.choice(np.flatnonzero(y == c)) for c in (0, 1)])
        labels = LabelSet("label", ("0", "1"), rows, np.eye(2))
        for name, values in accuracy.items():
            values.append(float(np.mean(LEARNERS[name](data, labels, 0)("pool").label == y)))
    assert np.mean(accuracy["poisson"]) > np.mean(accuracy["labelspreading"]) + 0.05


def test_rare_labels_are_not_drowned_by_frequent_ones() -> None:
    """Poisson learning with nine labels of one class and one of another, in pools of the same size."""
    problem, data = blob_problem(n=200, classes=("ant", "bee"))
    names = problem.pool_truth
    rows = [*np.flatnonzero(names == "ant")[:9].tolist(), int(np.flatnonzero(names == "bee")[0])]
    labels = Oracle(names).ask(AskedLabels(), rows)
    figures = grade(problem, labels, LEARNERS["poisson"](data, truth_of(labels), 0)).figures
    assert figures.accuracy_pool is not None
    assert figures.accuracy_pool > 0.9


def test_clusters_are_made_once_for_each_number_and_seed() -> None:
    _, data = blob_problem(n=100)
    assert data.centres(5, 0) is data.centres(5, 0)
    assert data.centres(5, 1) is not data.centres(5, 0)


def test_reduced_rows_are_the_pools_principal_directions() -> None:
    """Directions in which the pool does not vary are gone, for what lies outside the pool too."""
    random = np.random.default_rng(0)
    pool = np.zeros((80, 100), np.float32)
    pool[:, :70] = random.normal(size=(80, 70)) * np.linspace(3, 0.1, 70)
    data = Embedded({"pool": pool, "test": pool[:5], "ood": pool[:0]})
    assert data.reduced["pool"].shape == (80, 64)
    assert data.reduced["ood"].shape == (0, 64)
    assert np.allclose(data.reduced["test"], data.reduced["pool"][:5], atol=1e-5)
    assert np.allclose(np.linalg.norm(data.reduced["pool"], axis=1), 1.0, atol=1e-5)


def test_c_is_tuned_only_where_labels_suffice() -> None:
    problem, data = blob_problem(n=200, noise=2.0)
    y = np.searchsorted(CLASSES, problem.pool_truth)
    few = np.arange(len(CLASSES) * 2)
    assert choose_c(data.scaled["pool"][few], y[few], 0) == DEFAULT_C
    assert choose_c(data.scaled["pool"], y, 0) in GRID


def test_k_is_the_best_by_leave_one_out() -> None:
    """One label in each dense group is wrong: one neighbour is misled by it, several are not."""
    random = np.random.default_rng(0)
    centres = np.eye(2, 8)
    y = np.repeat([0, 1], 20)
    known = (centres[y] + 0.1 * random.normal(size=(40, 8))).astype(np.float32)
    known /= np.linalg.norm(known, axis=1, keepdims=True)
    wrong = y.copy()
    wrong[[0, 3, 6, 9, 22, 25, 28]] ^= 1
    assert choose_k(known, np.eye(2)[wrong]) > 1


@pytest.mark.parametrize("name", QUERIES)
def test_queries_ask_each_item_once_and_as_many_as_the_budget(name: str) -> None:
    problem, data = blob_problem(n=120)
    asked = QUERIES[name](data, Oracle(problem.pool_truth), [5, 12, 30], 0)
    for budget, labels in asked.items():
        assert len(set(labels.rows)) == len(labels) == budget
        assert [problem.pool_truth[row] for row in labels.rows] == list(labels.answers)
    if name != "medoid":
        assert asked[30].first(12) == asked[12]
        assert asked[12].first(5) == asked[5]


@pytest.mark.parametrize("query", [ask_typical, ask_medoids])
def test_representative_queries_find_every_clear_group_at_once(query: Query) -> None:
    problem, data = blob_problem(n=200)
    asked = query(data, Oracle(problem.pool_truth), [len(CLASSES)], 0)
    assert set(asked[len(CLASSES)].answers) == set(CLASSES)


def test_margin_asks_between_the_classes() -> None:
    random = np.random.default_rng(0)
    angle = random.uniform(0.0, np.pi / 2, 300)
    truth = np.where(angle < np.pi / 4, "low", "high")
    pool = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    empty = np.zeros((0, 2), np.float32)
    data = Embedded({"pool": pool, "test": empty, "ood": empty})
    labels = ask_margin(data, Oracle(truth), [40], 0)[40]
    gap = np.abs(angle[labels.asked] - np.pi / 4)
    assert gap[10:].mean() < gap[:10].mean() / 3
