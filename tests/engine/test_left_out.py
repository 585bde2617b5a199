"""The accuracy that labels promise is told once they can be wrong."""

from __future__ import annotations

import numpy as np
import pytest

from ml_backend.core.labels import LabelSet
from ml_backend.engine.left_out import accuracy_at_a_glance, left_out_accuracy
from ml_backend.engine.pool import Pool, PoolSettings, propagate
from tests.engine.labelled_blobs import CLASSES, blob_dataset


@pytest.fixture(scope="module")
def pool() -> Pool:
    x = blob_dataset(n=80).x
    assert x is not None
    return Pool.create(x, PoolSettings(), seed=0)


def labels_of(*classes: int) -> LabelSet:
    """Of the first rows, in this order."""
    return LabelSet("label", CLASSES, np.arange(len(classes)), np.eye(len(CLASSES))[list(classes)])


def test_labels_of_one_class_promise_nothing(pool: Pool) -> None:
    alone = labels_of(0, 0, 0)
    assert left_out_accuracy([propagate(pool.describe(), alone).store]) is None
    assert accuracy_at_a_glance(pool, [alone]) is None


def test_from_two_classes_on_there_is_an_estimate(pool: Pool) -> None:
    both = labels_of(0, 0, 1, 1)
    found = left_out_accuracy([propagate(pool.describe(), both).store])
    assert found is not None
    assert found.labels == 4
    assert 0.0 <= found.low <= found.estimate <= found.high <= 1.0
    assert accuracy_at_a_glance(pool, [both]) is not None


def test_a_question_with_one_class_adds_nothing_to_another(pool: Pool) -> None:
    alone, both = (propagate(pool.describe(), labels_of(*classes)).store for classes in ((0, 0, 0), (0, 0, 1, 1)))
    assert left_out_accuracy([alone, both]) == left_out_accuracy([both])
