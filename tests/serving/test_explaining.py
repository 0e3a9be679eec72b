"""From inputs to explanations: every task, every form of input, and what is wrong in words."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from afina.artifact import Artifact
from afina.errors import ConfigError, DataError
from afina.serving import explaining
from afina.serving.explanations import METHODS, Explanation
from afina.serving.predictor import Predictor
from tests.networks import network_of, task_of, tokenizer_of

ENTITIES = {"kind": "entities", "types": ["ART", "WHO"], "scheme": "spans"}
WAYS = pytest.mark.parametrize("method", METHODS)


def predictor_of(folder: Path, name: str = "classification", *, length: int = 60, **more: Any) -> Predictor:
    """A tiny random model of a task."""
    task = task_of(name, more.pop("fitted", None), **more)
    network = network_of(folder, task)
    network.train_nothing()
    return Predictor(Artifact(task, tokenizer_of(folder, length), network, "native", "tiny"))


@pytest.fixture(scope="module")
def model(tiny: Callable[[str], Path]) -> Predictor:
    return predictor_of(tiny("bert"), text="text")


def checked(one: Explanation) -> Explanation:
    """See that words are those of the texts, in order, and weights are numbers."""
    for pair, text in ((False, one.text), (True, one.pair or "")):
        own = [word for word in one.words if word.pair == pair]
        assert all(0 <= word.start < word.end <= len(text) for word in own)
        assert all(word.text == text[word.start : word.end] for word in own)
        assert all(before.end <= after.start for before, after in pairwise(own))
    assert np.isfinite([word.weight for word in one.words]).all()
    return one


@WAYS
def test_a_label_is_explained_as_it_is_predicted(model: Predictor, method: str) -> None:
    texts = ["a lovely film", "the cat sleeps on the mat"]
    found = model.explain(texts, method=method)
    assert [one.label for one in found] == model.predict(texts)
    assert [one.score for one in found] == pytest.approx(model.predict_proba(texts).max(axis=1))
    assert [one.item for one in found] == [0, 1]
    assert [[word.text for word in checked(one).words] for one in found] == [text.split() for text in texts]
    assert all(one.method == method and any(word.weight for word in one.words) for one in found)
    (alone,) = model.explain(texts[0], method=method)
    np.testing.assert_allclose([w.weight for w in alone.words], [w.weight for w in found[0].words], atol=2e-6)


def test_a_label_may_be_asked_for_or_one_for_each(model: Predictor) -> None:
    texts = ["a lovely film", "an awful song"]
    assert [one.label for one in model.explain(texts, label="c")] == ["c", "c"]
    each = model.explain(texts, label=["a", None])
    assert [one.label for one in each] == ["a", model.predict(texts)[1]]
    assert [one.label for one in model.explain(texts, label=np.array(["b", "c"], dtype=object))] == ["b", "c"]
    for wrong, found in ((["a"], "1 label for 2 inputs"), (["a"] * 3, "3 labels for 2 inputs")):
        with pytest.raises(ConfigError, match=f"label: expected one an input, found {found}"):
            model.explain(texts, label=wrong)
    with pytest.raises(ConfigError, match="label: 'z' is not a label of this model; there are: 'a', 'b', 'c'"):
        model.explain(texts, label=["a", "z"])
    with pytest.raises(ConfigError, match="method: expected removal, mask, gradient, found 'lime'"):
        model.explain(texts, method="lime")


def test_inputs_are_those_of_predict(model: Predictor, tmp_path: Path) -> None:
    expected = model.explain(["a film", "", None, "a cat"])
    assert [one.label is None for one in expected] == [False, True, True, False]
    assert [len(one.words) for one in expected] == [2, 0, 0, 2]
    (tmp_path / "texts.csv").write_text("text\na film\n\na cat\n", encoding="utf-8")
    rows = [{"text": "a film"}, {"text": "a cat"}]
    for data in (rows, iter(rows), tmp_path / "texts.csv"):
        found = [one for one in model.explain(data) if one.label is not None]
        assert [word for one in found for word in one.words] == [w for one in expected for w in one.words]
    with pytest.raises(DataError, match="expected a text"):
        model.explain([3])
    assert model.explain([]) == []


@given(st.text(max_size=40), st.sampled_from(sorted(METHODS)))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_words_are_those_of_the_text_whatever_it_is(model: Predictor, text: str, method: str) -> None:
    try:
        found = model.explain([text], method=method)
    except DataError:  # half of a surrogate pair
        return
    (one,) = map(checked, found)
    assert one.text == text


@WAYS
def test_pairs_have_words_in_both_texts(tiny: Callable[[str], Path], method: str) -> None:
    model = predictor_of(tiny("roberta"), text="a", pair="b")
    (one,) = model.explain([("a lovely film", "the cat, the dog")], method=method)
    words = ["a", "lovely", "film", "the", "cat", ",", "the", "dog"]
    assert [(word.text, word.pair) for word in checked(one).words] == [(w, i > 2) for i, w in enumerate(words)]
    assert all(word.weight for word in one.words)


def test_each_label_of_a_set(tiny: Callable[[str], Path]) -> None:
    model = predictor_of(tiny("bert"), "multilabel", fitted={"labels": ["a", "b", "c"], "thresholds": [0.0, 1.0, 0.0]})
    found = model.explain(["a film", "a cat"])
    assert [(one.item, one.label) for one in found] == [(0, "a"), (0, "c"), (1, "a"), (1, "c")]
    strict = predictor_of(tiny("bert"), "multilabel", fitted={"labels": ["a", "b"], "thresholds": [1.0, 1.0]})
    assert len(strict.explain(["a film"])) == 1


def test_a_number(tiny: Callable[[str], Path]) -> None:
    model = predictor_of(tiny("bert"), "regression")
    (one,) = model.explain("a lovely film")
    assert one.label == "score"
    assert one.score == pytest.approx(model.predict("a lovely film"))
    assert one.logit == pytest.approx(one.score)


@WAYS
def test_entities_and_tags(tiny: Callable[[str], Path], method: str) -> None:
    text = "the cat sleeps and the dog barks"
    model = predictor_of(tiny("bert"), "tokens", fitted=ENTITIES, text="text", label="label")
    entities = model.predict([text])[0]
    expected: list[Any] = [(one["label"], (one["start"], one["end"])) for one in entities] or [(None, None)]
    assert [(one.label, one.stretch) for one in map(checked, model.explain([text], method=method))] == expected
    (asked,) = model.explain([text], label=(4, 7, "WHO"), method=method)
    assert (asked.label, asked.stretch, asked.head[:16]) == ("WHO", (4, 7), "WHO 'cat' (4-7) ")
    (same,) = model.explain([text], label=[[4, 7, "WHO"]], method=method)
    assert same == asked
    plain = {"kind": "plain", "types": ["A", "B", "C"], "common": "A"}
    words = predictor_of(tiny("bert"), "tokens", fitted=plain, tokens="tokens", tags="tags")
    (first, second) = words.explain([["the", "cat."]], method=method)
    assert [word.text for word in checked(first).words] == ["the", "cat."]
    assert (first.stretch, second.stretch) == ((0, 3), (4, 8))


@WAYS
def test_answers_in_a_passage(tiny: Callable[[str], Path], method: str) -> None:
    model = predictor_of(tiny("bert"), "answers", length=24, fitted={"no_answer": False})
    asked = ("who sleeps?", "the dog barks and " * 6 + "the cat sleeps on the mat")
    (one,) = model.explain([asked], method=method)
    assert checked(one).label == model.predict([asked])[0]
    assert one.stretch is not None
    assert asked[1][slice(*one.stretch)] == one.label
    read = [word for word in one.words if word.weight]
    assert 0 < len(read) < len(one.words), "one window decides"
    (other,) = model.explain([asked], label="the cat", method=method)
    assert (other.label, other.stretch) == ("the cat", (108, 115))


def test_all_windows_of_a_long_text_count(tiny: Callable[[str], Path]) -> None:
    text = "the cat sleeps and the dog barks at the bird " * 3
    model = predictor_of(tiny("bert"), length=16, text="text", long="windows")
    for method in METHODS:
        (one,) = model.explain([text], method=method)
        assert all(word.weight for word in checked(one).words)
        assert one.unread == 0
    cut = predictor_of(tiny("bert"), length=16, text="text").explain([text])[0]
    assert cut.unread == 30 - 14
    assert all(bool(word.weight) == (i < 14) for i, word in enumerate(cut.words))


def test_groups_do_not_change_the_weights(model: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"a {'lovely ' * (i % 5)}film {i}" for i in range(12)]
    expected = model.explain(texts, method="mask")
    monkeypatch.setattr(explaining, "MOST", 50)
    monkeypatch.setattr(explaining, "CHUNK", 5)
    for one, other in zip(model.explain(texts, method="mask"), expected, strict=True):
        assert (one.item, one.label) == (other.item, other.label)
        np.testing.assert_allclose([w.weight for w in one.words], [w.weight for w in other.words], atol=2e-6)


def test_threads_and_gradients_of_the_caller_stay(model: Predictor) -> None:
    import torch

    before = torch.get_num_threads(), torch.is_grad_enabled(), torch.random.get_rng_state()
    stream = model.explain_rows(iter(["a film"] * 3), label=None, method="gradient")
    next(stream)
    assert (torch.get_num_threads(), torch.is_grad_enabled()) == before[:2]
    stream.close()  # type: ignore[attr-defined]
    assert torch.equal(torch.random.get_rng_state(), before[2])


@pytest.mark.slow
def test_fifty_sentences_take_seconds(embedded: str, tmp_path: Path) -> None:
    import afina

    rows = [{"text": f"a {word} film number {i}", "label": word} for i in range(20) for word in ("lovely", "awful")]
    run = afina.train(train=rows, validation=rows, model=embedded, epochs=1, strategy="head", out=tmp_path / "run")
    texts = ["the film was lovely , but the second half of it is far too long for what it says"] * 50
    begun = time.process_time()
    assert len(run.predictor.explain([f"{text} {i}" for i, text in enumerate(texts)], label="awful")) == 50
    assert time.process_time() - begun < 30
