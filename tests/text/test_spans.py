"""Offsets in any unit, and stretches that overlap."""

from __future__ import annotations

import pytest

from afina.records import Row
from afina.tasks.tokens import Tokens, TokensOptions
from afina.text.spans import Span, positions, without_overlaps


def test_offsets_of_other_tools() -> None:
    text = "I 😀 love Paris"
    row = {"characters": 9, "utf16": 10, "bytes": 12}
    for unit, start in row.items():
        task = Tokens(TokensOptions(text="text", label="spans", offsets=unit))
        found = task.read(Row({"text": text, "spans": [[start, start + 5, "LOC"]]}, "x"))
        assert found.target == (Span(9, 14, "LOC"),)
    with pytest.raises(ValueError, match="inside a character"):
        positions(text, "utf16")(3)


def test_overlapping_spans_keep_the_longer() -> None:
    spans = [Span(0, 5, "A"), Span(3, 10, "B"), Span(12, 14, "A")]
    assert without_overlaps(spans) == [Span(3, 10, "B"), Span(12, 14, "A")]
