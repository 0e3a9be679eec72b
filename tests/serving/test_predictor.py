"""Texts in, predictions out: every form of input gives the same answers, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import afina
from afina.errors import ConfigError, DataError, InputError, ModelError
from afina.serving.predictor import Predictor

ROWS = [{"text": f"a {word} film", "label": label} for word, label in (("lovely", "good"), ("awful", "bad"))] * 10


@pytest.fixture(scope="module")
def model(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    out = tmp_path_factory.mktemp("predictor") / "run"
    run = afina.train(train=ROWS, validation=ROWS, model=tiny("bert"), epochs=60, learning_rate=3e-3, out=out)
    return afina.load(run.folder)


def test_every_form_of_input_answers_alike(model: Predictor, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    texts = ["a lovely film", "an awful meal, 😀", "", "cat " * 300]
    answers = model.predict(texts)
    assert len(answers) == 4
    assert set(answers) <= {"good", "bad"}
    file = tmp_path / "texts.csv"
    pandas.DataFrame({"text": texts, "id": range(4)}).to_csv(file, index=False)
    assert model.predict(file) == answers
    assert model.predict([{"text": text} for text in texts]) == answers
    assert model.predict({"text": texts}) == answers
    assert model.predict(pandas.DataFrame({"text": texts})) == answers


def test_probabilities_are_a_distribution(model: Predictor) -> None:
    found = model.predict_proba(["a lovely film", "an awful meal"])
    assert found.shape == (2, 2)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert [model.labels[i] for i in found.argmax(axis=1)] == model.predict(["a lovely film", "an awful meal"])
    assert model.predict_proba([]).shape == (0, 2)


def test_an_answer_does_not_depend_on_its_neighbours(model: Predictor) -> None:
    texts = [f"a {'lovely ' * (i % 17)}film {i}" for i in range(60)]
    together = model.predict_proba(texts)
    alone = np.concatenate([model.predict_proba([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_rows_of_a_file_stand_beside_their_predictions(model: Predictor, tmp_path: Path) -> None:
    texts = ["a lovely film", "cat " * 600, "an awful meal"]
    file = tmp_path / "texts.csv"
    file.write_text("words\n" + "".join(f"{text}\n" for text in texts), encoding="utf-8")
    lost: list[int] = []
    answers = list(model.with_columns({"text": "words"}).stream_rows(str(file), on_truncated=lost.append))
    assert [row.values["words"].strip() for row, _, _ in answers] == [text.strip() for text in texts]
    assert [one.prediction for one in answers] == list(model.stream(texts))
    assert lost == [600 - (model.artifact.tokenizer.max_length - 2)]
    with pytest.raises(ConfigError, match="options"):
        model.with_columns({"words": "text"})


def test_files_are_answered_with_what_the_model_computes_with(
    model: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = torch.get_num_threads()
    network = model.artifact.network
    monkeypatch.setattr(network, "compute", replace(network.compute, threads=before + 1))
    file = tmp_path / "texts.csv"
    file.write_text("text\n" + "cat " * 600 + "\n", encoding="utf-8")
    threads: list[int] = []
    for _ in model.stream_rows(str(file), on_truncated=lambda _: threads.append(torch.get_num_threads())):
        threads.append(torch.get_num_threads())
    assert threads == [before + 1, before]


def test_evaluate_scores_and_counts(model: Predictor) -> None:
    found = model.evaluate(ROWS)
    assert found.metrics["accuracy"] == 1.0
    assert found.examples == 20
    assert [line["label"] for line in found.breakdown] == ["bad", "good"]


def test_evaluate_refuses_unknown_labels_with_their_places(model: Predictor) -> None:
    with pytest.raises(DataError, match=r"row 21.*'Good' does not occur"):
        model.evaluate([*ROWS, {"text": "x", "label": "Good"}])


def test_wrong_inputs_say_what_was_expected(model: Predictor) -> None:
    with pytest.raises(DataError, match="item 2: expected a text, found int 3"):
        model.predict(["a", 3])
    with pytest.raises(ConfigError, match="no column 'text'"):
        model.predict([{"texto": "a"}])


def test_nothing_to_load(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no config"):
        afina.load(tmp_path)


def test_regression_has_no_probabilities(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    rows = [{"text": row["text"], "score": i % 2} for i, row in enumerate(ROWS)]
    run = afina.train(
        task="regression", train=rows, validation=rows, model=tiny("bert"), epochs=1, out=tmp_path / "run"
    )
    with pytest.raises(InputError, match="regression gives no probabilities"):
        run.predictor.predict_proba(["x"])


def heard_in(predictor: Predictor, rows: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """How many examples are evaluated, and what is said of them."""
    notes: list[str] = []
    return predictor.evaluate(rows, note=notes.append).examples, notes


def test_a_saved_model_reads_labels_in_other_spellings(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """1.0 and 1, suffixes, columns of 0 and 1: what training read, and others, after the model was saved."""
    how: dict[str, Any] = {"model": tiny("bert"), "strategy": "head", "epochs": 1}
    rows = [{"text": f"film {i}", "label": f"{i % 2}.0"} for i in range(8)]
    run = afina.train(train=rows, validation=rows, out=tmp_path / "a", **how)
    number, notes = heard_in(afina.load(run.folder), [{"text": "film", "label": 1}, {"text": "room", "label": "0"}])
    assert number == 2
    assert notes[0] == "label '0' is read as '0.0', as the training data spell it (1 times)"

    words = [{"tokens": ["em", "Nova", "York"], "tags": ["-", "LOC_B", "LOC_I"]}] * 6
    run = afina.train(train=words, validation=words, task="tokens", out=tmp_path / "b", **how)
    again = afina.load(run.folder)
    assert heard_in(again, words[:2]) == (2, [])
    assert again.evaluate(words).metrics == run.validation.metrics
    assert set(again.predict(words)[0]) <= {"O", "B-LOC", "I-LOC"}
    number, notes = heard_in(again, [{"tokens": ["em", "Roma"], "tags": ["O", "B-LOC"]}])
    assert (number, notes) == (1, [])
    number, notes = heard_in(again, [{"tokens": ["em", "Roma"], "tags": ["0", "B_LOC"]}])
    assert notes == ["tags are spelled otherwise than in the training data: B_LOC read as B-LOC, 0 read as O"]

    flags = [{"msg": f"um filme {i}", "rude": i % 2, "kind": int(i % 3 == 0)} for i in range(9)]
    run = afina.train(train=flags, validation=flags, task="multilabel", out=tmp_path / "c", **how)
    again = afina.load(run.folder)
    assert again.labels == ["kind", "rude"]
    assert heard_in(again, flags)[0] == 9
    assert len(again.predict([{"msg": "uma sala"}])) == 1
    assert heard_in(again, [{"msg": "uma sala", "labels": ["rude"]}])[0] == 1
