"""Data that make every cell a matter of milliseconds, and documents of results with known figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.label_efficiency.results import Results
from ml_backend.engine.pool import PoolSettings
from ml_backend.engine.simulation import LoopSettings
from tests.engine.labelled_blobs import blob_dataset

CHEAP = ("random+logreg", "random+knn")
LOOP = LoopSettings(epochs=1, batch=6, pool=PoolSettings(n_components=8, latent_dim=4, device="cpu"))


def save_blobs(folder: Path, name: str = "blobs", *, n: int = 60) -> Path:
    """An .npz data set with a test split and out-of-distribution items."""
    dataset = blob_dataset(n=n, test=20, oos=10)
    assert dataset.x is not None
    assert dataset.y is not None
    assert dataset.split is not None
    np.savez(folder / f"{name}.npz", x=dataset.x, y=dataset.y, split=dataset.split)
    return folder / f"{name}.npz"


def row(method: str, seed: int, budget: int, **figures: float | None) -> dict[str, Any]:
    """A row of the main table; what is not given is missing."""
    names = ("accuracy_pool", "accuracy_test", "auroc_novelty", "auroc_s_ood", "fpr95", "fpr95_s_ood", "ece")
    known = {"seconds": 1.0, "peak_mb": 9.0, **dict.fromkeys(names), **figures}
    return {"method": method, "seed": seed, "budget": budget, **known}


def results(rows: list[dict[str, Any]], name: str = "blobs", **experiments: dict[str, Any]) -> Results:
    """A document with one data set. experiments: name -> data -> case -> figures."""
    content = {
        "budgets": sorted({row["budget"] for row in rows}),
        "seeds": len({row["seed"] for row in rows}),
        "methods": list(dict.fromkeys(row["method"] for row in rows)),
        "pool_items": None,
        "rows": rows,
    }
    return Results({"machine": {}, "data": {name: content}, "experiments": experiments})
