"""Schemes of tags are read as conlleval and seqeval read them, and decoding gives legal sequences only."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.text.schemes import entities_of, find_scheme, to_bio, viterbi
from afina.text.spans import Span

tags = st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]), max_size=12)


@given(tags)
def test_spans_to_tags_to_spans_is_the_identity(sequence: list[str]) -> None:
    spans = entities_of(sequence)
    assert entities_of(to_bio(spans, len(sequence))) == spans


@given(tags)
def test_entities_equal_seqeval(sequence: list[str]) -> None:
    oracle = pytest.importorskip("seqeval.metrics.sequence_labeling")
    theirs = [Span(start, end + 1, label) for label, start, end in oracle.get_entities(sequence)]
    assert entities_of(sequence) == theirs


@pytest.mark.parametrize(
    ("written", "scheme"),
    [
        ([["B-A", "I-A", "O", "B-B"]], "IOB2"),
        ([["I-A", "I-A", "B-A", "O", "I-B"]], "IOB1"),
        ([["I-A", "I-A", "O", "I-B"]], "IO"),
        ([["B-A", "E-A", "O", "S-B"]], "BIOES"),
        ([["B-A", "L-A", "O", "U-B"]], "BIOES"),
    ],
)
def test_schemes(written: list[list[str]], scheme: str) -> None:
    assert find_scheme(written) == scheme
    assert Span(len(written[0]) - 1, len(written[0]), "B") in entities_of(written[0])
    assert Span(0, 2, "A") in entities_of(written[0])


@given(st.integers(1, 8), st.integers(0, 2**31))
def test_decoding_is_legal_and_the_best_of_all(n: int, seed: int) -> None:
    names = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]
    emissions = np.log(np.random.default_rng(seed).dirichlet(np.ones(5), size=n))
    found = viterbi(emissions, names)
    assert to_bio(entities_of(found), n) == found
    if n <= 4:
        best = max(
            (sum(emissions[i, k] for i, k in enumerate(path)), path)
            for path in np.ndindex(*[5] * n)
            if to_bio(entities_of([names[k] for k in path]), n) == [names[k] for k in path]
        )
        assert sum(emissions[i, names.index(tag)] for i, tag in enumerate(found)) == pytest.approx(best[0])


@given(tags)
def test_strict_entities_equal_seqeval(sequence: list[str]) -> None:
    scheme = pytest.importorskip("seqeval.scheme")
    found = scheme.Entities([sequence], scheme.IOB2).entities[0]
    assert entities_of(sequence, strict=True) == [Span(one.start, one.end, one.tag) for one in found]
