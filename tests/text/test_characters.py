"""Characters as a person sees them, in scripts and forms of all kinds."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.text.characters import starts, whole
from tests.written import FORMS, WORDS, Form

texts = st.lists(
    st.one_of(
        st.sampled_from([*WORDS, "e\u0301\u0323"]), st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    ),
    max_size=5,
).map(" ".join)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", WORDS)
def test_characters_are_those_of_unicode(text: str, form: Form) -> None:
    """The oracle is Unicode's own division (UAX 29). It joins Indic conjuncts too, which are several letters here."""
    regex = pytest.importorskip("regex")
    text = unicodedata.normalize(form, text)
    theirs = {match.start() for match in regex.finditer(r"\X", text)}
    ours = set(starts(text))
    assert theirs <= ours
    assert all(unicodedata.category(text[i - 1]) in ("Mn", "Cf") for i in ours - theirs)


@given(texts, st.sampled_from(FORMS), st.data())
def test_whole_spans_grow_to_whole_characters(text: str, form: Form, data: st.DataObject) -> None:
    text = unicodedata.normalize(form, text)
    edges = st.integers(0, len(text))
    drawn = data.draw(st.lists(st.tuples(edges, edges).map(sorted), max_size=8))
    spans = np.array(drawn, np.int32).reshape(-1, 2)
    found = whole(text, spans)
    assert found.dtype == spans.dtype
    allowed = {*starts(text), len(text)}
    for (start, end), (first, last) in zip(spans.tolist(), found.tolist(), strict=True):
        if start == end:
            assert (first, last) == (start, end)
            continue
        assert first <= start < end <= last
        assert {first, last} <= allowed
        assert not allowed & set(range(first + 1, start + 1)) - {start}
    assert whole(text, found).tolist() == found.tolist()


def test_nothing_combines_with_a_blank() -> None:
    assert starts("a \u0301b\n\u0301\u200b\u0301") == [0, 1, 2, 3, 4, 5, 6, 7]
