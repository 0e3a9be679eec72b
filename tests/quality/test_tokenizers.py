"""What a tokenizer does to texts is measured with the tokenizers of every family, and told where it costs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.assembly import open_tokenizer
from afina.quality import tokenizers
from afina.quality.findings import SHOWN, Finding
from afina.quality.tokenizers import accentless, measure, sample, summary, tokenizer_findings
from afina.records import Example, Row
from afina.tasks.classification import Classification, ClassificationOptions
from afina.tasks.tokens import Tokens, TokensOptions
from afina.text.tokenization import Tokenizer
from tests.tiny import FAMILIES, tiny_tokenizer

TASK = Classification(ClassificationOptions())
SENTENCE = "the cat sleeps on the mat"
PORTUGUESE = "A avó e o avô estão na praia com o seu cão, mas é a avó que não está a nadar."
ENTITIES = Tokens(TokensOptions(text="text", label="spans"), {"kind": "entities", "types": ["LOC"], "scheme": "spans"})


def examples(*texts: str) -> list[Example]:
    return [Example(text, None, "a", f"train row {number}") for number, text in enumerate(texts, 1)]


def findings(*texts: str, family: str = "bert", task: Any = TASK, **more: Sequence[Example]) -> dict[str, Finding]:
    tokenizer = Tokenizer(tiny_tokenizer(family), 32)
    found = tokenizer_findings(task, {"train": examples(*texts), **more}, tokenizer=tokenizer)
    return {one.code: one for one in found}


def of_embedded(name: str, *texts: str) -> dict[str, Finding]:
    found = tokenizer_findings(TASK, {"train": examples(*texts)}, tokenizer=open_tokenizer(name))
    return {one.code: one for one in found}


def test_english_that_the_embedded_model_knows_is_no_reason_to_warn(embedded: str) -> None:
    found = of_embedded(embedded, "The weather is lovely, and US voters told us so.", "Nothing else happened.")
    assert {one.severity for one in found.values()} == {"note"}
    assert found["case"].message.startswith("train: words that differ by case alone are equal to the tokenizer: 1 ")
    assert "us = US" in found["case"].message or "US = us" in found["case"].message
    ((line, level),) = summary(list(found.values()))
    assert level == "info"
    assert line == "train: the tokenizer makes 1.0 tokens of a word; it does not see capitals"


def test_portuguese_loses_its_accents_in_the_embedded_model(embedded: str) -> None:
    found = of_embedded(embedded, *[PORTUGUESE] * 5)
    assert "strips accents (ã 15, " in found["lost-characters"].message
    merged = found["merged-words"]
    assert merged.severity == "warning"
    assert "avó = avô" in merged.message
    assert "e = é" in merged.message
    assert merged.message.endswith("; `afina models --language pt` lists encoders for Portuguese")
    ((line, level),) = summary(list(found.values()))
    assert level == "warning"
    assert line.count("afina models") == 1
    assert line.endswith("lists encoders for Portuguese")
    assert line.count("train: ") == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_words_are_equal_where_their_tokens_are(family: str) -> None:
    """Only the WordPiece tokenizers of these families fold and strip; the others keep what they know."""
    found = findings(*["é e É E a A avó avô"] * 9, family=family)
    plain = FAMILIES[family] == "wordpiece"
    assert ("merged-words" in found) == plain
    assert ("case" in found) == plain


@cache
def kept(family: str) -> Tokenizer:
    return Tokenizer(tiny_tokenizer(family), 32)


@pytest.mark.parametrize("family", ["bert", "roberta", "xlm-roberta"])
@given(texts=st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_any_text_can_be_measured_with_any_tokenizer(family: str, texts: list[str]) -> None:
    tokenizer = kept(family)
    effect = measure(TASK, examples(*texts), tokenizer=tokenizer)
    assert effect.unknown.total() <= effect.tokens
    assert effect.parts.total() <= effect.tokens
    assert set(effect.pieces) == set(effect.words)
    for one in tokenizer_findings(TASK, {"train": examples(*texts)}, tokenizer=tokenizer):
        assert one.message.startswith("train: ")


def test_nothing_to_say_is_no_line() -> None:
    assert summary([]) == []


def test_accents_behind_their_letters_are_accents() -> None:
    assert findings("ac\u0327a\u0303o")["lost-characters"].message == (
        "train: the tokenizer strips accents (◌\u0327 1, ◌\u0303 1)"
    )


def test_composed_and_decomposed_accents_are_one_word() -> None:
    assert "merged-words" not in findings("ação", "ac\u0327a\u0303o")


def test_signs_that_the_tokenizer_does_not_know() -> None:
    found = findings("\u4f60\u597d \u4e16\u754c", "the cat")
    assert found["unknown-tokens"].severity == "warning"
    assert "% of the tokens are unknown to the tokenizer (" in found["unknown-tokens"].message
    assert found["no-tokens"].places == ("train row 1",)
    assert findings(*[SENTENCE] * 30, "the 😀")["unknown-tokens"].severity == "note"


def test_examples_without_tokens_are_counted_and_the_first_shown() -> None:
    found = findings(SENTENCE, *["\u200b\x07"] * (SHOWN + 2))["no-tokens"]
    assert (found.severity, found.count, len(found.places)) == ("warning", SHOWN + 2, SHOWN)
    assert found.message == f"train: {SHOWN + 2} examples without any token that the tokenizer knows"


def test_characters_that_vanish() -> None:
    message = findings("the\u200b cat\x07 sleeps\u200b")["lost-characters"].message
    assert message == "train: the tokenizer drops 3 characters (U+200B, U+0007)"


def test_words_in_many_pieces() -> None:
    assert findings("the the the cat")["fertility"].severity == "note"
    found = findings("catmatdogbird catmatdogbird")["fertility"]
    assert found.severity == "warning"
    assert "tokens of a word, " in found.message
    assert found.message.endswith("; `afina models --language CODE` lists encoders for your texts' language")


def test_scripts_without_blanks_have_no_words_but_bytes() -> None:
    found = findings("你好世界", family="roberta")
    assert "fertility" not in found
    assert "unknown-tokens" not in found
    assert found["split-characters"].severity == "warning"


def placed(text: str, *names: str) -> Example:
    spans = [[text.index(name), text.index(name) + len(name), "LOC"] for name in names]
    return ENTITIES.read(Row({"text": text, "spans": spans}, "train row 1"))


def test_capitals_that_tell_entities_are_missed() -> None:
    tokenizer = Tokenizer(tiny_tokenizer("bert"), 32)
    data = [placed("the cat of Porto and a porto in Braga", "Porto", "Braga")] * 12
    (found,) = [one for one in tokenizer_findings(ENTITIES, {"train": data}, tokenizer=tokenizer) if one.code == "case"]
    assert found.severity == "warning"
    assert "100% of the words of entities begin with one, of the others 0% (Porto = porto)" in found.message
    lower = [placed("the cat of porto and a porto in braga", "porto", "braga")] * 12
    assert "case" not in {one.code for one in tokenizer_findings(ENTITIES, {"train": lower}, tokenizer=tokenizer)}
    bytes_ = Tokenizer(tiny_tokenizer("roberta"), 32)
    assert "case" not in {one.code for one in tokenizer_findings(ENTITIES, {"train": data}, tokenizer=bytes_)}


def test_of_other_splits_only_new_warnings_are_told() -> None:
    odd = examples("\u4f60\u597d")
    found = findings(SENTENCE, validation=odd, test=odd)
    assert found["unknown-tokens"].message.startswith("validation: ")
    assert found["no-tokens"].message.startswith("validation: ")
    assert found["fertility"].message.startswith("train: ")
    assert findings("\u4e16", test=odd)["unknown-tokens"].message.startswith("train: ")


def test_of_many_texts_a_sample_is_measured_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    data = examples(*[f"{SENTENCE} {i}" for i in range(100)])
    assert len(sample(data)) == 100
    monkeypatch.setattr(tokenizers, "TEXTS", 10)
    assert [one.text.rsplit(" ", 1)[1] for one in sample(data)] == [str(10 * i) for i in range(10)]
    found = findings(*[one.text for one in data])
    assert found["fertility"].message.startswith("train (10 of 100 examples): ")
    monkeypatch.setattr(tokenizers, "CHARACTERS", 60)
    assert len(sample(data)) == 2
    monkeypatch.setattr(tokenizers, "CHARACTERS", 1)
    assert len(sample(data)) == 1


def test_both_texts_of_a_pair_are_measured() -> None:
    tokenizer = Tokenizer(tiny_tokenizer("bert"), 32)
    effect = measure(TASK, [Example("the cat", "a dog", "a", "x")], tokenizer=tokenizer)
    assert set(effect.words) == {"the", "cat", "a", "dog"}


@given(st.text())
def test_a_text_without_accents_has_none_to_lose(text: str) -> None:
    assert accentless(accentless(text)) == accentless(text)
