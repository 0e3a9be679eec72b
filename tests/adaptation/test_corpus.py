"""Texts without labels: every form of data gives them, and their windows together hold each token once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from afina.adaptation.config import load
from afina.adaptation.corpus import (
    IGNORED,
    Corpus,
    Options,
    check_texts,
    cut_gradually,
    distinct,
    frequencies,
    windows_of,
)  # fmt: skip
from afina.assembly import to_dataset
from afina.data.parts import read_data
from afina.errors import ConfigError, DataError
from afina.records import Example, Features
from afina.work import drain
from tests.arithmetic import near
from tests.networks import tokenizer_of

WORDS = ["cat", "film", "unbelievable", "dog,", "12.50", "é", "東京"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=50).map(" ".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(texts=st.lists(st.tuples(TEXTS, st.none() | TEXTS), min_size=1, max_size=4), length=st.integers(16, 60))
def test_windows_hold_every_token_once(
    texts: list[tuple[str, str | None]], length: int, tiny: Callable[[str], Path]
) -> None:
    tokenizer = tokenizer_of(tiny("bert"), length)
    examples = [Example(text, pair) for text, pair in texts]
    data = drain(cut_gradually(tokenizer, examples))
    for example, (start, end) in zip(examples, data.owners, strict=True):
        windows = data.windows[start:end]
        for segment, text in ((0, example.text), (1, example.pair or "")):
            (tokens,) = tokenizer.tokens([text])
            ids = [i for window in windows for i in window.ids[window.segments == segment].tolist()]
            assert ids == tokens.ids.tolist()
            spans = [tuple(s) for window in windows for s in window.spans[window.segments == segment].tolist()]
            assert spans == [tuple(s) for s in tokens.spans.tolist()]
        assert all(len(window) <= length for window in windows)
        assert all((window.segments >= 0).any() for window in windows)
        single = [window for window in windows if not {0, 1} <= set(window.segments.tolist())]
        sizes: dict[int, list[int]] = {}
        for window in single:
            sizes.setdefault(int(window.segments.max()), []).append(len(window))
        assert all(max(own) - min(own) <= 1 for own in sizes.values())  # nearly equal


def test_a_pair_that_fits_is_one_window(tiny: Callable[[str], Path]) -> None:
    tokenizer = tokenizer_of(tiny("bert"), 20)
    first, second, long = tokenizer.tokens(["a cat", "the dog", "cat " * 30])
    (window,) = windows_of(tokenizer, first, second)
    assert set(window.segments.tolist()) == {-1, 0, 1}
    assert set(window.types.tolist()) == {0, 1}
    apart = windows_of(tokenizer, first, long)
    assert [int(window.segments.max()) for window in apart] == [0, 1, 1]
    assert all((window.types == 0).all() for window in apart)


ROWS: dict[str, tuple[list[dict[str, Any]], dict[str, str], list[tuple[str, str | None]]]] = {
    "labelled": ([{"text": "a cat", "label": "x"}, {"text": "b", "label": ""}], {}, [("a cat", None), ("b", None)]),
    "named": ([{"body": "a cat", "title": "b"}] * 2, {"text": "title"}, [("b", None)] * 2),
    "words": ([{"tokens": ["a", "cat"], "ner_tags": ["O", "O"]}] * 2, {}, [("a cat", None)] * 2),
    "pairs": ([{"premise": "a cat", "hypothesis": "a dog"}] * 2, {}, [("a cat", "a dog")] * 2),
    "one of a pair": ([{"premise": "a cat", "hypothesis": "a dog"}] * 2, {"text": "hypothesis"}, [("a dog", None)] * 2),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_columns(name: str) -> None:
    rows, chosen, expected = ROWS[name]
    data = read_data(load(None, chosen), {"train": rows, "validation": rows})
    assert [(one.text, one.pair) for one in data.splits["train"]] == expected
    assert all(one.target is None for one in data.splits["train"])


def test_what_can_not_be_read() -> None:
    rows = [
        {"question": "who is it?", "context": "a cat and a dog are here"},
        {"question": "why?", "context": "b c d e"},
    ]
    with pytest.raises(ConfigError) as several:
        read_data(load(None), {"train": [{"a": "1"}, {"a": "2"}]})
    assert "--text NAME" in str(several.value)
    assert "--task" not in str(several.value)
    with pytest.raises(ConfigError, match="did you mean 'context'"):
        read_data(load(None, {"text": "contxt"}), {"train": rows})
    with pytest.raises(DataError, match="is empty"):
        read_data(load(None), {"train": [{"text": "a"}, {"text": " "}, {"text": "b"}], "validation": [{"text": "c"}]})
    skipping = load(None, {"data.on_bad_row": "skip"})
    data = read_data(skipping, {"train": [{"text": "a"}, {"text": " "}], "validation": [{"text": "c"}]})
    assert [one.text for one in data.splits["train"]] == ["a"]


def test_the_same_text_counts_once() -> None:
    texts = [Example("a", place="1"), Example("b", place="2"), Example("a", "b", place="3"), Example("a", place="4")]
    assert [one.place for one in distinct(texts)] == ["1", "2", "3"]


def test_frequencies(tiny: Callable[[str], Path]) -> None:
    tokenizer = tokenizer_of(tiny("bert"))
    data = drain(cut_gradually(tokenizer, [Example("cat cat dog")]))
    shares = frequencies(data, 200)
    (tokens,) = tokenizer.tokens(["cat cat dog"])
    assert shares.sum() == near(1.0)
    assert shares[tokens.ids[0]] >= 2 * shares[tokenizer.pad] > 0
    assert np.argmax(shares) in tokens.ids
    with pytest.raises(ConfigError, match="validation data: no text has a token"):
        check_texts("validation", to_dataset([Example("")], [Features(())]))


@pytest.mark.parametrize("rows", [[(2.0, 1, 1), (4.0, 2, 0), (0.0, 0, 0)]])
def test_metrics(rows: list[tuple[float, int, int]]) -> None:
    task = Corpus(Options())
    names = ("nats", "hidden", "right")
    predictions = [dict(zip(names, row, strict=True)) for row in rows]
    table: Mapping[str, Any] = {
        name: np.array([task.score_row(Example(""), one)[name] for one in predictions]) for name in names
    }
    values = {name: metric(table) for name, metric in task.metrics.items()}
    assert values == {"loss": near(2.0), "perplexity": near(math.e**2), "accuracy": near(1 / 3)}
    empty = {name: column[2:] for name, column in table.items()}
    assert math.isnan(task.metrics["loss"](empty))


def test_targets_losses_and_answers_are_about_tokens(tiny: Callable[[str], Path]) -> None:
    import torch

    task, tokenizer = Corpus(Options()), tokenizer_of(tiny("bert"))
    data = drain(cut_gradually(tokenizer, [Example("a cat")]))
    (window,) = data.windows
    targets = task.encode_target(data.examples[0], window)
    assert targets.tolist() == [IGNORED, *window.ids[1:-1].tolist(), IGNORED]
    logits = torch.randn(len(window), 200)
    loss, count = task.loss(logits, torch.from_numpy(targets))
    inside = torch.log_softmax(logits, dim=-1)[1:-1]
    expected = -inside[torch.arange(len(inside)), torch.from_numpy(window.ids[1:-1]).long()].sum()
    assert float(loss) == near(float(expected))
    assert int(count) == len(window) - 2
    assert task.decode(data.examples[0], [window], [logits.numpy()])["tokens"][0] == logits.argmax(dim=1).tolist()
