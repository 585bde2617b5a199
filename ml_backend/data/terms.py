"""Words and pairs of words that set some texts apart from others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer

WORD = r"(?u)\b[^\W\d_][\w'’-]*\w\b"
"""Begins with a letter, two characters or more."""
PRIOR_TEXTS = 10.0
"""How many texts' worth of the common vocabulary each side is mixed with: a term met once or twice proves little."""
FEWEST = 2
"""Texts in which a term must occur."""
SURE = 2.5
"""Smallest z-score of a term that is shown: many are tried, and some stand out by chance."""
MOST_TERMS = 20_000


@dataclass(frozen=True)
class Term:
    """here, around: share of the texts with the term, 0..1."""

    term: str
    here: float
    around: float


def distinctive_terms(here: Sequence[str], around: Sequence[str], most: int = 12) -> tuple[Term, ...]:
    """The terms that are surest to be more frequent here, surest first; none when nothing is.

    z-score of the log-odds ratio of a term's document frequencies under a Dirichlet prior made of both sides, as in
    "Fightin' Words" (Monroe, Colaresi and Quinn 2008). Without texts around, the most frequent terms.
    """
    counts, terms = _document_counts(here, around)
    if not len(terms):
        return ()
    n = np.array([max(len(here), 1), max(len(around), 1)], np.float64)
    z = _z_scores(counts, n) if len(around) else counts[0]
    order = np.argsort(-z, kind="stable")
    chosen: dict[int, set[str]] = {}
    for place in order:
        if len(chosen) == most or z[place] < SURE:
            break
        words = set(terms[place].split())
        # A pair beside one of its words, or a word of a pair, says the same again.
        said = any(words <= other or other <= words for other in chosen.values())
        if counts[0, place] >= FEWEST and not said:
            chosen[int(place)] = words
    share = counts / n[:, None]
    return tuple(Term(str(terms[place]), float(share[0, place]), float(share[1, place])) for place in chosen)


def _document_counts(here: Sequence[str], around: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """(2, V) number of texts with each term, on either side, and the terms (V,)."""
    vectorizer = CountVectorizer(
        binary=True, ngram_range=(1, 2), token_pattern=WORD, min_df=FEWEST, max_features=MOST_TERMS
    )
    try:
        found = vectorizer.fit_transform([*here, *around])
    except ValueError:  # no term occurs twice
        return np.zeros((2, 0)), np.empty(0, object)
    sides = (found[: len(here)], found[len(here) :])
    return np.stack([np.asarray(s.sum(axis=0), np.float64).ravel() for s in sides]), vectorizer.get_feature_names_out()


def _z_scores(counts: NDArray[np.float64], n: NDArray[np.float64]) -> NDArray[np.float64]:
    prior = PRIOR_TEXTS * counts.sum(axis=0) / n.sum()
    with_term = counts + prior
    without = n[:, None] + PRIOR_TEXTS - with_term
    log_odds = np.log(with_term) - np.log(np.maximum(without, 1e-9))
    spread = np.sqrt((1.0 / with_term + 1.0 / np.maximum(without, 0.5)).sum(axis=0))
    return np.asarray((log_odds[0] - log_odds[1]) / spread)
