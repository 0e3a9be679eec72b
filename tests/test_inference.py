"""Equal texts are computed once, and nobody can tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from afina import inference
from afina.inference import Evaluation
from afina.printing import Table
from afina.records import Batch, Example, Window
from afina.tasks.answers import Answer, AnswersOptions
from afina.tasks.base import find
from afina.tasks.classification import ClassificationOptions
from afina.text.layouts import Layout, Packed, Padded
from tests.arithmetic import close
from tests.networks import network_of, task_of, windows_of


@pytest.mark.parametrize("task", ["classification", "tokens"])
def test_equal_windows_are_computed_once(
    task: str, tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = network_of(tiny("bert"), task_of(task))
    texts = ["the cat", "a lovely dog", "the cat", "good", "a lovely dog", "the cat"]
    windows = windows_of(tiny("bert"), texts)
    seen: list[Window] = []
    kind = type(network.layout)
    collate = kind.collate

    def watched(layout: Layout, some: Sequence[Window]) -> Batch:
        seen.extend(some)
        return collate(layout, some)

    monkeypatch.setattr(kind, "collate", watched)
    found = inference.window_logits(network, windows)
    assert len(seen) == 3
    alone = [inference.window_logits(network, [window])[0] for window in windows]
    for one, other in zip(found, alone, strict=True):
        close(torch.from_numpy(one), torch.from_numpy(other))


@pytest.mark.parametrize("layout", [Packed, Padded])
def test_a_budget_changes_no_number(
    layout: type[Packed] | type[Padded], tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = network_of(tiny("bert"), packing=layout is Packed)
    windows = windows_of(tiny("bert"), ["the cat " * n for n in range(1, 9)])
    whole = np.stack(inference.window_logits(network, windows))
    for budget in (1, 20, 10_000):
        monkeypatch.setattr(type(network.layout), "budget", budget)
        some = np.stack(inference.window_logits(network, windows))
        close(torch.from_numpy(some), torch.from_numpy(whole))


def test_an_evaluation_beside_the_constant_of_its_own_examples() -> None:
    task = task_of("classification")
    examples = [Example("text", target=label) for label in (*task.labels, task.labels[1])]
    right = [{"label": one.target, "probabilities": dict.fromkeys(task.labels, 0.5)} for one in examples]
    evaluation = inference.evaluate(task, examples, predictions=right, resamples=9)
    (baseline,) = inference.beside_constant(evaluation, task, examples).baselines.items()
    assert baseline[0] == f"of these data: commonest label ({task.labels[1]})"
    assert baseline[1]["accuracy"] == 2 / len(examples)


def labelled(n: int, **more: Any) -> Evaluation:
    """An evaluation with n labels; label i has i gold examples, and those that are divisible by 3 have F1 0."""
    lines = [{"label": f"l{i}", "f1": float(i % 3 > 0), "support": i, "predicted": 1} for i in range(n)]
    return Evaluation({"accuracy": 0.5}, {"accuracy": (0.25, 0.75)}, lines, 4, **more)


def test_of_many_labels_the_commonest_and_the_worst_are_shown() -> None:
    assert [*labelled(0).labels("test")] == []
    assert [*labelled(3).labels("test")][1] == "labels of test"
    _, heading, table = labelled(30).labels("test")
    assert heading == "labels of test, the worst and the commonest (18 others in run.json)"
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == [f"l{i}" for i in (6, 9, 12, 15, 18, 21, 24, 25, 26, 27, 28, 29)]


def test_an_undefined_score_of_a_baseline_is_a_dash() -> None:
    table = labelled(0, baselines={"mean (3)": {"accuracy": float("nan")}}).scores
    assert table.rows == [["accuracy", "0.5000 [0.2500, 0.7500]", "-"]]


def test_questions_of_a_passage_are_less_evidence_than_as_many_passages() -> None:
    """Ten questions each of eight passages, all right: as much evidence as eight items."""
    task = find("answers")(AnswersOptions(), {"no_answer": False})
    examples = [Example(f"who {i}?", f"the cat {i // 10}", (Answer(0, 3, "the"),)) for i in range(80)]
    found = inference.evaluate(task, examples, predictions=[{"answer": "the"}] * 80)
    assert found.intervals["exact_match"] == pytest.approx((0.6756, 1), abs=1e-4)
    assert np.isnan(found.intervals["no_answer_accuracy"]).all()
    assert found.reasons == {"no_answer_accuracy": "not defined: no example counts"}
    alone = [Example(one.text, f"{one.pair}{i}", one.target) for i, one in enumerate(examples)]
    assert inference.clusters(task, alone) is None
    assert inference.evaluate(task, alone, predictions=[{"answer": "the"}] * 80).intervals["exact_match"][0] > 0.95


@given(
    names=st.lists(st.tuples(st.none() | st.sampled_from("abc"), st.none() | st.sampled_from("xyz")), min_size=1),
)
def test_clusters_join_what_the_task_says_and_groups(names: list[tuple[str | None, str | None]]) -> None:
    """Against a search for what is connected."""
    task = find("answers")(AnswersOptions(), {"no_answer": False})
    examples = [Example("who?", passage or f"passage {i}", (), group=group) for i, (passage, group) in enumerate(names)]
    expected = list(range(len(names)))
    for _ in names:
        for i, one in enumerate(names):
            for k, other in enumerate(names):
                if any(a is not None and a == b for a, b in zip(one, other, strict=True)):
                    expected[i] = expected[k] = min(expected[i], expected[k])
    found = inference.clusters(task, examples)
    if len(set(expected)) == len(names):
        assert found is None
    else:
        assert found is not None
        assert len({*zip(found.tolist(), expected, strict=True)}) == len(set(expected)) == len(set(found.tolist()))


def test_examples_of_one_author_are_less_evidence() -> None:
    task = find("classification")(ClassificationOptions(), {"labels": ["a", "b"]})
    said = {"a": {"label": "a", "probabilities": {"a": 0.9, "b": 0.1}}}
    examples = [Example(f"text {i}", target="ab"[i // 40], group=str(i // 10)) for i in range(80)]
    grouped = inference.evaluate(task, examples, predictions=[said["a"]] * 80).intervals["accuracy"]
    alone = [replace(example, group=None) for example in examples]
    assert inference.clusters(task, alone) is None
    low, high = inference.evaluate(task, alone, predictions=[said["a"]] * 80).intervals["accuracy"]
    assert grouped[1] - grouped[0] > 2 * (high - low)
