"""Questions and passages: windows, references, the official rules, the no-answer threshold."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from afina.data import sources
from afina.errors import DataError
from afina.metrics.answers import best_f1, best_threshold
from afina.model import network as networks
from afina.model.pretrained import load_tokenizer
from afina.records import Example, Row
from afina.tasks.answers import (
    Answer,
    Answers,
    AnswersOptions,
    located,
)
from afina.tasks.candidates import candidates, tokens_of
from afina.text.layouts import Padded
from afina.text.tokenization import Tokenizer
from tests import tiny as made
from tests.arithmetic import DEVICE, HERE, near

TOKENIZERS = {family: made.tiny_tokenizer(family) for family in ("bert", "roberta", "xlm-roberta")}
OPTIONS = AnswersOptions(question="question", context="context", answer="answers")


def task(**fitted: Any) -> Answers:
    return Answers(OPTIONS, {"no_answer": True, **fitted})


def perfect(of: Answers, example: Example, windows: Any) -> list[np.ndarray[Any, Any]]:
    return [40.0 * of.encode_target(example, window)[:, 1:] - 20.0 for window in windows]


@pytest.mark.parametrize("family", list(TOKENIZERS))
@given(data=st.data(), length=st.integers(24, 60), overlap=st.integers(4, 40))
def test_answers_to_windows_to_answers_is_the_identity(
    family: str, data: st.DataObject, length: int, overlap: int
) -> None:
    """For answers that begin and end where tokens do and fit into what two windows share."""
    context = data.draw(st.text(st.sampled_from("the cat sleeps é ç 😀 12.50, "), min_size=1, max_size=120))
    question = data.draw(st.sampled_from(["who?", "the cat sleeps on the mat and the dog?", "é"]))
    tokenizer = Tokenizer(TOKENIZERS[family], length)
    (tokens,) = tokenizer.tokens([context])
    # A text may begin with a token for the blank before it, which has the characters of the next one.
    spans = sorted({(int(s), int(e)) for s, e in tokens.spans if context[s:e].strip()})
    assume(spans and all(a[1] <= b[0] for a, b in pairwise(spans)))
    first = data.draw(st.integers(0, len(spans) - 1))
    start, end = spans[first][0], spans[min(len(spans) - 1, first + data.draw(st.integers(0, 1)))][1]
    assume(context[start:end] == context[start:end].strip())
    example = Example(question, context, (Answer(start, end, context[start:end]),), "x")
    (features,) = tokenizer.encode([example], slides=True, overlap=overlap)
    held = [tokens_of(window, *example.target[0][:2]) for window in features.windows]
    assume(any(ends is not None and window.core[0] <= ends[0] < window.core[1]
               for ends, window in zip(held, features.windows, strict=True)))  # fmt: skip
    found = task().decode(example, features.windows, perfect(task(), example, features.windows))
    assert (found["start"], found["end"], found["answer"]) == tuple(example.target[0])


def test_a_window_without_the_whole_answer_says_none() -> None:
    tokenizer = Tokenizer(TOKENIZERS["bert"], 24)
    context = "the cat sleeps on the mat and the dog barks at the bird " * 3
    start = context.index("barks at")
    example = Example("who?", context, (Answer(start, start + 8, "barks at"),), "x")
    windows = tokenizer.encode([example], slides=True, overlap=6)[0].windows
    labels = [task().encode_target(example, window) for window in windows]
    assert all(label[:, 1].sum() == pytest.approx(1) for label in labels)
    none = [label[0, 1] == 1.0 for label in labels]
    assert any(none)
    assert not all(none)


def test_the_longest_answer_follows_the_training_answers() -> None:
    tokenizer = Tokenizer(TOKENIZERS["bert"], 200)
    context = "the cat sleeps on the mat and the dog barks at the bird " * 6
    examples = [Example("who?", context, (Answer(0, end, context[:end]),), "x") for end in (7, len(context) // 2 - 1)]
    features = tokenizer.encode(examples, slides=True)
    plain = Answers(OPTIONS).fit(examples)
    (reason,) = plain.coverage(examples[1], features[1].windows)
    assert reason == "over 30 tokens (options.longest)"
    fitted = plain.fit_tokens(examples, features)
    (window,) = features[1].windows
    ends = tokens_of(window, *examples[1].target[0][:2])
    assert ends is not None
    assert fitted.longest == ends[1] - ends[0] + 1 > 30
    assert fitted.found == {"longest": f"{fitted.longest} tokens an answer"}
    assert [fitted.coverage(example, one.windows) for example, one in zip(examples, features, strict=True)] == [
        [""]
    ] * 2
    assert fitted.decode(examples[1], [window], perfect(fitted, examples[1], [window]))["end"] == len(context) // 2 - 1
    assert plain.fit_tokens(examples[:1], features[:1]).longest == 30
    asked = Answers(AnswersOptions(longest=5)).fit(examples).fit_tokens(examples, features)
    assert (asked.longest, asked.found) == (5, {})


def test_why_an_answer_cannot_be_predicted_is_told_apart() -> None:
    tokenizer = Tokenizer(TOKENIZERS["bert"], 24)
    context = "the cat sleeps on the mat and the dog barks at the bird " * 3
    whole = context.strip()
    reasons = {
        Answer(0, len(whole), whole): "cut by the windows (model.max_length)",
        Answer(5, 7, "at"): "with an edge inside a token",
        Answer(0, 14, "the cat sleeps"): "over 2 tokens (options.longest)",
        Answer(0, 3, "the"): "",
    }
    of = Answers(AnswersOptions(longest=2), {"no_answer": True})
    for answer, reason in reasons.items():
        example = Example("who?", context, (answer,), "x")
        assert of.coverage(example, tokenizer.encode([example], slides=True)[0].windows) == [reason]
        both = Example("who?", context, (answer, Answer(0, 3, "the")), "x")
        assert of.coverage(both, tokenizer.encode([both], slides=True)[0].windows) == [""]
    assert of.coverage(Example("who?", context, (), "x"), ()) == []


def test_a_mended_offset_is_told() -> None:
    given = [("cat", 4), ("cat", 9), ("cat", None), ("cat", 5)]
    rows = [
        Row({"question": "who?", "context": "the cat", "answers": [{"text": text, "answer_start": at}]}, f"a.json:{i}")
        for i, (text, at) in enumerate(given)
    ]
    examples = [task().read(row) for row in rows]
    assert {example.target for example in examples} == {(Answer(4, 7, "cat"),)}
    assert [(one.place, one.code) for one in task().warnings(examples)] == [
        ("a.json:1", "mended-offset"), ("a.json:3", "mended-offset"),
    ]  # fmt: skip


def test_all_references_share_the_weight() -> None:
    tokenizer = Tokenizer(TOKENIZERS["bert"], 40)
    answers = (Answer(0, 7, "the cat"), Answer(4, 7, "cat"), Answer(4, 7, "cat"))
    example = Example("who?", "the cat sleeps", answers, "x")
    (window,) = tokenizer.encode([example], slides=True)[0].windows
    label = task().encode_target(example, window)
    assert sorted(label[label[:, 1] > 0, 1].tolist()) == [0.5, 0.5]
    assert label[label[:, 2] > 0, 2].tolist() == [1.0]


def test_the_loss_is_that_of_the_stock_class(tiny: Callable[[str], Path]) -> None:
    tokenizer = Tokenizer(load_tokenizer(str(tiny("bert")), local=True), 60)
    context = "the cat sleeps on the mat"
    examples = [Example(f"who {verb}?", context, (Answer(4, 7, "cat"),), "x") for verb in ("sleeps", "barks")]
    windows = [one.windows[0] for one in tokenizer.encode(examples, slides=True)]
    assert len({len(window) for window in windows}) == 1
    made_task = Answers(OPTIONS, {"no_answer": False})
    network = networks.build(str(tiny("bert")), made_task.head, level="token", compute=HERE)
    network.eval()
    batch = Padded(tokenizer.pad, DEVICE).collate(windows)
    labels = np.concatenate([made_task.encode_target(example, w) for example, w in zip(examples, windows, strict=True)])
    total, count = made_task.loss(network(batch), torch.from_numpy(labels).to(DEVICE))
    ends = [tokens_of(window, *example.target[0][:2]) for example, window in zip(examples, windows, strict=True)]
    stock = network.stock(
        input_ids=batch.ids, attention_mask=batch.mask, token_type_ids=batch.types,
        start_positions=torch.tensor([end[0] for end in ends if end], device=DEVICE),
        end_positions=torch.tensor([end[1] for end in ends if end], device=DEVICE),
    )  # fmt: skip
    assert float((total / count).detach()) == near(float(stock.loss.detach()))


def test_the_best_reference_counts_and_none_is_exact() -> None:
    answers = (Answer(0, 9, "black cat"), Answer(6, 9, "cat"))
    score_row = task().score_row(Example("q", "c", answers), {"answer": "Cat"})
    assert score_row == {"exact": 1.0, "f1": 1.0, "has_answer": 1}
    assert task().score_row(Example("q", "c", ()), {"answer": ""}) == {"exact": 1.0, "f1": 1.0, "has_answer": 0}
    assert task().score_row(Example("q", "c", ()), {"answer": "cat"})["f1"] == 0.0
    assert best_f1("", [answer.text for answer in answers]) == 0.0


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-1, 1)), min_size=1, max_size=20, unique_by=lambda pair: pair[0]))
def test_no_other_threshold_gains_more(pairs: list[tuple[float, float]]) -> None:
    margins, gains = (np.array(column) for column in zip(*pairs, strict=True))
    assume(len(margins) < 2 or np.diff(np.sort(margins)).min() > 1e-6)

    def total(threshold: float) -> float:
        return float(gains[margins <= threshold].sum())

    best = total(best_threshold(margins, gains))
    assert all(best >= total(threshold) - 1e-9 for threshold in [*margins, margins.min() - 1])


def test_a_higher_threshold_answers_more() -> None:
    """The direction of the comparison: 'no answer' must win by more than the threshold."""
    tokenizer = Tokenizer(TOKENIZERS["bert"], 40)
    example = Example("who?", "the cat sleeps", (), "x")
    windows = tokenizer.encode([example], slides=True)[0].windows
    rows = np.zeros((len(windows[0]), 2))
    rows[0] = 1.0  # no answer scores 2, every answer 0
    assert task(threshold=0.0).decode(example, windows, [rows])["answer"] == ""
    assert task(threshold=3.0).decode(example, windows, [rows])["answer"] != ""
    always = Answers(OPTIONS, {"no_answer": False}).decode(example, windows, [rows])
    assert always["answer"] != ""
    assert sum(one["probability"] for one in [always, *always["alternatives"]]) == pytest.approx(1)


def test_no_answer_is_longer_than_allowed_and_none_leaves_the_passage() -> None:
    tokenizer = Tokenizer(TOKENIZERS["bert"], 24)
    context = "the cat sleeps on the mat and the dog barks at the bird " * 2
    windows = tokenizer.encode([Example("the cat sleeps?", context)], slides=True)[0].windows
    logits = [np.random.default_rng(i).normal(size=(len(window), 2)) for i, window in enumerate(windows)]
    found, _ = candidates(windows, logits, 3)
    assert len(found) == 20
    for one in found:
        assert 0 <= one.start < one.end <= len(context)
        assert len(tokenizer.tokens([context[one.start : one.end]])[0]) <= 3


@pytest.mark.parametrize(
    ("values", "answers"),
    [
        ({"answers": [{"text": "cat", "answer_start": 2}]}, [(2, 5, "cat")]),
        ({"answers": {"text": ["cat", "a cat"], "answer_start": [2, 0]}}, [(2, 5, "cat"), (0, 5, "a cat")]),
        ({"answers": {"text": [], "answer_start": []}}, []),
        ({"answers": []}, []),
        ({"answers": None}, []),
        ({"answers": "cat"}, [(2, 5, "cat")]),
        ({"answers": ""}, []),
        ({"answers": [{"text": "cat", "answer_start": 3}]}, [(2, 5, "cat")]),
    ],
)
def test_forms_of_answers(values: dict[str, Any], answers: list[tuple[int, int, str]]) -> None:
    found = task().read(Row({"question": "who?", "context": "a cat!", **values}, "x")).target
    assert [tuple(one) for one in found] == answers


def test_an_answer_at_the_wrong_place() -> None:
    assert located("cat", 9, "a cat, a dog") == Answer(2, 5, "cat")
    with pytest.raises(ValueError, match=r"'cat' stands 2 times in the passage, and it is not at answer_start 3"):
        located("cat", 3, "a cat, a cat")
    with pytest.raises(ValueError, match="'bird' is not in the passage"):
        located("bird", 0, "a cat")


def test_squad_files(tmp_path: Path) -> None:
    answers = [{"text": "cat", "answer_start": 4}]
    qas: list[dict[str, Any]] = [
        {"id": "a", "question": "who?", "answers": answers},
        {"id": "b", "question": "where?", "answers": [], "is_impossible": True},
        {"id": "c", "question": 3},
    ]
    tree = {"data": [{"paragraphs": [{"context": "the cat", "qas": qas}, {"qas": []}]}]}
    file = tmp_path / "squad.json"
    file.write_text(json.dumps(tree), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        sources.rows(file)
    assert "squad.json:data[0].paragraphs[0].qas[2]: expected a question" in str(caught.value)
    assert "squad.json:data[0].paragraphs[1]: expected `context` and `qas`" in str(caught.value)
    qas.pop()
    tree["data"][0]["paragraphs"].pop()
    file.write_text(json.dumps(tree["data"]), encoding="utf-8")
    rows = sources.rows(file)
    assert [row.values["id"] for row in rows] == ["a", "b"]
    assert rows[1].values["answers"] == []


@pytest.mark.data
def test_real_questions_lose_nothing(real_data: Path) -> None:
    """Every answer of a real file comes back from perfect logits through windows, word by word."""
    rows = sources.rows(real_data / "squad" / "dev-v2.0.json")
    assert len(rows) == 1252
    made_task = Answers(AnswersOptions()).columns(sources.columns_of(rows))
    examples = [made_task.read(row) for row in rows][::6]
    fitted = made_task.fit(examples)
    assert fitted.fitted["no_answer"]
    tokenizer = Tokenizer(TOKENIZERS["bert"], 128)
    right = 0
    for example, one in zip(examples, tokenizer.encode(examples, slides=True), strict=True):
        found = fitted.decode(example, one.windows, perfect(fitted, example, one.windows))
        right += fitted.score_row(example, found)["f1"] == 1.0
    assert right >= 0.97 * len(examples)  # an answer of more than 30 tokens is too long by the option `longest`


@pytest.mark.parametrize(
    "cell",
    [
        "{'text': ['Rio'], 'answer_start': [7]}",
        "{'text': array(['Rio'], dtype=object), 'answer_start': array([7], dtype=int32)}",
        '{"text": ["Rio"], "answer_start": [7]}',
        "[{'text': 'Rio', 'answer_start': 7}]",
        '[{"text": "Rio"}]',
        {"text": ["Rio"], "answer_start": [7]},
        "Rio",
    ],
)
def test_answers_in_writing(cell: object) -> None:
    made_task = Answers(AnswersOptions()).columns(["pergunta", "contexto", "respostas"])
    row = {"pergunta": "onde?", "contexto": "aqui o Rio", "respostas": cell}
    [answer] = made_task.read(Row(row, "f:2")).target
    assert answer.text == "Rio"


@pytest.mark.parametrize("cell", ["{'text': [], 'answer_start': []}", "[]", "", "{'text': array([], dtype=object)}"])
def test_no_answer_in_writing(cell: str) -> None:
    made_task = Answers(AnswersOptions(question="q", context="c", answer="a"))
    assert made_task.read(Row({"q": "onde?", "c": "aqui", "a": cell}, "f:2")).target == ()


def test_an_answer_in_brackets_is_a_text() -> None:
    made_task = Answers(AnswersOptions(question="q", context="c", answer="a"))
    [answer] = made_task.read(Row({"q": "which?", "c": "see [1, 2] there", "a": "[1, 2]"}, "f:2")).target
    assert (answer.start, answer.text) == (4, "[1, 2]")
