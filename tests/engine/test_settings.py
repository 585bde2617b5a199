"""A project's own settings: read from extra params, and refused with the key's name before a model is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml_backend.config import Settings
from ml_backend.core.hyperparameters import LossWeights
from ml_backend.engine.settings import project_settings
from ml_backend.errors import ConfigError


def test_extra_params_win_over_the_server(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, query="s_ood", encoder="text")
    assert project_settings(settings, {}).pool.query == "s_ood"
    assert project_settings(settings, {}).encoder == "text"
    own = {"query": "lantern", "encoder": "vector", "latent_dim": "12", "epochs": 1, "weights": {"kl": 0.5}, "note": 7}
    wanted = project_settings(settings, own)
    assert (wanted.pool.query, wanted.encoder, wanted.pool.latent_dim, wanted.epochs) == ("lantern", "vector", 12, 1)
    assert wanted.weights == LossWeights(kl=0.5)


@pytest.mark.parametrize(
    "given",
    [
        {"epochs": 6},
        {"epochs": 0},
        {"prior": "laplace"},
        {"n_components": 1},
        {"n_components": 0},
        {"latent_dim": 65},
        {"latent_dim": 11},
        {"alpha0": 0},
        {"alpha0": "nan"},
        {"query": "random"},
        {"temperature": -1},
        {"never_seen_level": 2},
        {"weights": {"kl": -1}},
        {"weights": {"no such": 1}},
        {"weights": [1]},
        {"encoder": 7},
    ],
    ids=str,
)
def test_what_cannot_be_used_is_named_at_once(tmp_path: Path, given: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(given)).replace("weights", "weight").replace("epochs", "epoch")):
        project_settings(Settings(home=tmp_path), given)
