"""Scores as sentences, for people who do not read numbers."""

from __future__ import annotations

from ml_backend.core.query import SURE

FAIRLY = 0.6
UNLIKE, SOMEWHAT = 0.66, 0.33
NEVER, UNUSUAL = 0.99, 0.9
NOISY = 0.9
CONTRADICTED, DOUBTED = 0.5, 0.25


def words_of(
    *,
    predicted: bool,
    confidence: float,
    s_ood: float,
    novelty: float,
    aleatoric: float,
    disagreement: float,
    evidence: float,
) -> list[str]:
    """One sentence a score, each with its number. All scores are in [0, 1] as on the map.

    predicted: whether a class is. None is named here: people may have chosen another name for it on the map.
    """
    return [
        _confidence(predicted, confidence),
        _s_ood(s_ood),
        _evidence(evidence),
        _novelty(novelty),
        _aleatoric(aleatoric),
        _disagreement(disagreement),
    ]


def _confidence(predicted: bool, value: float) -> str:
    if not predicted:
        return "Nothing is predicted: no label reaches it yet, or it is unlike everything else."
    how = "Quite sure" if value >= SURE else "Fairly sure" if value >= FAIRLY else "Unsure"
    return f"{how} of the prediction ({value:.2f})."


def _s_ood(value: float) -> str:
    how = "Unlike" if value >= UNLIKE else "Somewhat like" if value >= SOMEWHAT else "Much like"
    return f"{how} what has been labelled (s_OOD {value:.2f})."


def _evidence(value: float) -> str:
    how = "Many labels" if value >= UNLIKE else "Some labels" if value >= SOMEWHAT else "Few or no labels"
    return f"{how} lie in its group (evidence {value:.2f})."


def _novelty(value: float) -> str:
    if value >= NEVER:
        return f"Nothing like it was ever seen in this project (novelty {value:.2f})."
    return f"{'Unusual' if value >= UNUSUAL else 'An ordinary item'} in this project (novelty {value:.2f})."


def _aleatoric(value: float) -> str:
    noisy, usual = "Noisier than most: even the model that knows it well draws it blurred", "Not among the noisiest"
    return f"{noisy if value >= NOISY else usual} (rank {value:.2f})."


def _disagreement(value: float) -> str:
    if value >= CONTRADICTED:
        return f"Its neighbours, other labels or its annotators say something else (disagreement {value:.2f})."
    how = "Not everything around it agrees" if value >= DOUBTED else "All around it agrees"
    return f"{how} (disagreement {value:.2f})."
