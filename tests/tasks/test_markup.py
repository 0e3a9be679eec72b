"""What annotators write: spans in any form, offsets in the wrong unit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.errors import DataError
from afina.records import Row
from afina.tasks.markup import joined
from afina.tasks.tokens import Tokens, TokensOptions
from afina.text.spans import Span


def test_wrong_units_are_suspected() -> None:
    task = Tokens(TokensOptions(text="text", label="spans"))
    with pytest.raises(DataError, match=r"ends after the text.*counted in UTF-16 units they fit: --offsets utf16"):
        task.read(Row({"text": "😀 Paris", "spans": [[3, 8, "LOC"]]}, "x"))
    with pytest.raises(DataError, match=r"ends after the text.*label$"):
        task.read(Row({"text": "😀 Paris", "spans": [[30, 80, "LOC"]]}, "x"))


def test_units_that_only_cut_words_are_found_out() -> None:
    """Offsets in the middle of a text never leave it, whatever their unit."""
    texts = [f"{'😀' * n} Paris and Porto, again" for n in (1, 2, 3)]
    rows = [
        Row({"text": t, "spans": [[2 * len(t.split()[0]) + 1, 2 * len(t.split()[0]) + 6, "LOC"]]}, "x") for t in texts
    ]
    for unit, refused in (("auto", True), ("characters", False), ("utf16", False)):
        task = Tokens(TokensOptions(text="text", label="spans", offsets=unit))
        examples = [task.read(row) for row in rows]
        if refused:
            with pytest.raises(DataError, match="cuts a word; counted in UTF-16 units they fit: --offsets utf16"):
                task.fit(examples)
        else:
            assert task.fit(examples).types == ["LOC"]


@given(st.lists(st.sampled_from(["the", "cat", "ção", "😀", "é"]), min_size=3, max_size=8), st.data())
def test_right_offsets_are_never_suspected(words: list[str], data: st.DataObject) -> None:
    text, places = joined(words)
    chosen = data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=5, unique=True))
    row = Row({"text": text, "spans": [[start, end, "X"] for start, end in chosen]}, "x")
    task = Tokens(TokensOptions(text="text", label="spans"))
    task.fit([task.read(row)] * 4)


def test_forms_of_spans() -> None:
    task = Tokens(TokensOptions(text="text", label="label"))
    forms: list[Any] = [
        [{"start": 2, "end": 6, "label": "X"}],
        [[2, 6, "X"]],
        [{"start": 1, "end": 6, "labels": ["X"], "text": "cat. "}],
    ]
    for form in forms:
        assert task.read(Row({"text": "a cat.", "label": form}, "x")).target == (Span(2, 6, "X"),)
