"""The frozen states of every layer, measured: for every task, on samples where there is no room, the same again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from afina.assembly import to_dataset
from afina.data.identity import identity
from afina.model.layers import POOLINGS
from afina.records import Example
from afina.studies import frozen
from afina.studies.frozen import NATIVE, TOKENS, Frozen, by_example, gathered, known, some
from afina.studies.study import Study, opened
from afina.work import drain
from tests import tiny as made
from tests.networks import network_of, task_of, tokenizer_of
from tests.runs import configured
from tests.studies.designs import tiny_study

EXAMPLE = ("classification", "regression", "multilabel")


def measured(model: Path, out: Path, task: str = "classification", **more: Any) -> tuple[Study, Frozen, dict[str, Any]]:
    """The measurement of a tiny study."""
    study, _ = tiny_study(model, out, task, **more)
    out.mkdir(exist_ok=True)
    one = Frozen(study, "frozen")
    return study, one, drain(one.compute())


@pytest.mark.parametrize("task", [*EXAMPLE, "tokens", "answers"])
def test_every_layer_is_scored(task: str, tiny: Callable[[str], Path], tmp_path: Path) -> None:
    study, one, found = measured(tiny("bert"), tmp_path / "study", task)
    places = [(head["pooling"], head["layer"]) for head in found["heads"]]
    kinds = POOLINGS if task in EXAMPLE else (TOKENS,)
    assert sorted(places) == sorted((kind, layer) for kind in kinds for layer in range(4))
    assert found["examples"] == found["of"] == {"train": 15, "validation": 5, "test": 4}
    for head, place in zip(found["heads"], places, strict=True):
        for split in ("validation", "test"):
            scored = one.read(split, place)
            assert scored.examples.tolist() == [identity(example) for example in study.data.splits[split]]
        value = study.score(one.read("validation", place).table)
        assert head["validation"] == pytest.approx(value, nan_ok=True)


def test_the_words_of_a_text_tell_its_label(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    study, one, found = measured(tiny("bert"), tmp_path / "study")
    best = min((head for head in found["heads"] if head["pooling"] == "mean"), key=lambda head: head["loss"])
    assert study.score(one.read("test", ("mean", best["layer"])).table) == 1.0
    first = next(head for head in found["heads"] if (head["pooling"], head["layer"]) == ("first", 0))
    assert first["loss"] > 0.6  # the embedding of [CLS] is the same in every text


def test_pieces_and_whole_are_scored_alike(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole, _ = measured(tiny("bert"), tmp_path / "whole", "tokens")
    monkeypatch.setattr(frozen, "PIECE", 1)
    _, parts, _ = measured(tiny("bert"), tmp_path / "parts", "tokens")
    for layer in range(4):
        one, other = (each.read("test", (TOKENS, layer)).table for each in (whole, parts))
        for column in one:
            np.testing.assert_allclose(one[column], other[column], atol=1e-5)


def test_too_many_examples_are_sampled(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen, "ROOM", 4 * 3 * 16 * 4 * 10)  # bytes of ten texts: layers, poolings, width, fp32
    study, one, found = measured(tiny("bert"), tmp_path / "study")
    assert found["examples"] == {"train": 10, "validation": 5, "test": 4}
    assert found["of"]["train"] == 15
    assert len(one.read("test", ("mean", 3)).examples) == 4
    network = network_of(tiny("bert"), layers=0)
    encoded = study.encoded()["train"]
    assert some(network, encoded, study.task).examples == some(network, encoded, study.task).examples


def test_a_pooler_of_its_own_is_a_pooling(tmp_path: Path) -> None:
    _, one, found = measured(made.tiny_model(tmp_path / "model", masked=False), tmp_path / "study")
    assert [(head["pooling"], head["layer"]) for head in found["heads"]][-1] == (NATIVE, 3)
    assert len(one.read("test", (NATIVE, 3)).examples) == 4


def test_a_measurement_of_a_pair_reads_what_it_is_told(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    rows = [
        {"sentence1": f"the {animal} sleeps", "sentence2": f"a {word} film", "label": label}
        for animal in ("cat", "dog", "bird") for word, label in (("good", "a"), ("awful", "b"))
    ]  # fmt: skip
    study, _ = opened(configured(tiny("bert"), tmp_path), tmp_path, {"train": rows, "validation": rows})
    scores = {}
    for how in ("both", "first", "second", "swapped", "joined"):
        one = Frozen(study, f"frozen {how}", {"options.pair_as": how}, every=False)
        found = drain(one.compute())
        assert {head["layer"] for head in found["heads"]} == {3}
        scores[how] = next(head["loss"] for head in found["heads"] if head["pooling"] == "mean")
        ids = one.read("validation", ("mean", 3)).examples
        assert ids.tolist() == [identity(example) for example in study.data.splits["validation"]]
    assert max(scores, key=scores.__getitem__) == "first"  # which says nothing of the label
    assert len({*scores.values()}) == 5


def test_windows_of_an_example_are_averaged(tiny: Callable[[str], Path]) -> None:
    tokenizer, task = tokenizer_of(tiny("bert"), 16), task_of(long="windows")
    examples = [Example("the cat sleeps on the mat and the dog barks at the bird in the room"), Example("good")]
    data = to_dataset(examples, tokenizer.encode(examples, slides=task.slides))
    assert len(data.windows) > 2
    network = network_of(tiny("bert"), layers=0)
    vectors = drain(gathered(network, data, task)).at(("mean", 3))
    found = by_example(vectors, data)
    last = len(data.windows) - 1
    torch.testing.assert_close(found, torch.stack([vectors[:last].mean(dim=0), vectors[last]]))


def test_tokens_that_the_loss_leaves_out_are_left_out() -> None:
    task = task_of("tokens")
    assert known(task, np.array([-100, 0, 2, -100])).tolist() == [False, True, True, False]
    assert known(task_of("answers"), np.array([[1.0, 0, 1], [0, 1, 0]])).all()
