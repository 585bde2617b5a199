"""Logistic regression on the embeddings: what users would pick instead."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from ml_backend.core.labels import LabelSet
from ml_backend.engine.simulation.embedded import Embedded, Part, Rows
from ml_backend.engine.simulation.outcome import Fitted, Outcome

DEFAULT_C = 30.0
GRID = (DEFAULT_C, 10.0, 100.0, 3.0, 300.0)
"""Inverse regularisation, for rows of length about 1; of equally good ones the first wins."""
FOLDS = 3
LABELS_PER_CLASS_TO_TUNE = 3.0
"""With fewer labels a class, folds would lack classes and C stays at its default."""
ITERATIONS = 200


def fit_logistic(data: Embedded, labels: LabelSet, seed: int) -> Fitted:
    """C by cross-validation on the labels given, when there are enough."""
    y = labels.targets.argmax(axis=1)
    x = data.scaled["pool"][labels.rows]
    classifier = train(x, y, choose_c(x, y, seed))

    def predict(part: Part) -> Outcome:
        return Outcome.of(probabilities(classifier, data.scaled[part], len(labels.classes)))

    return predict


def choose_c(x: Rows, y: NDArray[np.int64], seed: int) -> float:
    """x: (n, F), y: (n,) classes."""
    if len(y) < LABELS_PER_CLASS_TO_TUNE * len(np.unique(y)) or len(y) < 2 * FOLDS:
        return DEFAULT_C
    folds = list(KFold(FOLDS, shuffle=True, random_state=seed).split(x))

    def right(c: float) -> int:
        return sum(int(np.sum(_classes(train(x[fit], y[fit], c), x[test]) == y[test])) for fit, test in folds)

    return max(GRID, key=right)


def train(x: Rows, y: NDArray[np.int64], c: float) -> LogisticRegression | int:
    """A classifier, or the only class that there is."""
    if len(np.unique(y)) < 2:
        return int(y[0])
    with warnings.catch_warnings():
        # 200 steps of L-BFGS are past the point where more change any prediction here; and with one label a class
        # scikit-learn supposes that a regression was meant.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        return LogisticRegression(C=c, max_iter=ITERATIONS).fit(x, y)


def probabilities(classifier: LogisticRegression | int, x: Rows, n_classes: int) -> NDArray[np.float64]:
    """(n, Y) over all classes, also those the classifier has not seen (0)."""
    p = np.zeros((len(x), n_classes))
    if isinstance(classifier, int):
        p[:, classifier] = 1.0
    elif len(x):
        p[:, classifier.classes_] = classifier.predict_proba(x)
    return p


def _classes(classifier: LogisticRegression | int, x: Rows) -> NDArray[np.int64]:
    if isinstance(classifier, int):
        return np.full(len(x), classifier)
    return np.asarray(classifier.predict(x))
