"""One battery for every task there is, found by discovery, and for each of its samples."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from afina import inference
from afina.artifact import Artifact, load
from afina.assembly import EncodedDataset, to_dataset, with_targets
from afina.config import validated
from afina.errors import DataError
from afina.model import network as networks
from afina.model.network import Network
from afina.model.pretrained import load_tokenizer
from afina.model.states import kept_states
from afina.model.tables import KeptStates
from afina.records import Example, Row
from afina.tasks.base import Broken, Sample, Task, find, names
from afina.text.layouts import Packed, Padded
from afina.text.tokenization import Tokenizer
from afina.training import loop
from afina.training.loop import gradients
from afina.training.objective import Supervised
from tests.arithmetic import DEVICE, HERE, close, near

TASKS = ["answers", "classification", "multilabel", "regression", "tokens", "ordinal"]  # the last is the plug-in's
SAMPLES = [(name, i) for name in names() for i in range(len(find(name).samples))]
BROKEN = [(name, i) for name in names() for i in range(len(find(name).broken))]


def test_all_tasks_are_found() -> None:
    assert names() == TASKS
    assert all(len(find(name).samples) >= 2 for name in names())
    assert all(len(find(name).broken) >= 4 for name in names())


def prepare(name: str, sample: Sample | Broken, rows: Sequence[Any]) -> tuple[Task, list[Example]]:
    """A task fitted on rows, and the rows as examples."""
    kind = find(name)
    task = kind(validated(kind.Options, sample.options, "options")).columns(list(rows[0]))
    examples = [task.read(Row(row, f"sample:{i}")) for i, row in enumerate(rows, 1)]
    return task.fit(examples), examples


class Case:
    """A task on one of its samples, with a tiny network."""

    def __init__(self, name: str, number: int, folder: Path, *, short: bool = False) -> None:
        self.sample: Sample = find(name).samples[number]
        if short:
            self.sample = replace(self.sample, options={**self.sample.options, "long": "windows"})
        self.task, self.examples = prepare(name, self.sample, self.sample.rows)
        if short:
            self.examples = [lengthened(one) for one in self.examples]
        self.tokenizer = Tokenizer(load_tokenizer(str(folder), local=True), 16 if short else 64)
        self.folder = folder
        features = self.tokenizer.encode(self.examples, slides=self.task.slides)
        self.data: EncodedDataset = with_targets(to_dataset(self.examples, features), self.task)

    def network(self, head: str = "native", free: int | None = None) -> Network:
        network = networks.build(str(self.folder), self.task.head, level=self.task.level, head=head, compute=HERE)
        network.train_last(free)
        return network

    def predictions(self, network: Network) -> list[dict[str, Any]]:
        logits = inference.window_logits(network, self.data.windows)
        return inference.decode(self.task, self.data.examples, features=self.data.features, logits=logits)


def lengthened(example: Example) -> Example:
    """A text of several windows; of a pair the second text."""
    more = "the cat sleeps on the mat " * 4
    if example.pair is None:
        return replace(example, text=f"{example.text} {more}")
    return replace(example, pair=f"{example.pair} {more}")


@pytest.fixture(params=SAMPLES, ids=lambda pair: f"{pair[0]}-{pair[1]}")
def case(request: pytest.FixtureRequest, tiny: Callable[[str], Path]) -> Case:
    name, number = request.param
    return Case(name, number, tiny("bert"))


@pytest.fixture(params=[pair for pair in SAMPLES if "long" in find(pair[0]).Options.model_fields])
def sliding(request: pytest.FixtureRequest, tiny: Callable[[str], Path]) -> Case:
    """A sample whose examples become several windows."""
    name, number = request.param
    case = Case(name, number, tiny("bert"), short=True)
    assert all(len(one.windows) > 1 and one.truncated_tokens <= 30 for one in case.data.features)
    return case


@pytest.mark.parametrize(("name", "number"), BROKEN)
def test_refuses_every_broken_row_and_names_the_line(name: str, number: int) -> None:
    broken = find(name).broken[number]
    kind = find(name)
    task = kind(validated(kind.Options, broken.options, "options")).columns(list(broken.row))
    with pytest.raises(DataError, match=broken.says) as caught:
        task.read(Row(broken.row, "file.csv:17"))
    assert str(caught.value).startswith("file.csv:17: ")
    assert all(problem.code for problem in caught.value.problems)


def perfect(task: Task, example: Example, data: EncodedDataset, at: int) -> list[np.ndarray[Any, Any]]:
    """Logits that say the target, window by window."""
    found = []
    for w in range(*data.owners[at]):
        target = task.encode_target(example, data.windows[w])
        shape = (*np.shape(target), task.head.outputs)
        if np.issubdtype(target.dtype, np.integer):
            logits = np.full(shape, -20.0)
            np.put_along_axis(logits, np.maximum(target, 0)[..., None], 20.0, axis=-1)
        elif target.ndim:  # one number between 0 and 1 for each output
            logits = 40.0 * target[..., -task.head.outputs :] - 20.0
        else:
            logits = np.reshape(target, shape) * task.head.scale[0] + task.head.scale[1]
        found.append(logits)
    return found


def answer(prediction: dict[str, Any]) -> Any:
    """What a prediction says: its first value."""
    return next(iter(prediction.values()))


def test_perfect_logits_decode_to_the_target(case: Case) -> None:
    predictions = []
    for i, example in enumerate(case.examples):
        windows = case.data.features[i].windows
        prediction = case.task.decode(example, windows, perfect(case.task, example, case.data, i))
        assert_said(answer(prediction), example.target)
        predictions.append(prediction)
    scores = inference.score(case.task, inference.table_of(case.task, case.examples, predictions=predictions))
    primary = next(iter(scores))
    assert scores[primary] == pytest.approx(1.0)


def assert_said(said: Any, target: Any) -> None:
    """A prediction has the form of a target; sets have no order."""
    if isinstance(target, float):
        assert said == pytest.approx(target, rel=1e-5)
    elif isinstance(said, str) and isinstance(target, tuple):  # one of several answers, or none
        assert said in [one.text for one in target] or said == "" == "".join(one.text for one in target)
    elif isinstance(target, tuple):
        said = [
            tuple(one[name] for name in ("start", "end", "label")) if isinstance(one, dict) else one for one in said
        ]
        assert sorted(said) == sorted(target)
    else:
        assert said == target


def test_a_constant_answers_alike_and_is_scored_as_a_model_is(case: Case) -> None:
    """Every task of ours has one; a task of another package need not."""
    constant = case.task.constant(case.examples)
    assert constant is not None or case.task.name == "ordinal"
    if constant is None:
        return
    assert 0 < len(constant.name) <= 60
    predictions = [constant.predict(example) for example in case.examples]
    assert json.loads(json.dumps(predictions, allow_nan=False)) == predictions
    unlabelled = [constant.predict(replace(example, target=None)) for example in case.examples]
    assert unlabelled == predictions
    answers = [answer(prediction) for prediction in predictions]
    if case.task.label_unit == "word":  # as many tags as words, all the same
        answers = [[*set(tags)] for tags in answers if tags] or [0]
    assert all(one == answers[0] for one in answers)
    model = case.predictions(case.network())
    assert all(set(one) == set(other) for one, other in zip(predictions, model, strict=True))
    metrics = inference.score(case.task, inference.table_of(case.task, case.examples, predictions=predictions))
    assert list(metrics) == list(case.task.metrics)
    assert not metrics[next(iter(metrics))] > 0.95


def test_predictions_and_facts_are_json(case: Case) -> None:
    predictions = case.predictions(case.network())
    assert json.loads(json.dumps(predictions, allow_nan=False)) == predictions
    again = type(case.task)(case.task.options, json.loads(json.dumps(dict(case.task.fitted))))
    assert again.fitted == case.task.fitted
    assert again.head == case.task.head


def gradient_of(case: Case, network: Network, data: EncodedDataset, micro_tokens: int) -> list[torch.Tensor]:
    network.zero_grad()
    network.eval()  # without dropout, so that only the arithmetic differs
    objective = Supervised(case.task, data)
    units = objective.units(range(objective.examples), 0)
    _, count, _, _ = gradients(network, objective, units, micro_tokens=micro_tokens)
    return [parameter.grad / count for parameter in network.parameters() if parameter.grad is not None]


@pytest.mark.parametrize("free", [None, 0, 2])
def test_the_gradient_does_not_depend_on_the_split(case: Case, free: int | None) -> None:
    network = case.network(free=free)
    whole = gradient_of(case, network, case.data, 100_000)
    for micro_tokens in (1, 37):
        parts = gradient_of(case, network, case.data, micro_tokens)
        largest = max(float(grad.abs().max()) for grad in whole)
        for one, other in zip(whole, parts, strict=True):
            close(one, other, atol=1e-5 * largest, rtol=1e-4, largest=largest)


@pytest.mark.parametrize("free", [None, 0, 2])
def test_windows_are_averaged_whatever_the_split(sliding: Case, free: int | None) -> None:
    """The gradient in one micro-batch equals that of the averaged logits, written out; and any split gives it."""
    network = sliding.network(free=free)
    whole = gradient_of(sliding, network, sliding.data, 100_000)
    network.zero_grad()
    total = count = torch.zeros((), device=DEVICE)
    for i, example in enumerate(sliding.examples):
        windows = sliding.data.features[i].windows
        alone = [network(Padded(sliding.tokenizer.pad, DEVICE).collate([window])) for window in windows]
        logits = torch.cat(alone).mean(dim=0)
        target = torch.from_numpy(sliding.task.encode_target(example, windows[0]))[None].to(DEVICE)
        loss, weight = sliding.task.loss(logits[None], target)
        total, count = total + loss, count + weight
    torch.autograd.backward(total)
    by_hand = [parameter.grad / count for parameter in network.parameters() if parameter.grad is not None]
    parts = gradient_of(sliding, network, sliding.data, 1)
    largest = max(float(grad.abs().max()) for grad in whole)
    for one, other, third in zip(whole, by_hand, parts, strict=True):
        close(one, other, atol=1e-5 * largest, rtol=1e-4, largest=largest)
        close(one, third, atol=1e-5 * largest, rtol=1e-4, largest=largest)


@pytest.mark.parametrize("free", [0, 1, 2])
def test_kept_states_train_as_fresh_ones(case: Case, free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    network = case.network(free=free)
    monkeypatch.setattr(Packed, "budget", 200)
    kept = kept_states(network, case.data.windows)
    data = with_cache(case.data, kept)
    fresh = gradient_of(case, network, case.data, 500)
    cached = gradient_of(case, network, data, 500)
    largest = max(float(grad.abs().max()) for grad in fresh)
    for one, other in zip(fresh, cached, strict=True):
        close(one, other, atol=1e-5 * largest, rtol=1e-4, largest=largest)


def with_cache(data: EncodedDataset, kept: KeptStates) -> EncodedDataset:
    return replace(data, kept=kept)


def training(case: Case, network: Network, optimiser: torch.optim.Optimizer, *, epochs: int) -> Any:
    """The loop over a case's sample."""
    return loop.steps(
        network, Supervised(case.task, case.data), optimiser=optimiser, factor=lambda _: 1.0,
        epochs=epochs, batch_size=8, clip=1.0, micro_tokens=4096, seed=3,
    )  # fmt: skip


def trained(case: Case, free: int | None, *, epochs: int, rate: float) -> Network:
    network = case.network(free=free)
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for _ in training(case, network, torch.optim.AdamW(parameters, lr=rate, weight_decay=0.0), epochs=epochs):
        pass
    return network


def score_of(case: Case, network: Network) -> float:
    """The primary metric on the sample, after the task has decided what the data decide."""
    logits = inference.window_logits(network, case.data.windows)
    task = case.task.fit_thresholds(
        case.examples, features=case.data.features, logits=inference.by_example(case.data.features, logits)
    )
    predictions = inference.decode(task, case.examples, features=case.data.features, logits=logits)
    return next(iter(inference.score(task, inference.table_of(task, case.examples, predictions=predictions)).values()))


def test_learns_its_sample(case: Case) -> None:
    """A network of width 16 needs a while, and how long depends on the vocabulary that its tokenizer came to."""
    network = case.network()
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.0)
    best = 0.0
    with closing(training(case, network, optimiser, epochs=2000)) as steps:
        for step in steps:
            if step.last and step.epoch % 20 == 19:
                best = max(best, score_of(case, network))
                if best > 0.95:
                    break
    assert best > 0.95


def test_saved_and_loaded_predicts_the_same(case: Case, tmp_path: Path) -> None:
    network = trained(case, None, epochs=1, rate=1e-3)
    before = case.predictions(network)
    network.fold_scale()
    Artifact(case.task, case.tokenizer, network, "native", "tiny").save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.task.options == case.task.options
    after = list(inference.predict(again.network, case.examples, tokenizer=again.tokenizer, task=again.task))
    for one, other in zip(before, after, strict=True):
        assert_near(one, other)


def assert_near(one: Any, other: Any) -> None:
    """Equal but for floating-point dust."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_near(one[name], other[name])
    elif isinstance(one, float):
        assert other == near(one, rel=1e-4, abs=1e-4)
    else:
        assert one == other


def test_the_stock_class_loads_it(case: Case, tmp_path: Path) -> None:
    import transformers

    network = case.network()
    network.fold_scale()
    Artifact(case.task, case.tokenizer, network, "native", "tiny").save(tmp_path / "model")
    auto = getattr(transformers, case.task.head.auto_class)
    stock, info = auto.from_pretrained(tmp_path / "model", output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    stock.to(DEVICE).eval()
    network.eval()
    batch = Padded(case.tokenizer.pad, DEVICE).collate(case.data.windows[:5])
    with torch.no_grad():
        output = stock(input_ids=batch.ids, attention_mask=batch.mask, token_type_ids=batch.types)
        ours = network(batch)
    if "start_logits" in output:
        theirs = torch.stack([output.start_logits, output.end_logits], dim=-1)
    else:
        theirs = output.logits
    if case.task.level == "token":
        theirs = theirs.reshape(-1, theirs.shape[-1])[batch.index]
    close(theirs, ours, atol=1e-5)
    for name, value in case.task.head.config.items():
        assert getattr(stock.config, name) == value


@pytest.mark.cpu("on a GPU the same bits come again in strict mode alone, in which whole runs are tried")
def test_two_runs_are_the_same_bytes(case: Case) -> None:
    one = trained(case, 1, epochs=2, rate=1e-3)
    other = trained(case, 1, epochs=2, rate=1e-3)
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_every_gold_item_of_a_sample_can_be_expressed(case: Case) -> None:
    """Where a task counts pieces of the text, its own samples lose none, and windows lose no more than whole texts."""
    for example, one in zip(case.data.examples, case.data.features, strict=True):
        assert not any(case.task.coverage(example, one.windows))
    assert case.task.unit
    assert case.task.warnings(case.examples) == []
