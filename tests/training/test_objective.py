"""The supervised objective: any division of its units gives the same sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from afina import inference
from afina.assembly import EncodedDataset, encode_dataset, open_network, open_tokenizer, with_targets
from afina.config import load
from afina.data.parts import read_data
from afina.model.states import kept_states
from afina.records import Example
from afina.tasks.base import Task, find
from afina.training.loop import gradients
from afina.training.objective import Measure, Supervised, averaged, loss_at_zero
from afina.training.run import Prepared, prepare
from tests.arithmetic import HERE, close, near, same
from tests.networks import network_of, staged, task_of, tokenizer_of
from tests.runs import ROWS

TEXTS = [("a lovely film", "a"), ("the cat sleeps on the mat " * 6, "b"), ("bad", "a"), ("great room", "b")]
EXAMPLES = [Example(text, target=label, place=f"a.csv:{i}") for i, (text, label) in enumerate(TEXTS, 2)]


@pytest.mark.parametrize("long", ["truncate", "windows"])
def test_the_sum_does_not_depend_on_the_division(long: str, tiny: Callable[[str], Path]) -> None:
    kind = find("classification")
    task = kind(kind.Options(**{"text": "text", "label": "label", "long": long})).fit(EXAMPLES)
    tokenizer = open_tokenizer(str(tiny("bert")), max_length=20)
    network = open_network(str(tiny("bert")), task, tokenizer=tokenizer, compute=HERE).eval()
    objective = Supervised(task, with_targets(encode_dataset(tokenizer, task, EXAMPLES), task))
    assert objective.examples == 4
    assert objective.where([1, 3]) == ["a.csv:3", "a.csv:5"]
    units = objective.units([0, 1, 2, 3], 0)
    assert [len(unit.windows) > 1 for unit in units] == [False, long == "windows", False, False]

    def loss(some: list[int]) -> torch.Tensor:
        chosen = [units[i] for i in some]
        inputs = network.collate([window for unit in chosen for window in unit.windows])
        return objective.loss(network, inputs, staged(objective, chosen, inputs))[0]

    close(loss([0, 1, 2, 3]), loss([2, 1]) + loss([0]) + loss([3]))


def test_windows_are_averaged_by_example() -> None:
    logits = torch.tensor([[1.0, 0.0], [3.0, 2.0], [5.0, 5.0]])
    assert averaged(logits, torch.tensor([2, 1])).tolist() == [[2.0, 1.0], [5.0, 5.0]]
    assert averaged(logits, torch.tensor([3, 0]))[1].tolist() == [0.0, 0.0]  # no example


LONG = "the cat sleeps on the mat and the dog barks at the bird " * 2
REVIEWS = [
    Example("a lovely film", target="a", place="x:1"),
    Example(LONG, target="b", place="x:2"),
    Example("good", target="c", place="x:3"),
]
SENTENCES = [
    Example("the cat sleeps", target=("A", "B", "A"), words=((0, 3), (4, 7), (8, 14)), place="x:1"),
    Example(LONG.strip(), target=("C",) * 26, words=tuple((m, m + 1) for m in range(26)), place="x:2"),
    Example("good", target=("B",), words=((0, 4),), place="x:3"),
]


def made(folder: Path, name: str) -> tuple[Task, EncodedDataset]:
    """A task and some of its data, one example of which has several windows."""
    task = task_of("classification", long="windows") if name == "classification" else task_of(name)
    examples = REVIEWS if name == "classification" else SENTENCES
    data = with_targets(encode_dataset(tokenizer_of(folder, 16), task, examples), task)
    assert len(data.features[1].windows) > 1
    return task, data


@pytest.mark.parametrize("name", ["classification", "tokens"])
def test_units_hold_every_window_of_their_examples_once(name: str, tiny: Callable[[str], Path]) -> None:
    task, data = made(tiny("bert"), name)
    objective = Supervised(task, data)
    assert objective.examples == 3
    units = objective.units([2, 1], 0)
    places = [place for unit in units for place in unit.places]
    expected = [*range(*data.owners[2]), *range(*data.owners[1])]
    assert places == expected
    for unit in units:
        assert all(window is data.windows[place] for window, place in zip(unit.windows, unit.places, strict=True))
    if name == "classification":  # an example's windows share one answer
        assert [int(unit.target) for unit in units] == [2, 1]
    else:  # a window is a unit, with a tag for each of its tokens
        assert len(units) == len(expected)
        for unit, place in zip(units, places, strict=True):
            assert unit.target is data.targets[place]
            assert len(unit.target) == len(unit.windows[0])
    assert objective.where([1, 0]) == ["x:2", "x:1"]


@pytest.mark.parametrize("name", ["classification", "tokens"])
def test_states_are_those_of_the_units_windows(name: str, tiny: Callable[[str], Path]) -> None:
    task, data = made(tiny("bert"), name)
    network = network_of(tiny("bert"), task, layers=1)
    kept = kept_states(network, data.windows)
    objective = Supervised(task, replace(data, kept=kept))
    units = objective.units([1, 0], 0)
    batch = network.collate([window for unit in units for window in unit.windows])
    assert "states" not in Supervised(task, data).stage(units, batch)
    network.eval()
    given = staged(objective, units, batch)
    found = given["states"] if "states" in given else kept.vectors.index_select(0, given["rows"])
    same(batch.real(found, pooled=False), batch.real(network.lower(batch).vectors, pooled=False))


@pytest.mark.parametrize("name", ["classification", "tokens"])
def test_the_loss_is_a_sum_over_units(name: str, tiny: Callable[[str], Path]) -> None:
    task, data = made(tiny("bert"), name)
    network = network_of(tiny("bert"), task)
    network.eval()
    objective = Supervised(task, data)

    def loss(batch: list[int]) -> tuple[float, float]:
        units = objective.units(batch, 0)
        inputs = network.collate([window for unit in units for window in unit.windows])
        with torch.no_grad():
            total, count = objective.loss(network, inputs, staged(objective, units, inputs))
        assert total.ndim == count.ndim == 0
        return float(total), float(count)

    parts = [loss([i]) for i in range(3)]
    total, count = loss([2, 0, 1])
    assert total == near(sum(part for part, _ in parts))
    assert count == sum(number for _, number in parts)


def test_a_head_with_a_loss_of_its_own_is_asked_for_it(tiny: Callable[[str], Path]) -> None:
    task, data = made(tiny("bert"), "tokens")
    network = network_of(tiny("bert"), task, head="crf")
    network.train()
    seen: list[Any] = []
    criterion = network.criterion
    assert criterion is not None

    def watched(logits: torch.Tensor, targets: torch.Tensor, lengths: Any) -> tuple[torch.Tensor, torch.Tensor]:
        seen.append((len(logits), len(targets), tuple(lengths)))
        return criterion(logits, targets, lengths)

    network.head.criterion = watched  # type: ignore[assignment]
    units = Supervised(task, data).units([0, 2], 0)
    inputs = network.collate([unit.windows[0] for unit in units])
    objective = Supervised(task, data)
    total, _ = objective.loss(network, inputs, staged(objective, units, inputs))
    assert seen == [(inputs.tokens, inputs.tokens, inputs.lengths)]
    assert bool(total.isfinite())


@given(counts=st.lists(st.integers(1, 5), min_size=1, max_size=6), seed=st.integers(0, 2**31))
def test_the_logits_of_windows_are_averaged_example_by_example(counts: list[int], seed: int) -> None:
    logits = torch.randn(sum(counts), 3, generator=torch.Generator().manual_seed(seed))
    ends = np.cumsum(counts)
    expected = torch.stack([logits[end - count : end].mean(dim=0) for end, count in zip(ends, counts, strict=True)])
    torch.testing.assert_close(averaged(logits, torch.tensor(counts)), expected)
    assert averaged(logits.to(torch.bfloat16), torch.tensor(counts)).dtype == torch.float32


# ---------------------------------------------------------------------------------------------------------------------
# The loss of logits that are known.

SETTINGS: dict[str, dict[str, Any]] = {
    "classification": {},
    "weights and smoothing": {"options.class_weights": "balanced", "options.label_smoothing": 0.1},
    "windows": {"options.long": "windows", "model.max_length": 8},
    "regression": {"task": "regression"},
    "multilabel": {"task": "multilabel"},
    "tokens": {"task": "tokens"},
    "answers": {"task": "answers"},
    "last layer": {"strategy": "last-1"},
}


def prepared_run(model: Path, **settings: Any) -> Prepared:
    """A run that is ready to train on a few rows, without dropout."""
    config = load(None, {"model.name": str(model), "model.dropout": 0, "model.head_dropout": 0, **settings})
    rows = [dict(row) for row in ROWS[config.task]]
    if "text" in rows[0]:
        rows[0]["text"] *= 9  # a text of several windows
    stage = prepare(config, read_data(config, {"train": rows, "validation": rows[:7]}))
    while True:
        try:
            next(stage)
        except StopIteration as end:
            prepared: Prepared = end.value
            return prepared


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_measured_loss_is_that_of_training_without_dropout(
    settings: dict[str, Any], tiny: Callable[[str], Path]
) -> None:
    run = prepared_run(tiny("bert"), **settings)
    objective = Supervised(run.task, run.splits["train"])
    units = objective.units(range(objective.examples), 0)
    network = run.network.train()
    total, count, *_ = gradients(network, objective, units, micro_tokens=60)
    data = replace(run.splits["train"], targets=())
    logits = inference.by_example(data.features, inference.window_logits(network, data.windows))
    loss = Measure.of(run.task, data).loss(logits, scale=network.scale)
    assert loss == near(float(total / count))


def test_a_crf_is_measured_by_the_marginals_of_its_tags(tiny: Callable[[str], Path]) -> None:
    run = prepared_run(tiny("bert"), **{"task": "tokens", "model.head": "crf"})
    data = run.splits["validation"]
    logits = inference.by_example(data.features, inference.window_logits(run.network, data.windows))
    targets = [
        run.task.encode_target(e, w) for e, f in zip(data.examples, data.features, strict=True) for w in f.windows
    ]
    rows = np.concatenate([window for own in logits for window in own])
    labels = np.concatenate(targets)
    known = labels >= 0
    expected = -rows[known, labels[known]].mean()
    assert Measure.of(run.task, data).loss(logits) == near(float(expected))


def test_examples_of_labels_that_training_lacks_are_left_out(tiny: Callable[[str], Path]) -> None:
    examples = [*EXAMPLES, Example("who knows", target="z", place="a.csv:9")]
    task = task_of()
    data = encode_dataset(tokenizer_of(tiny("bert")), task, examples)
    logits = [[np.array([2.0, 0.0, 0.0], np.float32)] for _ in examples]
    assert Measure.of(task, data).known == [0, 1, 2, 3]
    assert Measure.of(task, data).loss(logits) == pytest.approx(np.log(np.exp(2) + 2) - 1)
    nothing = encode_dataset(tokenizer_of(tiny("bert")), task, examples[4:])
    assert np.isnan(Measure.of(task, nothing).loss(logits[4:]))


def test_what_knows_nothing_has_the_loss_of_a_draw(tiny: Callable[[str], Path]) -> None:
    expected = {"classification": np.log(2), "regression": 1.0, "multilabel": np.log(2)}
    for name, loss in expected.items():
        run = prepared_run(tiny("bert"), **SETTINGS[name])
        found = loss_at_zero(run.task, run.splits["train"], outputs=run.network.outputs)
        assert found == pytest.approx(loss, rel=1e-5)
    for name in ("tokens", "answers"):
        run = prepared_run(tiny("bert"), **SETTINGS[name])
        train = run.splits["train"]
        labels = run.network.outputs if name == "tokens" else train.lengths
        found = loss_at_zero(run.task, train, outputs=run.network.outputs)
        assert found == pytest.approx(float(np.mean(np.log(labels))), rel=1e-5)
