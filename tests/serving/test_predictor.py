"""Texts in, predictions out: every form of input gives the same answers, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import afina
from afina.errors import ConfigError, DataError, InputError, ModelError
from afina.serving.predictor import Predictor

ROWS = [{"text": f"a {word} film", "label": label} for word, label in (("lovely", "good"), ("awful", "bad"))] * 10


@pytest.fixture(scope="module")
def model(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    out = tmp_path_factory.mktemp("predictor") / "run"
    run = afina.train(train=ROWS, validation=ROWS, model=tiny("bert"), epochs=60, learning_rate=3e-3, out=out)
    return afina.load(run.folder)


TEXTS = ["a lovely film", "an awful meal, 😀", "cat " * 300, "ação, não"]


def forms(texts: list[str | None], folder: Path) -> dict[str, Any]:
    """The same texts in every form that is accepted."""
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    frame = pandas.DataFrame({"text": texts, "id": range(len(texts))})
    frame.to_csv(folder / "texts.csv", index=False)
    frame.to_json(folder / "texts.jsonl", orient="records", lines=True)
    (folder / "texts.txt").write_text("".join(f"{text or ''}\n" for text in texts), encoding="utf-8")
    return {
        "list": texts,
        "tuple": tuple(texts),
        "generator": iter(texts),
        "array": np.array(texts, dtype=object),
        "series": pandas.Series(texts, index=range(7, 7 + len(texts))),
        "strings": pandas.Series(texts, dtype="string"),
        "index": pandas.Index(texts),
        "categories": pandas.Series(texts, dtype="category"),
        "arrow": pyarrow.array(texts),
        "chunks": pyarrow.chunked_array([texts[:1], texts[1:]], pyarrow.string()),
        "frame": frame,
        "one column": frame.rename(columns={"text": "whatever"})[["whatever"]],
        "known name": frame.rename(columns={"text": "Frase"}),
        "columns": {"text": pandas.Series(texts), "id": np.arange(len(texts))},
        "columns of arrays": {"text": np.array(texts, dtype=object)},
        "rows": [{"text": text} for text in texts],
        "table": pyarrow.table({"text": texts}),
        "batch": pyarrow.record_batch({"text": texts}),
        "csv": folder / "texts.csv",
        "jsonl": folder / "texts.jsonl",
        "lines": folder / "texts.txt",
    }


@given(texts=st.lists(st.sampled_from([*TEXTS, "", "  ", None]), min_size=1, max_size=5))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_form_of_input_answers_alike(model: Predictor, tmp_path: Path, texts: list[str | None]) -> None:
    expected = [model.predict(text) if text and text.strip() else None for text in texts]
    for name, data in forms(texts, tmp_path).items():
        assert model.predict(data) == expected, name


def test_a_text_alone_has_its_answer_alone(model: Predictor) -> None:
    assert [model.predict("a lovely film")] == model.predict(["a lovely film"])
    assert (model.predict_proba("a lovely film") == model.predict_proba(["a lovely film"])[0]).all()
    assert list(model.stream("a lovely film")) == list(model.stream(["a lovely film"]))
    assert model.predict("") is None
    assert np.isnan(model.predict_proba(" ")).all()
    assert model.predict([]) == []


def test_a_path_is_no_text(model: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("texts.csv").write_text("text\na lovely film\nan awful film\n", encoding="utf-8")
    expected = model.predict(["a lovely film", "an awful film"])
    assert model.predict(Path("texts.csv")) == model.predict(data="texts.csv") == expected
    assert len(model.predict_proba(data="texts.csv")) == len(list(model.stream(data="texts.csv"))) == 2
    assert len(model.predict(["texts.csv"])) == 1
    assert len(model.predict(data="texts.csv", format="lines")) == 3
    for call in (model.predict, model.predict_proba, lambda text: list(model.stream(text))):
        with pytest.raises(
            ConfigError, match=r"a file of this name exists\. For the file: predict\(Path\('texts.csv'\)\)"
        ):
            call("texts.csv")
    with pytest.raises(ConfigError, match="looks like the name of a file, and there is none"):
        model.predict("text.csv")
    with pytest.raises(ConfigError, match="given beside other inputs"):
        model.predict("a film", data="texts.csv")
    for nothing in ((), (None,), (3,), (b"a film",)):
        with pytest.raises(DataError, match="expected a text, a list of texts"):
            model.predict(*nothing)


def test_inputs_without_a_text_have_no_answer_and_are_counted(
    model: Predictor, caplog: pytest.LogCaptureFixture
) -> None:
    given: list[Any] = ["a lovely film", None, float("nan"), "", "\t\u200b"]
    first, *others = model.stream(given)
    assert all(one == {"label": None, "probabilities": {"bad": None, "good": None}} for one in others)
    assert first["label"] in model.labels
    assert caplog.messages == ["4 inputs without a text, and so without an answer; the first: item 2"]
    found = model.predict_proba(given)
    assert np.isnan(found[1:]).all()
    assert np.isfinite(found[0]).all()


def test_answers_in_a_frame(model: Predictor) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"label": [1, 2, 3], "text": ["a lovely film", None, "an awful film"]}, index=["a", "a", "b"]
    )
    before = frame.copy()
    found = model.predict_frame(frame)
    pandas.testing.assert_frame_equal(frame, before)
    pandas.testing.assert_frame_equal(found[["label", "text"]], frame)
    assert list(found.columns) == ["label", "text", "predicted_label", "probability_bad", "probability_good"]
    texts = ["a lovely film", None, "an awful film"]
    assert [None if pandas.isna(one) else one for one in found["predicted_label"]] == model.predict(texts)
    np.testing.assert_array_equal(found[["probability_bad", "probability_good"]], model.predict_proba(texts))
    again = model.predict_frame(found)
    assert "predicted_predicted_label" in again
    assert len(again.columns) == 8
    for other in (["a text"], {"text": ["a"]}, pandas.Series(["a text"])):
        with pytest.raises(ConfigError, match="expected a pandas or polars frame"):
            model.predict_frame(other)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_without_rows_has_predictions_without_rows(model: Predictor, library: str) -> None:
    frames = pytest.importorskip(library)
    frame = frames.DataFrame(ROWS[:2])
    none, some = model.predict_frame(frame[:0]), model.predict_frame(frame)
    assert list(none.columns) == list(some.columns)
    assert len(none) == 0
    assert model.predict(frame[:0]) == []
    assert model.predict_proba(frame[:0]).shape == (0, 2)


def test_evaluation_takes_frames_and_paths(model: Predictor, tmp_path: Path) -> None:
    pandas, pyarrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    frame = pandas.DataFrame(ROWS)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    expected = model.evaluate(ROWS).metrics
    columns = {"text": frame["text"], "label": frame["label"].to_numpy()}
    other = frame.rename(columns={"text": "review"})
    for data in (frame, columns, pyarrow.table(frame), tmp_path / "rows.csv", str(tmp_path / "rows.csv"), other):
        assert model.evaluate(data).metrics == expected
    with pytest.raises(DataError, match=r"found str; name the columns: .*'label'"):
        model.evaluate(frame["text"])


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


def test_evaluate_takes_groups_for_less_evidence(model: Predictor) -> None:
    rows = [{**row, "label": "bad" if i % 20 < 5 else row["label"], "who": i // 20} for i, row in enumerate(ROWS * 10)]
    for row in rows[:60]:
        row["label"] = "bad"
    alone, grouped = model.evaluate(rows), model.evaluate(rows, group_by="who")
    assert alone.metrics == grouped.metrics
    widths = [high - low for low, high in (one.intervals["accuracy"] for one in (alone, grouped))]
    assert widths[1] > 1.5 * widths[0]
    with pytest.raises(ConfigError, match="group_by: the data have no column 'wo', did you mean 'who'"):
        model.evaluate(rows, group_by="wo")


def test_evaluate_refuses_unknown_labels_with_their_places(model: Predictor) -> None:
    with pytest.raises(DataError, match=r"row 21.*'Good' does not occur"):
        model.evaluate([*ROWS, {"text": "x", "label": "Good"}])


def test_evaluate_knows_two_ways_with_unknown_labels(model: Predictor) -> None:
    with pytest.raises(ConfigError, match="unseen: expected refuse or count, found 'skip'"):
        model.evaluate(ROWS, unseen="skip")


def test_options_that_there_are_not_are_refused(model: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_text("text,label\na lovely film,good\n", encoding="utf-8")
    for data in (path, ["a lovely film"], ROWS):
        with pytest.raises(ConfigError, match="encodng: no such option; there are: columns, encoding, delimiter"):
            model.predict(data, encodng="utf-8")
    for labelled in (path, ROWS):
        with pytest.raises(ConfigError, match="batch_size: no such option"):
            model.evaluate(labelled, batch_size=8)


def test_wrong_inputs_say_what_was_expected(model: Predictor) -> None:
    with pytest.raises(DataError, match="item 2: expected a text, found int 3"):
        model.predict(["a", 3])
    with pytest.raises(ConfigError, match="no column 'text'"):
        model.predict([{"one": "a", "two": "b"}])


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
