"""Lengths and cuts are counted as the model would see them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from afina.quality import lengths
from afina.quality.findings import SHOWN, Finding
from afina.quality.lengths import length_findings
from afina.records import Example, Row
from afina.tasks.classification import Classification, ClassificationOptions
from afina.tasks.tokens import Tokens, TokensOptions
from afina.text.tokenization import Tokenizer
from tests.tiny import tiny_tokenizer

TASK = Classification(ClassificationOptions())
SENTENCE = "the cat sleeps on the mat"


def examples(*texts: str) -> list[Example]:
    return [Example(text, None, "a", f"train row {number}") for number, text in enumerate(texts, 1)]


def findings(data: Sequence[Example], max_length: int = 32) -> dict[str, Finding]:
    tokenizer = Tokenizer(tiny_tokenizer("bert"), max_length)
    return {one.code: one for one in length_findings(TASK, data, tokenizer=tokenizer, name="train")}


def test_short_texts_give_their_lengths_and_nothing_else() -> None:
    found = findings(examples(*[SENTENCE] * 3))
    assert list(found) == ["lengths"]
    (window,) = Tokenizer(tiny_tokenizer("bert"), 32).encode(examples(SENTENCE), slides=False)[0].windows
    number = len(window)
    assert found["lengths"].severity == "note"
    assert found["lengths"].message == (
        f"train: 3 examples of {number} tokens (median), {number} (95 %), {number} at most"
    )


def test_texts_that_are_cut_are_counted_and_the_first_shown() -> None:
    found = findings(examples(SENTENCE, *[f"{SENTENCE} " * 9] * (SHOWN + 2)))["truncated"]
    assert (found.severity, found.count) == ("warning", SHOWN + 2)
    assert found.places == tuple(f"train row {number}" for number in range(2, SHOWN + 2))
    assert "longer than 32 tokens" in found.message


def test_the_length_is_that_of_the_whole_text() -> None:
    long = examples(f"{SENTENCE} " * 9)
    cut, whole = findings(long, 32), findings(long, 256)
    assert cut["lengths"] == whole["lengths"]
    assert "truncated" not in whole


@pytest.mark.parametrize("pair", [None, SENTENCE, f"{SENTENCE} " * 9])
def test_overlapping_windows_do_not_lengthen_a_text(pair: str | None) -> None:
    example = Example(f"{SENTENCE} " * 9, pair, "a", "x")
    task = Classification(ClassificationOptions(long="windows"))
    found = {}
    for limit in (32, 256):
        tokenizer = Tokenizer(tiny_tokenizer("bert"), limit)
        findings = length_findings(task, [example], tokenizer=tokenizer, name="train")
        found[limit] = next(one for one in findings if one.code == "lengths")
    assert found[32] == found[256]


def test_gold_spans_that_the_tokens_can_not_hold_are_a_warning() -> None:
    fitted = {"kind": "entities", "types": ["LOC"], "scheme": "spans"}
    task = Tokens(TokensOptions(text="text", label="spans"), fitted)
    tokenizer = Tokenizer(tiny_tokenizer("bert"), 32)
    for spans, severity, whole in (([[4, 7, "LOC"]], "note", 1), ([[4, 7, "LOC"], [9, 12, "LOC"]], "warning", 1)):
        example = task.read(Row({"text": "the cat sleeps", "spans": spans}, "train row 1"))
        found = {one.code: one for one in length_findings(task, [example], tokenizer=tokenizer, name="train")}
        assert (found["coverage"].severity, found["coverage"].count) == (severity, len(spans) - whole)
        assert found["coverage"].message.startswith(f"train: {whole} of {len(spans)} gold ")


@pytest.mark.parametrize("chunk", [1, 2])
def test_the_size_of_the_chunks_means_nothing(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = examples(SENTENCE, "the dog", f"{SENTENCE} " * 9)
    whole = findings(data)
    monkeypatch.setattr(lengths, "CHUNK", chunk)
    assert findings(data) == whole
