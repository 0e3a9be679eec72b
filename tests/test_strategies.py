"""Every strategy there is, those of other packages too, trains what it says and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import afina
from afina import strategies
from afina.config import load
from afina.errors import ConfigError, ModelError
from afina.model import network as networks
from afina.strategies import HEAD_EPOCHS, MOST_EPOCHS, Head, Layers
from afina.tasks.base import find

ROWS = [{"text": f"a {word} film", "label": label} for word, label in (("lovely", "good"), ("dull", "bad"))] * 6
EVERY = [name.replace("-N", "-1") for name in strategies.names()]


def test_every_strategy_is_found() -> None:
    assert EVERY == ["full", "head", "last-1", "biases"]
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
    assert bool(proof["frozen_tensors"]) == (name != "full")
    assert load(tmp_path / "run" / "config.yaml").strategy == name


@pytest.mark.parametrize("name", ["", "last-0", "last-", "last", "full-2", "head-1", "bias", "LAST-2", "last-²"])
def test_an_unknown_name_is_refused_with_those_there_are(name: str) -> None:
    assert not strategies.is_known(name)
    with pytest.raises(ConfigError, match="expected full, head, last-N or biases"):
        strategies.find(name)
    with pytest.raises(ConfigError, match="strategy: expected full, head, last-N or biases"):
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
