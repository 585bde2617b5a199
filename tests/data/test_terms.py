"""Words that set texts apart."""

from __future__ import annotations

import numpy as np

from ml_backend.data.terms import distinctive_terms

COMMON = ["the", "a", "to", "of", "your", "is", "on", "in", "please", "now", "today", "account"]


def texts(n: int, planted: list[str], seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    return [" ".join([*random.choice(COMMON, 6), *planted]) for _ in range(n)]


def test_planted_words_come_first_and_common_ones_not_at_all() -> None:
    here = texts(40, ["battery"], 0) + texts(40, ["charger"], 1)
    found = distinctive_terms(here, texts(300, ["router"], 2))
    assert {found[0].term, found[1].term} == {"battery", "charger"}
    assert (found[0].here, found[0].around) == (0.5, 0.0)
    assert not {term.term for term in found} & {*COMMON, "router"}


def test_a_word_that_is_as_frequent_around_sets_nothing_apart() -> None:
    assert distinctive_terms(texts(60, ["battery"], 0), texts(60, ["battery"], 1)) == ()


def test_a_pair_of_words_that_says_the_same_as_one_of_them_is_not_repeated() -> None:
    here = [f"{text} wi-fi lost" for text in texts(40, [], 0)]
    assert {term.term for term in distinctive_terms(here, texts(100, [], 1))} == {"wi-fi", "lost"}


def test_without_anything_around_the_frequent_words_are_told() -> None:
    assert "battery" in {term.term for term in distinctive_terms(texts(20, ["battery"], 0), [])}


def test_texts_without_words_have_no_terms() -> None:
    assert distinctive_terms([], []) == ()
    assert distinctive_terms(["1 2 3", "??"], ["4"]) == ()
