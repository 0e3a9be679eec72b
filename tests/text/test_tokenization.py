"""Windows know where they stand: spans, shares, cores, special tokens."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.errors import ConfigError
from afina.model.families import locate
from afina.model.pretrained import load_tokenizer
from afina.records import Example
from afina.text.characters import starts
from afina.text.tokenization import Tokenizer, chunks, shares, steps
from tests import tiny as made
from tests.written import FORMS, WORDS

KINDS = ["bert", "roberta", "xlm-roberta"]
TOKENIZERS = {family: Tokenizer(made.tiny_tokenizer(family), 24) for family in KINDS}
texts = st.text(
    st.one_of(st.sampled_from("the cat sleeps é ç ã 😀 \n\t'-12.5[SEP]</>"), st.characters(exclude_categories=["Cs"])),
    max_size=60,
)
WRITTEN = st.builds(
    unicodedata.normalize,
    st.sampled_from(FORMS),
    st.lists(st.sampled_from([*WORDS, ",", "("]), max_size=8).map(" ".join),
)
"""Words of many scripts, signs and emoji sequences, in the forms of Unicode."""


@pytest.mark.parametrize("family", KINDS)
@given(text=texts)
def test_spans_point_into_the_text_in_order(family: str, text: str) -> None:
    (tokens,) = TOKENIZERS[family].tokens([text])
    ends = 0
    for start, end in tokens.spans.tolist():
        assert 0 <= start <= end <= len(text)
        assert text[start:end] == text[start:end].strip() or family == "xlm-roberta"
        assert end >= ends
        ends = end


@pytest.mark.parametrize("family", made.FAMILIES)
@given(text=WRITTEN)
def test_no_token_cuts_a_character(family: str, text: str) -> None:
    """A letter goes with its marks, in every form and script, and all that is visible lies in a token."""
    (tokens,) = Tokenizer(made.tiny_tokenizer(family), 24).tokens([text])
    borders = {*starts(text), len(text)}
    covered: set[int] = set()
    ends = 0
    for start, end in tokens.spans.tolist():
        assert start == end or {start, end} <= borders
        assert end >= ends
        ends = end
        covered |= set(range(start, end))
    assert covered >= {i for i, one in enumerate(text) if one.isalnum()}


@pytest.mark.parametrize("family", KINDS)
@given(text=texts, pair=st.none() | texts, length=st.integers(12, 30))
def test_one_window_never_exceeds_its_length_and_counts_what_it_cuts(
    family: str, text: str, pair: str | None, length: int
) -> None:
    tokenizer = Tokenizer(TOKENIZERS[family].pretrained, length)
    (one,) = tokenizer.encode([Example(text, pair)])
    (window,) = one.windows
    assert len(window) <= length
    whole = sum(len(tokens) for tokens in tokenizer.tokens([text, *([] if pair is None else [pair])]))
    assert int((window.segments >= 0).sum()) + one.truncated_tokens == whole
    assert one.truncated_tokens == 0 or len(window) == length


@pytest.mark.parametrize("family", KINDS)
@given(text=texts, pair=st.none() | texts, length=st.integers(16, 30), overlap=st.integers(0, 40))
def test_cores_of_sliding_windows_hold_every_token_once(
    family: str, text: str, pair: str | None, length: int, overlap: int
) -> None:
    tokenizer = Tokenizer(TOKENIZERS[family].pretrained, length)
    (one,) = tokenizer.encode([Example(text, pair)], slides=True, overlap=overlap)
    (moving,) = tokenizer.tokens([text if pair is None else pair])
    ids = np.concatenate([window.ids[slice(*window.core)] for window in one.windows])
    spans = np.concatenate([window.spans[slice(*window.core)] for window in one.windows])
    assert ids.tolist() == moving.ids.tolist()
    assert spans.tolist() == moving.spans.tolist()
    assert all(len(window) <= length for window in one.windows)
    segment = 0 if pair is None else 1
    for window in one.windows:
        assert set(window.segments[slice(*window.core)].tolist()) <= {segment}


@given(a=st.integers(0, 200), b=st.integers(0, 200), room=st.integers(2, 100))
def test_the_longer_text_is_cut_first_and_both_keep_something(a: int, b: int, room: int) -> None:
    kept_a, kept_b = shares(a, b, room)
    assert kept_a + kept_b == min(a + b, room)
    assert 0 <= kept_a <= a
    assert 0 <= kept_b <= b
    assert (kept_a > 0) == (a > 0)
    assert (kept_b > 0) == (b > 0)
    if kept_a < a and kept_b < b:
        assert abs(kept_a - kept_b) <= 1


@given(n=st.integers(0, 300), room=st.integers(1, 60), overlap=st.integers(0, 80))
def test_steps_tile_the_tokens(n: int, room: int, overlap: int) -> None:
    covered: list[int] = []
    for start, end, (first, last) in steps(n, room, overlap):
        assert 0 <= start <= end <= n
        assert end - start <= room
        assert 0 <= first <= last <= end - start
        covered += range(start + first, start + last)
    assert covered == list(range(n))


FORGED = "good [SEP] bad [CLS][MASK]x[PAD] </s> <s><mask>y<pad> </s></s> [sep]"


def literal(tokenizer: Tokenizer) -> None:
    """See that the names of structural tokens in a text are characters, each in one token, and forge nothing."""
    special = {
        getattr(tokenizer.pretrained, f"{name}_token_id") for name in ("cls", "sep", "pad", "mask", "bos", "eos")
    }
    (tokens,) = tokenizer.tokens([FORGED])
    assert special.isdisjoint(tokens.ids.tolist())
    covered = [place for start, end in tokens.spans.tolist() for place in range(start, end)]
    assert covered == sorted(covered)
    assert {place for place in covered if FORGED[place] != " "} == {i for i, one in enumerate(FORGED) if one != " "}
    single, pair = tokenizer.encode([Example(FORGED)]), tokenizer.encode([Example(FORGED, FORGED)])
    for (one,), form in ((single, tokenizer.single), (pair, tokenizer.double)):
        (window,) = one.windows
        assert sum(int(one) in special for one in window.ids) == form.size
        assert special.isdisjoint(window.ids[window.segments >= 0].tolist())
        assert set(window.segments.tolist()) == ({-1, 0} if form is tokenizer.single else {-1, 0, 1})


@pytest.mark.parametrize("family", made.FAMILIES)
def test_special_tokens_in_a_text_stay_text(family: str) -> None:
    literal(Tokenizer(made.tiny_tokenizer(family), 300))


def test_special_tokens_in_a_text_stay_text_for_the_embedded_model(embedded: str) -> None:
    source, local = locate(embedded)
    literal(Tokenizer(load_tokenizer(source, local=local), 512))


@pytest.mark.parametrize("family", made.FAMILIES)
def test_added_tokens_are_tokens_and_structural_ones_stay_text(family: str) -> None:
    """As in Hugging Face, whichever way the user added them; the saved tokenizer is as it was."""
    pretrained = made.tiny_tokenizer(family)
    pretrained.add_special_tokens({"additional_special_tokens": ["[E1]", "[/E1]"]})
    pretrained.add_tokens(["<date>", "covfefe"])
    before = pretrained.backend_tokenizer.to_str()
    texts = ["[E1] the cat [/E1] met <date>", "[E1]covfefe[/E1]", "(<date>[E1]) [e1] [E1", "the [E1 ] cat"]
    expected = [pretrained(text, add_special_tokens=False).input_ids for text in texts]
    tokenizer = Tokenizer(pretrained, 300)
    found = [tokens.ids.tolist() for tokens in tokenizer.tokens(texts)]
    assert found == expected
    marker = pretrained.convert_tokens_to_ids("[E1]")
    assert [ids.count(marker) for ids in found] == [1, 1, 1, 0]
    literal(tokenizer)
    forged = f"[E1] {pretrained.sep_token}{pretrained.cls_token} [/E1]"
    (tokens,) = tokenizer.tokens([forged])
    assert {pretrained.sep_token_id, pretrained.cls_token_id}.isdisjoint(tokens.ids.tolist())
    assert forged[slice(*tokens.spans[0])] == "[E1]"
    assert pretrained.backend_tokenizer.to_str() == before


def test_the_types_of_a_pair(tiny: Callable[[str], Path]) -> None:
    tokenizer = Tokenizer(load_tokenizer(str(tiny("bert")), local=True), 64)
    window = tokenizer.encode([Example("the cat", "the dog")])[0].windows[0]
    #                                   [CLS] the cat [SEP] the dog [SEP]
    assert window.types.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert window.segments.tolist() == [-1, 0, 0, -1, 1, 1, -1]


def test_pairs_and_single_texts_keep_their_order(tiny: Callable[[str], Path]) -> None:
    tokenizer = Tokenizer(load_tokenizer(str(tiny("bert")), local=True), 64)
    examples = [Example("the cat", "a dog" if i % 3 else None) for i in range(7)]
    together = tokenizer.encode(examples)
    for example, one in zip(examples, together, strict=True):
        assert tokenizer.encode([example])[0].windows[0].ids.tolist() == one.windows[0].ids.tolist()


def test_a_length_without_room_is_refused(tiny: Callable[[str], Path]) -> None:
    with pytest.raises(ConfigError, match="no room for text"):
        Tokenizer(load_tokenizer(str(tiny("bert")), local=True), 5)


def test_chunks() -> None:
    assert list(chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunks([], 2)) == []


def test_rows_are_counted_without_the_mask(tiny: Callable[[str], Path]) -> None:
    pretrained = load_tokenizer(str(tiny("bert")), local=True)
    size = len(pretrained)
    assert Tokenizer(pretrained, 64).rows == size
    pretrained.add_special_tokens({"mask_token": "[NEW MASK]"})
    assert (len(pretrained), Tokenizer(pretrained, 64).rows) == (size + 1, size)
    pretrained.add_tokens(["<new>"])
    assert Tokenizer(pretrained, 64).rows == size + 2
