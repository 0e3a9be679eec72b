"""Model, tokenizer and data put together."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

import afina
from afina import assembly
from afina.assembly import (
    coverage,
    coverage_line,
    encode_dataset,
    encode_gradually,
    open_network,
    open_tokenizer,
    parameter_hashes,
    state_store,
    with_targets,
)
from afina.compute import Compute
from afina.errors import ConfigError, ModelError
from afina.model.families import locate
from afina.model.pretrained import load_tokenizer
from afina.records import Example
from afina.tasks.base import Task, find
from afina.text.layouts import Packed, Padded
from tests.arithmetic import HERE
from tests.networks import network_of, set_weights, task_of

TEXTS = ["a lovely film", "the cat sleeps on the mat " * 8, "bad"]


def fitted(name: str, examples: list[Example], **options: str) -> Task:
    """A task that has learned from examples."""
    kind = find(name)
    return kind(kind.Options(**{"text": "text", "label": "label", **options})).fit(examples)


def test_windows_belong_to_their_examples(tiny: Callable[[str], Path]) -> None:
    examples = [Example(text, target=label) for text, label in zip(TEXTS, "aba", strict=True)]
    task = fitted("classification", examples, long="windows")
    tokenizer = assembly.open_tokenizer(str(tiny("bert")), max_length=24)
    data = assembly.with_targets(assembly.encode_dataset(tokenizer, task, examples), task)
    assert data.owners[0] == (0, 1)
    assert [end - start for start, end in data.owners] == [len(feature.windows) for feature in data.features]
    assert data.owners[-1][1] == len(data.windows) == len(data.lengths) > 3
    assert np.array(data.targets).tolist() == [0, 1, 0]


def test_coverage_counts_what_windows_can_express(tiny: Callable[[str], Path]) -> None:
    kind = find("tokens")
    tags = ("O", "B-WHO", "O")
    example = Example("the cat sleeps", target=tags, words=((0, 3), (4, 7), (8, 14)))
    task = kind(kind.Options(**{"tokens": "tokens", "tags": "tags"})).fit([example])
    data = assembly.encode_dataset(assembly.open_tokenizer(str(tiny("bert"))), task, [example])
    assert assembly.coverage(task, data) == {"": 1}


def test_a_head_with_a_loss_of_its_own_takes_no_weights(tiny: Callable[[str], Path]) -> None:
    kind = find("tokens")
    example = Example("the cat", target=("O", "B-WHO"), words=((0, 3), (4, 7)))
    task = kind(kind.Options(**{"tokens": "tokens", "tags": "tags", "class_weights": "balanced"})).fit([example])
    assert task.weighted
    tokenizer = assembly.open_tokenizer(str(tiny("bert")))
    with pytest.raises(ConfigError, match="this head has a loss of its own"):
        assembly.open_network(str(tiny("bert")), task, tokenizer=tokenizer, compute=Compute(), head="crf")


def test_kept_states_get_a_quarter_of_the_free_memory_unless_told() -> None:
    assert assembly.state_store(memory=0.5, disk=2.0).memory == 0.5e9
    assert assembly.state_store(memory=0.5, disk=2.0).disk == 2e9
    assert assembly.state_store(memory=None, disk=0).memory > 1e8


def test_hashes_tell_every_parameter_apart(tiny: Callable[[str], Path]) -> None:
    examples = [Example(text, target=label) for text, label in zip(TEXTS, "aba", strict=True)]
    task = fitted("classification", examples)
    tokenizer = assembly.open_tokenizer(str(tiny("bert")))
    network = assembly.open_network(str(tiny("bert")), task, tokenizer=tokenizer, compute=HERE)
    before = assembly.parameter_hashes(network)
    name, parameter = next(iter(network.named_parameters()))
    parameter.data[0] += 1
    after = assembly.parameter_hashes(network)
    assert {key for key in before if before[key] != after[key]} == {name}


LONG = "the cat sleeps on the mat and the dog barks at the bird " * 2
EXAMPLES = [
    Example("a lovely film", target="a", place="x:1"),
    Example(LONG, target="b", place="x:2"),
    Example("good", target="c", place="x:3"),
]
SENTENCES = [
    Example("the cat sleeps", target=("A", "B", "A"), words=((0, 3), (4, 7), (8, 14))),
    Example(LONG.strip(), target=("C",) * 26, words=tuple((m, m + 1) for m in range(26))),
]


def test_every_window_belongs_to_its_example(tiny: Callable[[str], Path]) -> None:
    tokenizer = open_tokenizer(str(tiny("bert")), max_length=16)
    task = task_of("classification", long="windows")
    data = encode_dataset(tokenizer, task, EXAMPLES)
    assert data.examples == EXAMPLES
    assert [end - start for start, end in data.owners] == [len(one.windows) for one in data.features]
    assert data.owners[0] == (0, 1)
    assert data.owners[1][1] - data.owners[1][0] > 1
    assert data.owners[-1][1] == len(data.windows)
    for (start, end), features in zip(data.owners, data.features, strict=True):
        assert all(one is other for one, other in zip(data.windows[start:end], features.windows, strict=True))
    assert data.lengths == [len(window) for window in data.windows]
    assert max(data.lengths) <= 16
    assert data.targets == ()
    assert data.kept is None


def test_no_examples_are_an_empty_dataset(tiny: Callable[[str], Path]) -> None:
    data = encode_dataset(open_tokenizer(str(tiny("bert"))), task_of(), [])
    assert (len(data.examples), len(data.windows), list(data.owners)) == (0, 0, [])


def test_examples_are_encoded_some_at_a_time(tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "CHUNK", 2)
    tokenizer, task = open_tokenizer(str(tiny("bert"))), task_of()
    assert list(encode_gradually(tokenizer, task, EXAMPLES)) == [pytest.approx(2 / 3), 1.0]
    whole = encode_dataset(tokenizer, task, EXAMPLES)
    monkeypatch.undo()
    for one, other in zip(whole.windows, encode_dataset(tokenizer, task, EXAMPLES).windows, strict=True):
        assert np.array_equal(one.ids, other.ids)


def test_a_target_an_example_or_one_a_window(tiny: Callable[[str], Path]) -> None:
    tokenizer = open_tokenizer(str(tiny("bert")), max_length=16)
    task = task_of("classification", long="windows")
    data = with_targets(encode_dataset(tokenizer, task, EXAMPLES), task)
    assert [int(target) for target in data.targets] == [0, 1, 2]
    assert len(data.windows) > 3
    tags = task_of("tokens")
    data = with_targets(encode_dataset(tokenizer, tags, SENTENCES), tags)
    assert len(data.targets) == len(data.windows) > len(SENTENCES)
    assert [len(target) for target in data.targets] == data.lengths


def test_what_the_windows_can_express_is_counted(tiny: Callable[[str], Path]) -> None:
    tokenizer = open_tokenizer(str(tiny("bert")), max_length=16)
    entities = task_of("tokens", {"kind": "entities", "types": ["WHO"]})
    example = Example("the cat sleeps", target=("O", "B-WHO", "O"), words=((0, 3), (4, 7), (8, 14)))
    unseen = Example("the \u200b cat", target=("O", "B-WHO", "B-WHO"), words=((0, 3), (4, 5), (6, 9)))
    data = encode_dataset(tokenizer, entities, [example, unseen])
    counts = coverage(entities, data)
    assert counts == {"": 2, "with a word without a token": 1}  # no token stands for a blank without width
    assert coverage_line(entities, counts) == (
        "2 of 3 gold entities can be predicted; not those 1 with a word without a token"
    )
    assert coverage(task_of(), encode_dataset(tokenizer, task_of(), EXAMPLES)) == {}


def test_a_tokenizer_opens_without_the_weights(tiny: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from afina.model import backbone

    monkeypatch.setattr(backbone, "load_stock", lambda *_, **__: pytest.fail("the model was made"))
    name = str(tiny("bert"))
    assert open_tokenizer(name).max_length == 66
    assert open_tokenizer(locate(name), max_length=20).max_length == 20
    with pytest.raises(ConfigError, match="max_length: 67 asked for, but bert has room for 66"):
        open_tokenizer(name, max_length=67)
    with pytest.raises(ModelError, match="there is no folder"):
        open_tokenizer("./nowhere")


def test_a_network_opens_for_its_task(tiny: Callable[[str], Path]) -> None:
    name, task = str(tiny("bert")), task_of()
    tokenizer = open_tokenizer(name)
    compute = Compute(precision="bf16")
    network = open_network(name, task, tokenizer=tokenizer, compute=compute, head="mean", dropout=0.5, seed=1)
    assert (network.outputs, network.pooling, network.pad) == (3, "mean", tokenizer.pad)
    assert network.compute is compute
    assert isinstance(network.layout, Packed)
    assert all(parameter.requires_grad for parameter in network.head.parameters())
    assert network.backbone.config.hidden_dropout_prob == 0.5
    padded = open_network(locate(name), task, tokenizer=tokenizer, compute=Compute(), packing=False)
    assert isinstance(padded.layout, Padded)


def test_a_head_with_a_loss_of_its_own_knows_no_weights(tiny: Callable[[str], Path]) -> None:
    name = str(tiny("bert"))
    task = task_of("tokens", {"kind": "plain", "types": ["A", "B"], "weights": [1.0, 2.0]}, class_weights="balanced")
    with pytest.raises(ConfigError, match="class_weights: this head has a loss of its own"):
        open_network(name, task, tokenizer=open_tokenizer(name), compute=Compute(), head="crf")


def test_one_bit_of_a_parameter_makes_another_hash(tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"))
    before = parameter_hashes(network)
    assert set(before) == set(dict(network.named_parameters()))
    assert before == parameter_hashes(network_of(tiny("bert")))
    name = "stock.bert.encoder.layer.1.output.dense.weight"
    weights = network.get_parameter(name).detach().cpu().clone()
    weights.view(torch.int32)[3, 5] ^= 1
    set_weights(network, name, weights)
    after = parameter_hashes(network)
    assert {one for one in before if before[one] != after[one]} == {name}


def test_hashes_are_those_of_unfinished_runs_whatever_the_number_of_threads(tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("bert"), compute=Compute())
    network.get_parameter("stock.classifier.weight").data = torch.randn(16, 3).t()  # not contiguous
    wanted = {
        name: hashlib.blake2b(parameter.detach().contiguous().numpy().tobytes()).hexdigest()
        for name, parameter in network.named_parameters()
    }
    for threads in (None, 1, 3):
        network.compute = Compute(threads=threads)
        found = parameter_hashes(network)
        assert found == wanted
        assert list(found) == list(wanted)


def test_states_take_a_share_of_a_gpu_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "free_memory", lambda device: 8e9 if device.type == "cuda" else 0)
    gpu = torch.device("cuda")
    assert state_store(memory=None, disk=0).gpu == 0
    assert state_store(memory=None, disk=0, device=gpu).gpu == 2e9
    assert state_store(memory=0.5, disk=0, device=gpu).gpu == 0.5e9
    assert state_store(memory=5, disk=0, device=gpu).gpu == 2e9
    assert state_store(memory=0, disk=0, device=gpu).gpu == 0


def test_room_for_kept_states_is_as_told_or_a_share_of_the_free_memory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AFINA_CACHE", str(tmp_path))
    store = state_store(memory=0.5, disk=2)
    assert (store.folder, store.memory, store.disk) == (tmp_path / "states", 0.5e9, 2e9)
    free = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    assert state_store(memory=None, disk=0).memory == pytest.approx(0.25 * free.available)
    assert state_store(memory=0, disk=0).memory == 0


def with_new_token(folder: Path) -> Path:
    """A model whose tokenizer has one token more than the embedding has rows."""
    tokenizer = load_tokenizer(str(folder), local=True)
    tokenizer.add_tokens(["<new>"])
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("family", ["bert", "roberta", "deberta-v2", "distilbert", "modernbert"])
def test_a_token_without_a_row_is_named_and_gets_one_on_request(
    family: str, tiny: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = with_new_token(Path(shutil.copytree(tiny(family), tmp_path / "model")))
    rows = [{"text": f"a {word} film <new>", "label": word} for word in ("lovely", "awful")] * 3
    settings: dict[str, Any] = {"train": rows, "validation": rows, "model": folder, "epochs": 1}
    with pytest.raises(ModelError, match=r"none for '<new>'; --set model\.resize=true trains it"):
        afina.train(**settings, out=tmp_path / "run")
    with pytest.raises(ModelError, match="none for '<new>'"):
        afina.check(**settings)
    run = afina.train(**settings, model__resize=True, out=tmp_path / "run")
    network = run.predictor.artifact.network
    base: Any = network.backbone.base
    table = base.get_input_embeddings().weight
    assert len(table) == network.backbone.config.vocab_size == open_tokenizer(str(folder), resize=True).rows
    assert afina.load(run.folder).predict(["<new>"]) == run.predictor.predict(["<new>"])


def test_a_fine_tuned_model_with_a_token_without_a_row_is_refused(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    rows = [{"text": f"a {word} film", "label": word} for word in ("lovely", "awful")] * 3
    run = afina.train(train=rows, validation=rows, model=tiny("bert"), epochs=1, out=tmp_path / "run")
    (run.folder / "model" / "afina.json").unlink()
    with_new_token(run.folder / "model")
    with pytest.raises(ModelError, match=r"resize_token_embeddings"):
        afina.load(run.folder)
