"""Code spans and tables that hold any text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from afina.cards.markdown import cell, code, joined, table


@given(st.text(max_size=30))
def test_a_text_is_one_code_span(text: str) -> None:
    (block,) = [one for one in MarkdownIt("commonmark").parse(f"x {code(text)} x") if one.type == "inline"]
    kinds = [child.type for child in block.children or ()]
    assert kinds == (["text", "code_inline", "text"] if text.strip() else kinds)
    assert "html_inline" not in kinds
    assert "link_open" not in kinds


@given(st.lists(st.text(max_size=12), min_size=3, max_size=3))
def test_a_row_has_its_cells(texts: list[str]) -> None:
    lines = table(["a", "b", "c"], [[code(text) for text in texts]], numbers=1)
    parsed = MarkdownIt("commonmark").enable("table").parse("\n".join(lines))
    assert [one.type for one in parsed].count("td_open") == 3


def test_long_texts_are_cut() -> None:
    assert code("a" * 100) == f"`{'a' * 59}…`"
    assert code("a\nb") == "`a\\nb`"
    assert cell("a|b") == "a\\|b"
    assert cell("a\\|b") == "a¦b"


def test_empty_blocks_are_left_out() -> None:
    assert joined([["a"], [], ["b", "c"]]) == "a\n\nb\nc\n"
