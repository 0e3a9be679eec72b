"""Words, spans, tags and windows: nothing gets lost between them, whatever the text."""

from __future__ import annotations

import json
import unicodedata
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from afina import inference
from afina.records import Example, Row
from afina.tasks.inputs import COUNTABLE
from afina.tasks.losses import IGNORED
from afina.tasks.markup import joined
from afina.tasks.tokens import Tokens, TokensOptions
from afina.text.schemes import entities_of, to_bio
from afina.text.spans import Span, without_overlaps
from afina.text.tokenization import Tokenizer
from tests import tiny as made
from tests.written import FORMS, WORDS, Form

TOKENIZERS = {family: made.tiny_tokenizer(family) for family in ("bert", "roberta", "xlm-roberta")}
FACTS = {"kind": "entities", "types": ["LOC", "PER"], "scheme": "IOB2"}
tags = st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]), max_size=12)
words = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=7).filter(lambda word: word.strip() != ""),
    min_size=1, max_size=25,
)  # fmt: skip


def perfect(task: Tokens, example: Example, windows: Any) -> list[np.ndarray[Any, Any]]:
    """Logits that say the target of each labelled token, and the opposite of sense elsewhere."""
    found = []
    for window in windows:
        target = task.encode_target(example, window)
        logits = np.zeros((len(window), len(task.tags)))
        logits[np.arange(len(window)), np.where(target == IGNORED, 1, target)] = 30.0
        found.append(logits)
    return found


@pytest.mark.parametrize("family", list(TOKENIZERS))
@pytest.mark.parametrize("subwords", ["first", "all"])
@given(words=words, data=st.data(), length=st.integers(16, 40), overlap=st.integers(2, 20))
def test_words_to_windows_to_words_is_the_identity(
    family: str, subwords: str, words: list[str], data: st.DataObject, length: int, overlap: int
) -> None:
    task = Tokens(TokensOptions(tokens="tokens", tags="tags", subwords=subwords), FACTS)
    edges = st.sampled_from(["O", "B-PER", "B-LOC", "I-PER"])
    gold = data.draw(st.lists(edges, min_size=len(words), max_size=len(words)))
    gold = to_bio(entities_of(gold), len(words))
    text, places = joined(words)
    assert [text[start:end] for start, end in places] == words
    example = Example(text, None, tuple(gold), "x", places)
    tokenizer = Tokenizer(TOKENIZERS[family], length)
    # A word that the tokenizer turns into nothing can't say its tag; it still has to get one.
    seen = {i for i, word in enumerate(words) if len(tokenizer.tokens([word])[0])}
    (features,) = tokenizer.encode([example], slides=True, overlap=overlap)
    assert features.truncated_tokens == 0
    found = task.decode(example, features.windows, perfect(task, example, features.windows))["tags"]
    assert len(found) == len(words)
    if len(seen) == len(words) and all(word == word.strip() for word in words):
        assert found == gold


@pytest.mark.parametrize("family", list(TOKENIZERS))
@given(data=st.data(), length=st.integers(16, 40), overlap=st.integers(2, 20))
def test_spans_to_windows_to_spans_is_the_identity(family: str, data: st.DataObject, length: int, overlap: int) -> None:
    """For spans that begin and end where tokens do, which the tokenizer itself draws here."""
    text = data.draw(st.text(st.sampled_from("the cat sleeps é ç 😀 12.50,"), max_size=80))
    task = Tokens(TokensOptions(text="text", label="spans"), {**FACTS, "scheme": "spans"})
    tokenizer = Tokenizer(TOKENIZERS[family], length)
    (tokens,) = tokenizer.tokens([text])
    visible = sorted({(int(s), int(e)) for s, e in tokens.spans if text[s:e].strip()})
    borders = sorted(set(data.draw(st.lists(st.integers(0, max(0, len(visible) - 1)), max_size=8))))
    spans = []
    for first, last in list(pairwise(borders))[::2]:
        start, end = visible[first][0], visible[last - 1][1]
        if end > start and text[start:end] == text[start:end].strip():
            spans.append(Span(start, end, data.draw(st.sampled_from(["PER", "LOC"]))))
    assume(all(a.end <= b.start for a, b in pairwise(spans)))
    # Tokens that share one character (bytes of it) can't be told apart by offsets.
    assume(all(a[1] <= b[0] for a, b in pairwise(visible)))
    assume(not any(a.end == b.start and a.label == b.label for a, b in pairwise(spans)) or family == "bert")
    example = Example(text, None, tuple(spans), "x")
    (features,) = tokenizer.encode([example], slides=True, overlap=overlap)
    found = task.decode(example, features.windows, perfect(task, example, features.windows))["entities"]
    assert [Span(one["start"], one["end"], one["label"]) for one in found] == spans
    assert all(one["text"] == text[one["start"] : one["end"]] for one in found)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 6), st.sampled_from(["PER", "LOC"])), max_size=6))
def test_scores_equal_seqeval(raw: list[tuple[int, int, str]]) -> None:
    """Precision, recall and F1, micro and macro, on two random taggings of the same words."""
    oracle = pytest.importorskip("seqeval.metrics")
    spans = without_overlaps(Span(start, start + size, label) for start, size, label in raw)
    gold, said = to_bio(spans[::2], 30), to_bio(spans[1:] + spans[:1], 30) if len(spans) > 2 else ["O"] * 30
    task = Tokens(TokensOptions(tokens="tokens", tags="tags"), FACTS)
    text, places = joined(["x"] * 30)
    example = Example(text, None, tuple(gold), "x", places)
    table = inference.table_of(task, [example], predictions=[{"tags": said, "entities": []}])
    found = inference.score(task, table)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert found["entity_f1"] == pytest.approx(oracle.f1_score([gold], [said]))
        assert found["entity_precision"] == pytest.approx(oracle.precision_score([gold], [said]))
        assert found["entity_recall"] == pytest.approx(oracle.recall_score([gold], [said]))
        if any(tag != "O" for tag in gold + said):
            assert found["entity_macro_f1"] == pytest.approx(oracle.f1_score([gold], [said], average="macro"))


def test_overlapping_spans_are_listed_with_their_place() -> None:
    task = Tokens(TokensOptions(text="text", label="spans"))
    example = task.read(Row({"text": "in an hour", "spans": [[0, 10, "time"], [3, 10, "date"]]}, "train.jsonl:7"))
    (doubt,) = task.warnings([example])
    assert str(doubt).startswith("train.jsonl:7: span [3, 10) 'date' 'an hour' overlaps another span; the longer one")
    task = task.fit([example])
    windows = Tokenizer(TOKENIZERS["bert"], 24).encode([example], slides=True)[0].windows
    assert task.coverage(example, windows) == ["", "overlapping a longer one"]


def test_what_tokens_cannot_express_is_counted() -> None:
    task = Tokens(TokensOptions(text="text", label="spans"), {**FACTS, "scheme": "spans"})
    tokenizer = Tokenizer(TOKENIZERS["bert"], 24)
    text = "the cat sleeps"
    for span, held in ((Span(4, 7, "PER"), 1), (Span(5, 7, "PER"), 0), (Span(4, 14, "PER"), 1)):
        example = Example(text, None, (span,), "x")
        (features,) = tokenizer.encode([example], slides=True)
        assert task.coverage(example, features.windows) == ["" if held else "with an edge inside a token"]
    words = Tokens(TokensOptions(tokens="tokens", tags="tags"), FACTS)
    text, places = joined(["the", "\u200b", "cat"])
    example = Example(text, None, ("O", "B-PER", "B-PER"), "x", places)
    (features,) = tokenizer.encode([example], slides=True)
    assert words.coverage(example, features.windows) == ["with a word without a token", ""]


spans_of_words = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 6), st.sampled_from(["PER", "LOC"])), max_size=7
).map(lambda raw: without_overlaps(Span(start, start + size, label) for start, size, label in raw))


@given(spans_of_words, spans_of_words)
def test_partial_and_typed_scores_equal_nervaluate(gold: list[Span], said: list[Span]) -> None:
    import nervaluate as oracle

    assume(gold or said)
    lists = [[[{"label": one.label, "start": one.start, "end": one.end - 1} for one in some]] for some in (gold, said)]
    theirs = oracle.Evaluator(*lists, tags=["PER", "LOC"], loader="dict").evaluate()["overall"]
    task = Tokens(TokensOptions(tokens="tokens", tags="tags"), FACTS)
    text, places = joined(["x"] * 30)
    example = Example(text, None, tuple(to_bio(gold, 30)), "x", places)
    found = inference.score(
        task, inference.table_of(task, [example], predictions=[{"tags": to_bio(said, 30), "entities": []}])
    )
    assert found["entity_f1"] == pytest.approx(theirs["strict"].f1)
    assert found["entity_partial_f1"] == pytest.approx(theirs["partial"].f1)
    assert found["entity_type_f1"] == pytest.approx(theirs["ent_type"].f1)


def test_types_that_training_lacks_count_as_missed() -> None:
    task = Tokens(TokensOptions(tokens="tokens", tags="tags"), FACTS)
    text, places = joined(["a", "b", "c"])
    example = Example(text, None, ("B-PER", "O", "B-NEW"), "x", places)
    problem = task.check(example)
    assert problem is not None
    assert problem.code == COUNTABLE
    table = inference.table_of(task, [example], predictions=[{"tags": ["B-PER", "O", "O"], "entities": []}])
    assert inference.score(task, table)["entity_recall"] == 0.5
    assert [(line["label"], line["support"]) for line in task.breakdown(table)][-1] == ("(unseen in training)", 1)


def test_rare_tags_weigh_more() -> None:
    task = Tokens(TokensOptions(tokens="tokens", tags="tags", class_weights="balanced"))
    examples = [task.read(Row({"tokens": ["a", "b", "c", "d"], "tags": ["O", "O", "B-X", "I-X"]}, "x"))] * 5
    weights = dict(zip(task.fit(examples).tags, task.fit(examples).fitted["weights"], strict=True))
    assert weights["B-X"] == weights["I-X"] > weights["O"]
    spans = Tokens(TokensOptions(text="text", label="spans", class_weights="balanced"))
    examples = [spans.read(Row({"text": "a b c d", "spans": [[4, 7, "X"]]}, "x"))] * 5
    assert dict(zip(spans.fit(examples).tags, spans.fit(examples).fitted["weights"], strict=True)) == weights


def test_words_that_become_nothing_still_get_a_tag() -> None:
    task = Tokens(TokensOptions(tokens="tokens", tags="tags"), FACTS)
    sentence = ["the", "\u200b", "\xad", "cat", "\x85"]
    text, places = joined(sentence)
    example = Example(text, None, ("O", "O", "O", "B-PER", "O"), "x", places)
    tokenizer = Tokenizer(TOKENIZERS["bert"], 24)
    windows = tokenizer.encode([example], slides=True)[0].windows
    found = task.decode(example, windows, perfect(task, example, windows))
    assert found["tags"] == ["O", "O", "O", "B-PER", "O"]
    assert [(one["start"], one["end"]) for one in found["entities"]] == [(3, 4)]


def test_a_lone_blank_does_not_end_an_entity() -> None:
    """Some tokenizers make a token of the blank before a rare word."""
    task = Tokens(TokensOptions(text="text", label="spans"), {**FACTS, "scheme": "spans"})
    text = "00000000 00 the cat"
    example = Example(text, None, (Span(0, 11, "PER"),), "x")
    windows = Tokenizer(TOKENIZERS["xlm-roberta"], 40).encode([example], slides=True)[0].windows
    assert any(start == end for start, end in windows[0].spans[1:-1].tolist())
    found = task.decode(example, windows, perfect(task, example, windows))["entities"]
    assert [(one["start"], one["end"], one["text"]) for one in found] == [(0, 11, "00000000 00")]


def test_a_model_of_words_reads_plain_text() -> None:
    task = Tokens(TokensOptions(tokens="tokens", tags="tags"), FACTS)
    example = Example("Ana sleeps (in Porto).")
    tokenizer = Tokenizer(TOKENIZERS["bert"], 40)
    windows = tokenizer.encode([example], slides=True)[0].windows
    known = Example(example.text, None, ("B-PER", "O", "O", "O", "B-LOC", "O", "O"), "x", None)
    words = [(0, 3), (4, 10), (11, 12), (12, 14), (15, 20), (20, 21), (21, 22)]
    logits = perfect(task, Example(known.text, None, known.target, "x", tuple(words)), windows)
    found = task.decode(example, windows, logits)["entities"]
    assert [(one["text"], one["label"]) for one in found] == [("Ana", "PER"), ("Porto", "LOC")]


def fitted_on(*lines: str, **options: Any) -> tuple[Tokens, list[Example]]:
    """A task fitted on sentences: words with their tags behind a bar."""
    task = Tokens(TokensOptions(tokens="tokens", tags="tags", **options))
    rows = [[word.rpartition("|") for word in line.split()] for line in lines]
    examples = [
        task.read(Row({"tokens": [word for word, _, _ in row], "tags": [tag for *_, tag in row]}, "x")) for row in rows
    ]
    return task.fit(examples), examples


def test_raw_text_is_cut_as_the_training_words_were() -> None:
    task, _ = fitted_on("write|O to|O ana@mail.com|B-MAIL today|O", "pay|O 12.50|B-PRICE now|O")
    task = Tokens(task.options, json.loads(json.dumps(dict(task.fitted))))
    assert task.found["words of raw text"] == ". @ stand inside words"
    example = Example("rui@shop.net or 3.20, now")
    gold = Example(
        example.text, None, ("B-MAIL", "O", "B-PRICE", "O", "O"), "x", ((0, 12), (13, 15), (16, 20), (20, 21), (22, 25))
    )
    windows = Tokenizer(TOKENIZERS["bert"], 60).encode([example], slides=True)[0].windows
    found = task.decode(example, windows, perfect(task, gold, windows))["entities"]
    assert [(one["text"], one["label"]) for one in found] == [("rui@shop.net", "MAIL"), ("3.20", "PRICE")]


def test_a_model_from_before_cuts_raw_text_as_it_did() -> None:
    task = Tokens(TokensOptions(tokens="tokens", tags="tags"), FACTS)
    assert task.segmentation is None
    assert "raw_text_entity_f1" not in task.metrics
    spans = Tokens(TokensOptions(text="text", label="spans"))
    spans = spans.fit([spans.read(Row({"text": "a cat", "spans": [[2, 5, "X"]]}, "x"))])
    assert spans.segmentation is None
    assert "raw_text_entity_f1" not in spans.metrics


def test_scores_of_raw_text_see_the_words_that_come_out_otherwise() -> None:
    """Perfect on words; in raw text `it:ended` falls apart, as a colon was a word in training."""
    task, _ = fitted_on("it|O ended|O .|O", "he|O left|O a.b|B-X .|O", "Ana|B-X .|O left|O :|O ended|O")
    text, places = joined(["Ana", "left", "it:ended", "."])
    example = Example(text, None, ("B-X", "O", "B-X", "O"), "x", places)
    windows = Tokenizer(TOKENIZERS["bert"], 60).encode([example], slides=True)[0].windows
    said = task.decode(example, windows, perfect(task, example, windows))
    assert said["tags"] == list(example.target)
    assert [one["text"] for one in said["raw_text_entities"]] == ["Ana", "it", ":", "ended"]
    table = inference.table_of(task, [example], predictions=[said])
    found = inference.score(task, table)
    assert found["entity_f1"] == 1.0
    assert found["raw_text_entity_f1"] == pytest.approx(1 / 3)
    unlabelled = task.decode(Example(text, words=places), windows, perfect(task, example, windows))
    assert "raw_text_entities" not in unlabelled


def test_plain_tags_in_raw_text_count_whole_words() -> None:
    task, _ = fitted_on("a|D cat|N sleeps|V .|P", "the|D dog|N barks|V .|P")
    text, places = joined(["the", "cat-dog", "sleeps", "."])
    example = Example(text, None, ("D", "N", "V", "P"), "x", places)
    found = inference.score(
        task, inference.table_of(task, [example], predictions=[{"tags": list(example.target), "scores": []}])
    )
    assert (found["token_accuracy"], found["raw_text_token_accuracy"]) == (1.0, 0.75)


@pytest.mark.parametrize("family", made.FAMILIES)
@given(
    words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=9),
    form=st.sampled_from(FORMS),
    chosen=st.sets(st.integers(0, 8)),
    length=st.integers(24, 50),
)
def test_entities_of_all_scripts_and_forms_are_held_and_come_back(
    family: str, words: list[str], form: Form, chosen: set[int], length: int
) -> None:
    """Every second word at most, so that no two entities touch; each begins with a letter and may end with a mark."""
    text, places = joined([unicodedata.normalize(form, word) for word in words])
    spans = tuple(Span(*places[i], "PER") for i in range(0, len(words), 2) if i in chosen)
    task = Tokens(TokensOptions(text="text", label="spans"), {**FACTS, "scheme": "spans"})
    example = Example(text, None, spans, "x")
    (features,) = Tokenizer(made.tiny_tokenizer(family), length).encode([example], slides=True)
    assert task.coverage(example, features.windows) == [""] * len(spans)
    found = task.decode(example, features.windows, perfect(task, example, features.windows))["entities"]
    assert [(one["start"], one["end"], one["label"]) for one in found] == [tuple(span) for span in spans]
    assert task.warnings([example]) == []


def test_numbers_as_tags_are_plain() -> None:
    task = Tokens(TokensOptions()).columns(["tokens", "ner_tags"])
    examples = [task.read(Row({"tokens": ["a", "b"], "ner_tags": [10, 9]}, "x"))]
    fitted = task.fit(examples)
    assert fitted.plain
    assert fitted.tags == ["9", "10"]
    assert list(fitted.metrics) == ["token_accuracy", "sentence_accuracy", "raw_text_token_accuracy"]


def test_columns_of_files() -> None:
    assert Tokens(TokensOptions()).columns(["1", "2", "3", "4"]).options.tags == "4"
    assert Tokens(TokensOptions(tags="2")).columns(["1", "2", "3"]).options.tags == "2"
    conllu = Tokens(TokensOptions()).columns(["form", "lemma", "upos", "xpos"])
    assert (conllu.options.tokens, conllu.options.tags) == ("form", "upos")


def test_a_key_inside_features() -> None:
    task = Tokens(TokensOptions(tokens="form", tags="feats", key="Number"))
    found = task.read(Row({"form": ["cats", "sleep"], "feats": ["Number=Plur|Case=Nom", "_"]}, "x"))
    assert found.target == ("Plur", "_")


@pytest.mark.data
def test_real_sentences_lose_nothing(real_data: Path, tiny: Callable[[str], Path]) -> None:
    """lener_br with a length that most sentences exceed: every entity comes back from perfect logits."""
    from afina.data import sources

    rows = sources.rows(real_data / "lener_br" / "dev.conll")[:150]
    task = Tokens(TokensOptions()).columns(sources.columns_of(rows))
    examples = [task.read(row) for row in rows]
    task = task.fit(examples)
    tokenizer = Tokenizer(TOKENIZERS["bert"], 32)
    features = tokenizer.encode(examples, slides=True)
    assert sum(len(one.windows) > 1 for one in features) > 50
    predictions = [
        task.decode(example, one.windows, perfect(task, example, one.windows))
        for example, one in zip(examples, features, strict=True)
    ]
    assert inference.score(task, inference.table_of(task, examples, predictions=predictions))["entity_f1"] == 1.0
