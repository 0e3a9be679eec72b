"""What scores mean, in words: each code by a made outcome, and some by real runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from afina import inference
from afina.config import Config, load, validated
from afina.inference import Evaluation
from afina.records import Example
from afina.tasks.base import Task, find
from afina.training.events import Note
from afina.training.verdicts import Outcome, fall, verdicts
from tests.runs import done, events_of, write_csv

FALLING = [1.0] * 10 + [0.3] * 90


def outcome(
    task: Task, examples: Sequence[Example], said: Sequence[Any], others: Mapping[str, Sequence[Any]] | None = None
) -> Outcome:
    """A model that says this, beside baselines that say that."""
    tables = {
        name: inference.table_of(task, examples, predictions=[prediction(task, one) for one in other])
        for name, other in (others or {}).items()
    }
    predictions = [prediction(task, one) for one in said]
    table = inference.table_of(task, examples, predictions=predictions)
    scores = {name: inference.score(task, own) for name, own in tables.items()}
    evaluation = Evaluation(
        inference.score(task, table), {}, task.breakdown(table), len(examples), baselines=scores
    )  # fmt: skip
    return Outcome(task, examples, predictions, evaluation, tables, task.constant(examples))


def prediction(task: Task, said: Any) -> dict[str, Any]:
    """A prediction in the form of the task."""
    if task.name == "classification":
        return {"label": said, "probabilities": {one: 0.8 if one == said else 0.1 for one in task.labels}}
    if task.name == "multilabel":
        return {"labels": said, "probabilities": {one: float(one in said) for one in task.labels}}
    if task.name == "tokens":
        return {"tags": said, "entities": []}
    return {"score": said} if task.name == "regression" else {"answer": said}


def of(name: str, targets: Sequence[Any], **options: Any) -> tuple[Task, list[Example]]:
    """A task fitted on examples with these targets."""
    words = tuple((2 * i, 2 * i + 1) for i in range(3)) if name == "tokens" else None
    pair = "a cat" if name == "answers" else None
    columns = {"tokens": "tokens", "tags": "tags"} if name == "tokens" else {}
    examples = [Example("a b c", pair, target, words=words) for target in targets]
    kind = find(name)
    return kind(validated(kind.Options, {**columns, **options}, "options")).fit(examples), examples


def found(
    one: Outcome, *, losses: Sequence[float] = FALLING, strategy: str = "full", split: str = "test", **settings: Any
) -> dict[str, str]:
    """Messages by code."""
    config: Config = load(None, {"strategy": strategy, "training.learning_rate": 1e-3, **settings})
    told = verdicts({split: one}, train=one.examples, config=config, losses=losses, best=len(losses))
    assert len({verdict.code for verdict in told}) == len(told)
    return {verdict.code: verdict.message for verdict in told}


LABELS = ["a", "b"] * 40
RIGHT = outcome(*of("classification", LABELS), LABELS, {"commonest label (a)": ["a"] * 80})


def test_a_good_model_needs_no_words() -> None:
    assert found(RIGHT) == {}


def test_a_model_that_is_not_better_than_a_baseline() -> None:
    said = ["b" if i % 4 else label for i, label in enumerate(LABELS)]
    worse = outcome(*of("classification", LABELS), said, {"commonest label (a)": ["a"] * 80, "TF-IDF linear": LABELS})
    told = found(worse)
    assert told["below-baseline"].startswith(
        "the model is not better than what costs nothing: accuracy of test is 0.7500, that of TF-IDF linear 1.0000. "
    )
    assert "--strategy last-2" in found(worse, strategy="head")["below-baseline"]
    assert "learnt by heart" in found(worse, losses=[1.0] * 10 + [0.01] * 90)["below-baseline"]


def test_the_whole_model_is_advised_where_it_was_not_trained() -> None:
    same = outcome(*of("classification", LABELS), ["a"] * 80, {})
    assert "--strategy full" in found(same, strategy="head")["constant-prediction"]
    assert "--strategy" not in found(same)["constant-prediction"]


def test_a_difference_that_may_be_chance() -> None:
    other = ["b", *LABELS[1:]]
    one = outcome(*of("classification", LABELS), LABELS, {"TF-IDF linear": other})
    assert "95 % interval 0.0000 to 0.0" in found(one)["near-baseline"]


def test_both_may_be_perfect() -> None:
    one = outcome(*of("classification", LABELS), LABELS, {"TF-IDF linear": LABELS})
    assert found(one)["equal-baseline"].startswith("TF-IDF linear does as well as the model, which costs more: ")


def test_errors_are_better_when_they_are_smaller() -> None:
    """A constant has no correlation, so the mean squared error is compared."""
    task, examples = of("regression", [float(i % 7) for i in range(70)])
    mean = {"mean (3)": [3.0] * 70}
    assert found(outcome(task, examples, [one.target for one in examples], mean)) == {}
    far = outcome(task, examples, [10.0 + one.target for one in examples], mean)
    assert "mean_squared_error of test is 100, that of mean (3) 4.0000" in found(far)["below-baseline"]


@pytest.mark.parametrize(
    ("name", "targets", "said", "says"),
    [
        ("classification", LABELS, ["b"] * 80, 'the same: "b";'),
        ("classification", ["a", *LABELS], ["a"] * 81, "the same: commonest label (a);"),
        (
            "regression",
            [float(i) for i in range(40)],
            [1.5 + i / 1e6 for i in range(40)],
            "nearly the same number, 1.5",
        ),
        ("multilabel", [("a",), (), ("a", "b")] * 20, [["a"]] * 60, "the same: commonest label (a);"),
        ("tokens", [("O", "B-X", "O")] * 40, [["O", "O", "O"]] * 40, "the same: no entity;"),
        ("tokens", [("D", "N", "D")] * 40, [["N", "N", "N"]] * 40, "the same: N;"),
    ],
)
def test_a_constant_prediction(name: str, targets: Sequence[Any], said: Sequence[Any], says: str) -> None:
    told = found(outcome(*of(name, targets), said))
    assert says in told["constant-prediction"]
    assert "never-predicted" not in told


def test_the_same_answer_is_right_where_the_gold_answers_are_the_same() -> None:
    task, examples = of("classification", LABELS)
    assert "constant-prediction" not in found(outcome(task, examples[::2], ["a"] * 40))


def test_always_no_answer_and_never_a_right_one() -> None:
    from afina.tasks.answers import Answer

    task, examples = of("answers", [(Answer(2, 5, "cat"),), ()] * 20)
    assert "the same: no answer;" in found(outcome(task, examples, [""] * 40))["constant-prediction"]
    told = found(outcome(task, examples, ["dog", ""] * 20))
    assert told["nothing-right"].startswith("has_answer_f1 of test is 0: no prediction is right. ")


def test_a_label_that_is_never_predicted() -> None:
    targets = ["a", "b"] * 40 + ["c"] * 6
    task, examples = of("classification", targets)
    told = found(outcome(task, examples, ["a", "b"] * 43))["never-predicted"]
    assert told == (
        "this label is never predicted: 'c' (6 in test, 6 in training). More training examples of it help; or "
        "--set options.class_weights=balanced"
    )
    balanced, _ = of("classification", targets, class_weights="balanced")
    assert found(outcome(balanced, examples, ["a", "b"] * 43))["never-predicted"].endswith("of it help")


def test_a_score_that_is_undefined() -> None:
    task, examples = of("regression", [float(i % 2) for i in range(60)])
    same = outcome(task, examples[::2], [float(i) for i in range(30)])
    assert found(same)["undefined-score"].startswith("pearson, spearman, r2 of test are undefined: ")


def test_few_examples() -> None:
    task, examples = of("classification", [*LABELS, "c"])
    small = outcome(task, examples[:9], LABELS[:9])
    assert found(small)["few-examples"].startswith("test has 9 examples: its scores are a hint at most. ")
    assert "--hold-out" in found(small, split="validation")["few-examples"]
    assert "fewer than 5 examples of 'c'" in found(outcome(task, examples, [*LABELS, "c"]))["few-of-a-label"]


def test_a_loss_that_rises_and_one_that_does_not_fall() -> None:
    assert "Try --learning-rate 0.0001" in found(RIGHT, losses=[1.0] * 10 + [5.0] * 10)["loss-risen"]
    assert found(RIGHT, losses=[1.0] * 20) == {}
    assert (
        "nothing was learned"
        in found(outcome(*of("classification", LABELS), ["a"] * 80), losses=[1.0] * 20)["loss-not-fallen"]
    )


def test_the_fall_of_the_loss() -> None:
    assert fall([2.0, *[1.0] * 8, 0.5]) == 0.25
    assert math.isnan(fall([1.0] * 9))
    assert math.isnan(fall([]))
    assert math.isnan(fall([0.0] * 10))
    assert math.isnan(fall([math.nan] * 10))


def test_a_run_says_and_keeps_what_its_scores_mean(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    """Texts without any sign of their label, and one rare label."""
    rows = [{"text": f"the film {i}", "label": ["good", "bad", "odd"][min(i % 12, 10) // 5]} for i in range(120)]
    setting = {
        "data.train": str(write_csv(tmp_path / "train.csv", rows)),
        "data.test": str(write_csv(tmp_path / "test.csv", rows[:48])),
        "model.name": str(tiny("bert")), "training.epochs": 1, "training.learning_rate": 1e-6, "strategy": "head",
    }  # fmt: skip
    events = events_of({**setting, "out": str(tmp_path / "run")})
    record = done(events).record
    codes = [one["code"] for one in record["warnings"]]
    assert {"constant-prediction", "below-baseline"} <= set(codes)
    notes = [event.text for event in events if isinstance(event, Note) and event.level == "warning"]
    assert notes[-len(codes) :] == [one["message"] for one in record["warnings"]]
    assert set(record["test"]["baselines"]) == {"commonest label (good)", "TF-IDF linear"}
    assert record["seconds"]["baseline"] > 0
    quiet = done(events_of({**setting, "out": str(tmp_path / "off"), "training.baseline": "off"}))
    assert quiet.record["test"]["baselines"] == {}
    assert "below-baseline" not in [one["code"] for one in quiet.record["warnings"]]
    assert "baseline" in quiet.record["seconds"]
