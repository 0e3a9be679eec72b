"""Scores of answers follow the official rules of SQuAD."""

from __future__ import annotations

import pytest

from afina.metrics.answers import normalized, word_f1


@pytest.mark.parametrize(
    ("said", "reference", "f1"),
    [
        ("The Cat!", "cat", 1.0),
        ("a cat", "the cat", 1.0),
        ("cat", "dog", 0.0),
        ("black cat", "cat", 2 / 3),
        ("the the", "cat", 0.0),
        ("", "", 1.0),
        ("the", "a", 1.0),
        ("", "cat", 0.0),
        ("cat", "", 0.0),
        ("theatre an hour", "theatre hour", 1.0),
        ("cat cat dog", "cat dog dog", 2 / 3),
        ("$1,200.50", "120050", 1.0),
        ("well-known", "wellknown", 1.0),
        ("Zoë  Müller", "zoë müller", 1.0),
    ],
)
def test_the_official_f1_case_by_case(said: str, reference: str, f1: float) -> None:
    """By hand from the rules of the SQuAD evaluation script: case, punctuation, articles, blanks, bags of words."""
    assert word_f1(said, reference) == pytest.approx(f1)
    assert (normalized(said) == normalized(reference)) == (f1 == 1.0)
