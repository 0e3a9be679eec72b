"""Every strategy there is, those of other packages too, trains what it says and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import torch

import afina
from afina import strategies
from afina.config import load
from afina.errors import ConfigError, ModelError
from afina.model import network as networks
from afina.model.network import Network
from afina.strategies import HEAD_EPOCHS, MOST_EPOCHS, Defaults, Head, Layers, Strategy
from afina.tasks.base import find
from afina.training.rundir import RunFolder
from tests.networks import network_of
from tests.runs import events, finished

ROWS = [{"text": f"a {word} film", "label": label} for word, label in (("lovely", "good"), ("dull", "bad"))] * 6
EVERY = [name.replace("-N", "-1") for name in strategies.names()]


def test_every_strategy_is_found() -> None:
    assert EVERY == ["full", "head", "last-1", "head-then-full", "head-then-last-1", "gradual", "biases"]
    assert strategies.find("last-12") == Layers(12)
    assert strategies.find("full") == Layers(None)
    assert isinstance(strategies.find("head"), Head)


@pytest.mark.parametrize("name", EVERY)
def test_each_trains_what_it_says(name: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    run = afina.train(
        train=ROWS,
        validation=ROWS,
        model=tiny("bert"),
        strategy=name,
        epochs=2,
        learning_rate=1e-2,
        out=tmp_path / "run",
    )
    proof = run.record["freeze_proof"]
    assert proof["frozen_tensors_moved"] == []
    assert proof["trained_tensors_unmoved"] == []
    assert bool(proof["frozen_tensors"]) == (name not in ("full", "head-then-full", "gradual"))
    assert load(tmp_path / "run" / "config.yaml").strategy == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "last-0",
        "last-",
        "last",
        "full-2",
        "head-1",
        "bias",
        "LAST-2",
        "last-²",
        "last-01",
        "last-x",
        "last-2-3",
        "last-٢",
        "Full",
        "heads",
        "gradual-0",
        "gradual-",
        "head-then-",
        "head-then-head",
        "head-then-gradual",
    ],
)
def test_an_unknown_name_is_refused_with_those_there_are(name: str) -> None:
    assert not strategies.is_known(name)
    with pytest.raises(
        ConfigError, match="expected full, head, last-N, head-then-full, head-then-last-N, gradual or biases"
    ):
        strategies.find(name)
    with pytest.raises(
        ConfigError, match="strategy: expected full, head, last-N, head-then-full, head-then-last-N, gradual or biases"
    ):
        load(None, {"strategy": name})


def test_another_packages_strategy_judges_its_own_argument(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="biases takes no argument, found '3'"):
        afina.train(train=ROWS, validation=ROWS, strategy="biases-3", out=tmp_path / "run")


def test_what_a_model_can_not_do_is_refused(tiny: Callable[[str], Path]) -> None:
    task = find("classification")
    spec = task(task.Options(), {"labels": ["a", "b"]}).head
    with pytest.raises(ConfigError, match="last-9 asked for, but the model has 3 layers"):
        strategies.find("last-9").apply(networks.build(str(tiny("bert")), spec, level="example"))
    with pytest.raises(ModelError, match="last-1 means nothing for albert: all layers share"):
        strategies.find("last-1").apply(networks.build(str(tiny("albert")), spec, level="example"))


def test_little_data_get_more_epochs_and_a_wide_model_a_lower_rate() -> None:
    def decide(name: str, examples: int, width: int = 768) -> strategies.Defaults:
        return strategies.find(name).defaults(examples=examples, width=width, batch_size=None, accumulation=1)

    assert (decide("full", 100).epochs, decide("full", 100_000).epochs) == (MOST_EPOCHS, 3)
    assert (decide("full", 100).batch_size, decide("full", 640).batch_size) == (16, 32)
    assert [decide("last-2", 1000, width).learning_rate for width in (384, 768, 1024)] == [2e-4, 4e-5, 2e-5]
    assert decide("head", 1000).epochs == HEAD_EPOCHS
    assert decide("head", 1000).patience is not None


@pytest.fixture
def network(tiny: Callable[[str], Path]) -> Network:
    return network_of(tiny("bert"))


def trained(network: Network) -> set[str]:
    """Names of what trains."""
    return {name for name, parameter in network.named_parameters() if parameter.requires_grad}


def test_strategies_name_layers(network: Network) -> None:
    assert strategies.find("full") == Layers(None)
    assert strategies.find("head") == Head()
    assert strategies.find("last-3") == Layers(3)
    for name, layers in (("full", None), ("head", 0), ("last-3", 3)):
        strategies.find(name).apply(network)
        assert network.trainable_layers == layers
    with pytest.raises(ConfigError, match="last-4 asked for, but the model has 3 layers"):
        strategies.find("last-4").apply(network)


def test_what_a_strategy_leaves_trainable(network: Network) -> None:
    everything = set(dict(network.named_parameters()))
    head = {name for name in everything if "classifier" in name or "pooler" in name}
    strategies.find("full").apply(network)
    assert trained(network) == everything
    strategies.find("head").apply(network)
    assert trained(network) == head
    strategies.find("last-1").apply(network)
    assert trained(network) == head | {name for name in everything if ".layer.2." in name}


def test_layers_that_share_their_weights_can_not_be_told_apart(tiny: Callable[[str], Path]) -> None:
    network = network_of(tiny("albert"))
    with pytest.raises(ModelError, match="strategy: last-2 means nothing for albert: all layers share one set"):
        strategies.find("last-2").apply(network)
    assert trained(network) == set(dict(network.named_parameters()))  # as before
    strategies.find("head").apply(network)


def defaults(name: str, *, examples: int, width: int, batch_size: int | None = None, accumulation: int = 1) -> Defaults:
    return strategies.find(name).defaults(
        examples=examples, width=width, batch_size=batch_size, accumulation=accumulation
    )


def test_defaults_depend_on_the_strategy_and_the_data() -> None:
    full = defaults("full", examples=10_000, width=384)
    assert (full.epochs, full.batch_size, full.schedule, full.patience) == (3, 32, "linear", None)
    assert full.learning_rate == pytest.approx(2e-4)
    assert defaults("last-2", examples=10_000, width=384) == full
    assert defaults("full", examples=10_000, width=768).learning_rate == pytest.approx(4e-5)
    assert defaults("full", examples=10_000, width=1024).learning_rate == pytest.approx(2e-5)
    small = defaults("full", examples=300, width=384)
    assert small.batch_size == 16
    assert small.epochs == 20
    head = defaults("head", examples=10_000, width=384)
    assert (head.epochs, head.patience, head.schedule, head.evaluate_every) == (HEAD_EPOCHS, 10, "constant", 1)
    few = defaults("head", examples=90, width=384)  # 3 steps an epoch
    assert (few.epochs, few.patience, few.evaluate_every) == (1000, 167, 9)


def test_a_given_batch_size_and_accumulation_count_in_the_number_of_steps() -> None:
    """Six hundred steps of 8 examples, or of 2 x 8."""
    assert defaults("full", examples=800, width=384, batch_size=8).epochs == 6
    assert defaults("full", examples=800, width=384, batch_size=8, accumulation=2).epochs == 12
    assert defaults("full", examples=800, width=384, batch_size=8).batch_size == 8
    assert defaults("head", examples=90, width=384, batch_size=90).epochs == 3000


# ---------------------------------------------------------------------------------------------------------------------
# Strategies of other packages.


@dataclass
class Biases(Strategy):
    """Only biases train, and `merge` leaves a mark."""

    argument: str
    merged: list[str] = field(default_factory=list)

    def apply(self, network: Network) -> None:
        network.train_last(None)
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.endswith("bias"))

    def defaults(self, *, examples: int, width: int, batch_size: int | None, accumulation: int) -> Defaults:
        return Defaults(batch_size=5, epochs=2, learning_rate=1e-3, schedule="cosine")

    def merge(self, network: Network) -> None:
        with torch.no_grad():
            network.get_parameter("stock.classifier.bias").add_(1.0)


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two kinds of another package, one name the beginning of the other; the second can't be loaded."""
    points = [
        EntryPoint("biases", "tests.test_strategies:Biases", strategies.GROUP),
        EntryPoint("biases-only", "nowhere:Nothing", strategies.GROUP),
    ]
    monkeypatch.setattr(strategies, "entry_points", lambda group: points if group == strategies.GROUP else [])


@pytest.mark.usefixtures("offered")
def test_a_strategy_of_another_package_is_found_by_its_kind_and_called_with_its_argument() -> None:
    assert strategies.names() == [*strategies.OWN, "biases", "biases-only"]
    assert strategies.expected().startswith(
        "expected full, head, last-N, head-then-full, head-then-last-N, gradual, biases or biases-only"
    )
    assert strategies.is_known("biases")
    assert strategies.find("biases") == Biases("")
    assert strategies.find("biases-a-b") == Biases("a-b")
    assert not strategies.is_known("biasesx")
    assert strategies.is_known("biases-only-2")  # which loads nothing
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        strategies.find("biases-only-2")


@pytest.mark.usefixtures("offered")
def test_a_strategy_of_another_package_trains_a_run(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    more: dict[str, Any] = {f"training__{name}": None for name in ("epochs", "batch_size", "learning_rate")}
    done = finished(events(tiny("bert"), tmp_path / "run", strategy="biases-x", **more))
    record = RunFolder(done.folder).record()
    network = done.artifact.network
    biases = [name for name, _ in network.named_parameters() if name.endswith("bias")]
    assert record["freeze_proof"]["trained_tensors"] == len(biases)
    assert record["freeze_proof"]["frozen_tensors"] == len(list(network.parameters())) - len(biases)
    assert record["steps"] == 2 * 3  # fifteen examples in fives
    assert float(network.get_parameter("stock.classifier.bias").mean()) == pytest.approx(1.0, abs=0.1)
