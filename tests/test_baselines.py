"""What costs nothing: a constant answer, and a linear model on TF-IDF features, for whatever task there is."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from afina import baselines as module
from afina import inference
from afina.assembly import EncodedDataset, to_dataset
from afina.baselines import LINEAR, Baselines, Features, baselines, fitted, words
from afina.config import validated
from afina.metrics.scores import higher_is_better
from afina.records import Example, Row, Window
from afina.records import Features as Windows
from afina.tasks.base import Task, find, names
from afina.work import drain

NOTHING = np.zeros(1, np.int32)
WINDOW = Window(NOTHING, NOTHING, NOTHING, np.zeros((1, 2), np.int32), (0, 1))
SAMPLES = [(name, i) for name in names() for i in range(len(find(name).samples))]


def fit(name: str, rows: Sequence[Mapping[str, Any]], options: Mapping[str, Any] | None = None) -> Task:
    kind = find(name)
    task = kind(validated(kind.Options, options or {}, "options")).columns(list(rows[0]))
    return task.fit([task.read(Row(row, "sample")) for row in rows])


def encoded(task: Task, rows: Sequence[Mapping[str, Any]]) -> EncodedDataset:
    examples = [task.read(Row(row, "sample")) for row in rows]
    return to_dataset(examples, [Windows((WINDOW,)) for _ in examples])


def on_itself(task: Task, rows: Sequence[Mapping[str, Any]]) -> Baselines:
    part = encoded(task, rows)
    return drain(baselines(task, {"train": part, "validation": part}))


@pytest.mark.parametrize(("name", "number"), SAMPLES)
def test_every_task_has_its_baselines_and_the_linear_one_is_better(name: str, number: int) -> None:
    """Tasks of other packages too: the plug-in has a row of zeros and ones, and no constant."""
    sample = find(name).samples[number]
    task = fit(name, sample.rows, sample.options)
    result = on_itself(task, sample.rows)
    assert result.failures == {}
    tables = result.tables["validation"]
    assert (LINEAR in tables) == (task.level == "example")
    assert len(tables) == (LINEAR in tables) + (name != "ordinal")
    values = {kind: inference.score(task, table) for kind, table in tables.items()}
    for kind, scores in values.items():
        assert list(scores) == list(task.metrics)
        if kind != LINEAR and LINEAR in values:
            last = "mean_squared_error" if name == "regression" else next(iter(task.metrics))
            better, worse = values[LINEAR][last], scores[last]
            assert better > worse if higher_is_better(last) else better < worse
    if LINEAR in values and name != "regression":
        assert next(iter(values[LINEAR].values())) > 0.8


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("O avô não É pão.", ["o", "avô", "não", "é", "pão", "."]),
        (unicodedata.normalize("NFD", "avó ÍNDIO"), ["avó", "índio"]),
        ("a b I", ["a", "b", "i"]),
        ("好电影", ["好", "电", "影"]),
        ("映画 が", ["映", "画", "が"]),
        ("ดีมาก", ["ดี", "ม", "า", "ก"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("ＡＢＣ １２", ["abc", "12"]),
        ("Straße :)", ["strasse", ":", ")"]),
        ("", []),
    ],
)
def test_words_of_every_script(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text())
def test_no_visible_letter_is_lost(text: str) -> None:
    letters = [c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum()]
    assert [c for word in words(text) for c in word if c.isalnum()] == letters


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("这部电影很好", "这部电影很差"),
        ("この映画は良い", "この映画は悪い"),
        ("หนังดีมาก", "หนังแย่มาก"),
        ("muito bom", "muito mau"),
    ],
)
def test_it_learns_in_every_script(good: str, bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From words alone, as in large data."""
    monkeypatch.setattr(module, "SPELLED", 0)
    rows = [{"text": f"{i} {text}", "label": label} for i in range(12) for text, label in ((good, "+"), (bad, "-"))]
    task = fit("classification", rows)
    tables = on_itself(task, rows).tables["validation"]
    assert inference.score(task, tables[LINEAR])["accuracy"] == 1.0


def test_a_logistic_regression_is_that_of_scikit_learn() -> None:
    """Averaged descent comes to the same ranking, and nearly to the same probabilities."""
    generator = np.random.default_rng(0)
    texts = [" ".join(generator.choice([f"w{i}" for i in range(30)], 8)) for _ in range(400)]
    gold = np.array(["w1 " in text or "w2 " in text for text in texts]).astype(int)
    features = Features.fit([Example(text) for text in texts], limit=500)
    rows = features.transform([Example(text) for text in texts])
    logits = drain(fitted(rows, gold, 2))(rows)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    exact = LogisticRegression(C=module.STRENGTH, max_iter=1000).fit(rows, gold).predict_proba(rows)
    assert np.abs(probabilities - exact).max() < 0.1
    assert ((probabilities > 0.5) == (exact > 0.5)).mean() > 0.98


def test_labels_without_examples_and_labels_of_all_are_no_obstacle() -> None:
    rows = Features.fit([Example("a"), Example("b")], limit=9).transform([Example("a"), Example("b")])
    never_and_always = np.array([[0, 1, 1], [0, 1, 0]], np.float32)
    logits = drain(fitted(rows, never_and_always, 3))(rows)
    assert (logits[:, 0] < 0).all()
    assert (logits[:, 1] > 0).all()
    several = drain(fitted(rows, np.array([[0.5, 2.0], [1.5, -1.0]], np.float32), 2))(rows)
    assert several.shape == (2, 2)


def test_it_is_the_same_every_time_and_large_data_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = [Example(f"text {i:02}") for i in range(50)]
    assert module.drawn(examples) == list(range(50))
    monkeypatch.setattr(module, "LEARNED", 70)
    chosen = module.drawn(examples)
    assert len(chosen) == 10
    assert chosen == sorted(chosen) == module.drawn(examples)
    sample = find("classification").samples[0]
    monkeypatch.setattr(module, "LEARNED", 10**6)
    task = fit("classification", sample.rows)
    first, second = (on_itself(task, sample.rows).tables["validation"][LINEAR] for _ in range(2))
    assert all((first[name] == second[name]).all() for name in first)


def test_a_failure_is_a_reason_and_the_other_baseline_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = find("classification").samples[0].rows
    task = fit("classification", rows)

    def fail(*_: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(module, "fitted", fail)
    result = on_itself(task, rows)
    assert result.failures == {LINEAR: "MemoryError: no room"}
    assert list(result.tables["validation"]) == ["commonest label (bad)"]
