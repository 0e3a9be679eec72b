"""Scores of answers by the official rules of SQuAD (Rajpurkar et al. 2016, 2018), for English.

The columns are `exact` [n] and `f1` [n], each the best over the references of an example, and `has_answer` [n].
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np

from .kinds import Array, Proportion, Table, share

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)


exact_match = share(lambda table: table["exact"])
"""Mean of the column `exact`: 1 for an answer that equals a reference, else 0."""

answer_f1 = share(lambda table: table["f1"])
"""Mean of the column `f1`: F1 over the words of answer and reference, between 0 and 1."""


def where(column: str, *, has_answer: bool) -> Proportion:
    """The mean of a column over the questions that have an answer, or over the others; nan where there are none."""

    def counts(table: Table) -> tuple[Array, Array]:
        chosen = (table["has_answer"] > 0) == has_answer
        return table[column] * chosen, chosen

    return Proportion(counts)


def normalized(text: str) -> str:
    """Text in lower case, without punctuation, articles and repeated blanks."""
    return " ".join(ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split())


def references(texts: Sequence[str]) -> list[str]:
    """Texts that count as right: those that are not empty after normalisation, or the empty text where all are."""
    return [text for text in texts if normalized(text)] or [""]


def best_f1(said: str, texts: Sequence[str]) -> float:
    """The largest word F1 of an answer with any of its references."""
    return max(word_f1(said, reference) for reference in references(texts))


def best_exact(said: str, texts: Sequence[str]) -> float:
    """1 where an answer equals a reference after normalisation, else 0."""
    return float(any(normalized(said) == normalized(reference) for reference in references(texts)))


def word_f1(said: str, reference: str) -> float:
    """F1 of two bags of words. Where one is empty, it is 1 if both are, else 0."""
    first, second = normalized(said).split(), normalized(reference).split()
    if not first or not second:
        return float(first == second)
    shared = sum((Counter(first) & Counter(second)).values())
    return 2 * shared / (len(first) + len(second))


def best_threshold(margins: Array, gains: Array) -> float:
    """The threshold t with the largest sum of gains over the answered questions, which have a margin <= t.

    Args:
        margins: Score of "no answer" minus score of the best answer. [n]
        gains: Gain of answering: F1 of the answer minus F1 of "no answer". [n]
    """
    order = np.argsort(margins, kind="stable")
    totals = np.concatenate([[0.0], np.cumsum(gains[order])])
    answered = int(totals.argmax())
    finite = margins[order][np.isfinite(margins[order])]
    if not len(finite):
        return 0.0
    low = finite[answered - 1] if answered else finite[0] - 1.0
    high = finite[answered] if answered < len(finite) else finite[-1] + 1.0
    return float((low + high) / 2)
