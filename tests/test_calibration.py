"""Probabilities of a whole model: fitted at the end of a run, kept, applied, measured; answers stay as they are."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss

import afina
from afina.calibration import calibrated, report
from afina.errors import ConfigError
from afina.serving.predictor import Predictor
from afina.tasks.calibrations import Calibration

THINGS = ("film", "room", "meal", "song", "cat", "dog", "mat", "bird")


def noisy(n: int, seed: int, share: float = 0.25) -> list[dict[str, Any]]:
    """Texts whose label is the opposite one in a share of them."""
    draw = random.Random(seed)
    rows = []
    for _ in range(n):
        good = draw.random() < 0.5
        word = draw.choice(("lovely", "great", "fine") if good else ("awful", "poor", "broken"))
        label = good != (draw.random() < share)
        rows.append({"text": f"a {word} {draw.choice(THINGS)}", "label": "good" if label else "bad"})
    return rows


@pytest.fixture(scope="module")
def run(tiny: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> afina.Run:
    folder = tmp_path_factory.mktemp("calibration") / "run"
    return afina.train(
        train=noisy(60, 0, 0.0), validation=noisy(200, 1), test=noisy(200, 2), model=tiny("bert"), epochs=30,
        learning_rate=3e-3, out=folder, baseline="off", training__keep="last",
    )  # fmt: skip


def plain(predictor: Predictor) -> Predictor:
    """The same model at temperature 1."""
    art = predictor.artifact
    return Predictor(replace(art, task=art.task.with_calibration(Calibration())))


def test_a_run_is_calibrated_and_says_so(run: afina.Run) -> None:
    known = run.record["calibration"]
    assert known["temperature"] > 1.05
    assert (known["data"], known["examples"], known["reason"]) == ("validation", 200, "")
    assert any(f"temperature {known['temperature']:g}, fitted on the validation data" in note for note in run.notes)
    for part in (run.validation, run.test):
        assert part is not None
        assert part.calibration is not None
        assert part.calibration.temperature == known["temperature"]
        assert part.metrics["log_loss"] == pytest.approx(part.calibration.scores["log_loss"], abs=1e-6)
    assert run.validation.calibration is not None
    assert run.validation.calibration.scores["log_loss"] < run.validation.calibration.before["log_loss"]
    kept = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))["test"]["calibration"]
    assert sum(one["count"] for one in kept["reliability"]) == kept["answers"] == 200


def test_answers_are_the_same_and_probabilities_those_of_the_temperature(run: afina.Run) -> None:
    texts = [row["text"] for row in noisy(50, 3)]
    raw, hot = plain(run.predictor).predict_proba(texts), run.predictor.predict_proba(texts)
    assert plain(run.predictor).predict(texts) == run.predictor.predict(texts)
    powers = raw ** (1 / run.record["calibration"]["temperature"])
    np.testing.assert_allclose(hot, powers / powers.sum(axis=1, keepdims=True), atol=1e-6)
    loaded = afina.load(run.folder)
    np.testing.assert_allclose(loaded.predict_proba(texts), hot, atol=1e-6)
    assert loaded.artifact.task.calibration == run.predictor.artifact.task.calibration


def test_the_report_is_that_of_other_formulas(run: afina.Run) -> None:
    rows = noisy(100, 4)
    found = run.predictor.evaluate(rows, precision=0.5).calibration
    assert found is not None
    probabilities = run.predictor.predict_proba([row["text"] for row in rows])
    assert found.scores["log_loss"] == pytest.approx(log_loss([row["label"] for row in rows], probabilities), abs=1e-6)
    said = str(found)
    assert "at temperature 1" in said
    assert "precision 0.5: from confidence" in said
    assert found.threshold is not None
    assert found.threshold.bound >= 0.5


def test_switched_off_probabilities_are_plain(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    off = afina.train(
        train=noisy(40, 0), validation=noisy(60, 1), model=tiny("bert"), epochs=1, out=tmp_path / "run",
        baseline="off", training__temperature="off",
    )  # fmt: skip
    assert off.record["calibration"]["reason"] == "switched off"
    assert off.record["calibration"]["temperature"] == 1.0
    assert len(off.predictor.artifact.task.calibration.scores) == 60


def test_sets_hold_the_likeliest_label_and_grow_as_alpha_falls(run: afina.Run) -> None:
    texts = [row["text"] for row in noisy(30, 5)]
    answers = run.predictor.predict(texts)
    wide, narrow = (run.predictor.predict_sets(texts, alpha=alpha) for alpha in (0.05, 0.4))
    for answer, large, small in zip(answers, wide, narrow, strict=True):
        assert answer in small
        assert set(small) <= set(large)
    assert run.predictor.predict_sets(texts[0], alpha=0.4) == narrow[0]
    assert run.predictor.predict_sets(["", texts[0]], alpha=0.4) == [None, narrow[0]]
    covered = run.predictor.evaluate(noisy(200, 6), alpha=0.2).calibration
    assert covered is not None
    assert covered.coverage is not None
    assert covered.coverage.coverage >= 0.7
    with pytest.raises(ConfigError, match="needs 999 labelled examples"):
        run.predictor.predict_sets(texts, alpha=0.001)


def test_new_data_calibrate_a_saved_model(run: afina.Run, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    rows = noisy(120, 7)
    found = afina.calibrate(folder, rows)
    known = found.artifact.task.calibration
    assert (known.data, known.examples, len(known.scores)) == ("data in memory", 120, 120)
    again = afina.load(folder)
    assert again.artifact.task.calibration == known
    texts = [row["text"] for row in rows]
    assert again.predict(texts) == run.predictor.predict(texts)
    assert len((folder / "model" / "afina.json").read_text(encoding="utf-8").splitlines()) < 100
    stock = tmp_path / "stock"
    shutil.copytree(folder / "model", stock)
    (stock / "afina.json").unlink()
    with pytest.raises(ConfigError, match=r"has no afina\.json to write into"):
        afina.calibrate(stock, rows)


def test_intervals_of_a_regression(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    rows = [{"text": row["text"], "score": i % 7 / 2} for i, row in enumerate(noisy(60, 8))]
    one = afina.train(
        task="regression", train=rows, validation=rows, model=tiny("bert"), epochs=1, out=tmp_path / "run",
        baseline="off",
    )  # fmt: skip
    found = one.predictor.predict_sets(["a lovely film"], alpha=0.1)
    score = one.predictor.predict("a lovely film")
    errors = sorted(abs(said - row["score"]) for said, row in zip(one.predictor.predict(rows), rows, strict=True))
    assert found[0]["high"] - score == pytest.approx(errors[54], abs=1e-5)  # the 55th of 60
    assert score - found[0]["low"] == pytest.approx(errors[54], abs=1e-5)
    assert one.validation.calibration is None


def test_thresholds_of_label_sets_move_with_the_temperature() -> None:
    from afina.records import Example, Features, Window
    from afina.tasks.multilabel import Multilabel

    draw = np.random.default_rng(0)
    logits = draw.normal(0, 4, (200, 3)).astype(np.float32)
    gold = draw.random((200, 3)) < 1 / (1 + np.exp(-logits / 2))
    examples = [Example("x", target=tuple(np.array(["a", "b", "c"])[row])) for row in gold]
    zero = np.zeros(1, np.int32)
    features = [Features((Window(zero, zero, zero, np.zeros((1, 2), np.int32), (0, 1)),))] * 200
    rows = [[row] for row in logits]
    task = Multilabel(Multilabel.Options(), {"labels": ["a", "b", "c"]})
    task = task.fit_thresholds(examples, features=features, logits=rows)
    hot = calibrated(task, examples, features=features, logits=rows, data="some").task
    assert 1.5 < hot.calibration.temperature < 2.7
    triples = list(zip(examples, features, rows, strict=True))
    before, after = ([one.decode(example, own.windows, row) for example, own, row in triples] for one in (task, hot))
    assert [one["labels"] for one in before] == [one["labels"] for one in after]
    found = report(hot, examples, features=features, logits=list(logits), predictions=after, alpha=0.1)
    assert found is not None
    assert found.coverage is not None
    assert found.coverage.coverage == pytest.approx(0.9, abs=0.01)
