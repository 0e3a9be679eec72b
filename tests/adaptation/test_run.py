"""Whole adaptations of tiny models: they learn, end in the same bytes after any stop, and leave ordinary folders."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForMaskedLM

import afina
from afina.adaptation.config import AdaptConfig, load
from afina.adaptation.run import stream
from afina.data.parts import read_data
from afina.errors import ConfigError, TrainingError
from afina.model.folder import inspect
from afina.training import rundir
from afina.training.events import Adapted, Event, Note, Scored, Step
from afina.training.rundir import RunFolder
from afina.training.summaries import runs_in
from tests.runs import ROWS, bytes_of, promised, stopped
from tests.tiny import tiny_model


def sentences(n: int = 120) -> list[str]:
    """Sentences of a small grammar: what a noun does follows from the noun."""
    does = {"cat": "sleeps", "dog": "barks", "bird": "sings", "film": "shines", "meal": "smells"}
    draw = random.Random(1)
    return [" ".join(f"the {noun} {does[noun]}" for noun in draw.choices(list(does), k=3)) + f" {i}" for i in range(n)]


def configured(model: Path, out: Path, **more: Any) -> AdaptConfig:
    return load(
        None,
        {
            "model.name": str(model), "out": str(out), "training.epochs": 2, "training.batch_size": 8,
            "training.learning_rate": 5e-3, "seed": 1, **promised(),
            **{name.replace("__", "."): value for name, value in more.items()},
        },
    )  # fmt: skip


def events(model: Path, out: Path, texts: list[str], **more: Any) -> Iterator[Event]:
    config = configured(model, out, **more)
    return stream(config, read_data(config, {"train": [{"text": text} for text in texts]}))


def finished(run: Iterator[Event]) -> tuple[list[Event], Adapted]:
    said = list(run)
    assert isinstance(said[-1], Adapted)
    return said, said[-1]


@pytest.mark.usefixtures("same_bytes")
def test_a_run_that_is_stopped_ends_in_the_same_bytes(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    texts, whole = sentences(40), {"masking__whole_word": True, "training__checkpoint_every": 0}
    _, done = finished(events(tiny("bert"), tmp_path / "whole", texts, **whole))
    for after, kind in ((3, Step), (1, Scored)):
        stopped(events(tiny("bert"), tmp_path / "parts", texts, **whole), after=after, kind=kind)
        assert RunFolder(tmp_path / "parts").has_checkpoint
    said, _ = finished(events(tiny("bert"), tmp_path / "parts", texts, **whole))
    assert any(isinstance(event, Note) and event.text.startswith("taken up after step") for event in said)
    assert bytes_of(tmp_path / "parts") == bytes_of(done.folder)
    with pytest.raises(ConfigError, match="holds a finished run"):
        list(events(tiny("bert"), done.folder, texts))


def test_other_masks_are_another_run(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    stopped(events(tiny("bert"), tmp_path / "run", sentences(40)), after=2)
    with pytest.raises(ConfigError, match=r"settings.masking.share: was 0.15, is 0.3"):
        list(events(tiny("bert"), tmp_path / "run", sentences(40), masking__share=0.3))


def test_it_learns_and_what_it_learned_is_an_ordinary_model(tmp_path: Path) -> None:
    encoder = tiny_model(tmp_path / "encoder", masked=False)
    said, done = finished(events(encoder, tmp_path / "run", sentences(160), training__epochs=8))
    losses = [event.loss for event in said if isinstance(event, Scored)]
    record, baselines = done.record, done.validation.baselines
    assert losses[-1] < losses[0] < baselines["before"]["loss"]
    assert done.validation.metrics["loss"] == pytest.approx(min(losses), rel=1e-3)
    assert done.validation.metrics["loss"] < 0.9 * baselines["token frequencies"]["loss"]
    assert done.validation.metrics["perplexity"] == pytest.approx(math.exp(done.validation.metrics["loss"]))
    assert record["fall"]["loss"] > 0
    assert record["warnings"] == []
    assert record["flops"]["training"] > record["flops"]["decoder"] > 0
    assert record["new_head"]
    texts = [event.text for event in said if isinstance(event, Note)]
    assert any(text.startswith("masked-language head: new") for text in texts)
    run = RunFolder(done.folder)
    assert run.finished
    assert not run.has_checkpoint
    assert [line["epoch"] for line in run.evaluations()] == list(range(1, 9))
    model, info = AutoModelForMaskedLM.from_pretrained(inspect(run.model), output_loading_info=True)
    assert not info["missing_keys"]
    assert info["unexpected_keys"] == {"bert.pooler.dense.weight", "bert.pooler.dense.bias"}
    assert torch.isfinite(model.get_output_embeddings().weight).all()
    (summary,) = runs_in(tmp_path)
    assert (summary.state, summary.task, summary.strategy) == ("done", "adapt", "masked tokens")
    assert (summary.metric, summary.value) == ("loss", done.validation.metrics["loss"])
    assert summary.baseline == min(baselines, key=lambda name: baselines[name]["loss"])
    for name in (run.path, run.model):  # both names of the model are taken
        trained = afina.train(
            train=ROWS["classification"], validation=ROWS["classification"][::3], model=name, epochs=1, progress=False,
            out=tmp_path / f"tuned-{name.name}", max_length=16,
        )  # fmt: skip
        assert trained.record["validation"]["metrics"]["accuracy"] >= 0
    again = tmp_path / "further"  # and adapted further, with the head that it has now
    further = [e.text for e in finished(events(run.path, again, sentences(40)))[0] if isinstance(e, Note)]
    assert "masked-language head: the model's own" in further


def test_repeats_are_left_out_and_long_texts_are_cut(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    texts = [*sentences(40), *sentences(10), " ".join(sentences(30))]
    said, done = finished(events(tiny("bert"), tmp_path / "run", texts, model__max_length=24, training__epochs=1))
    left_out = [re.search(r"(\d+) texts? left out that", e.text) for e in said if isinstance(e, Note)]
    assert sum(int(found[1]) for found in left_out if found) == 10
    counts = done.record["texts"], done.record["windows"]
    assert sum(counts[0].values()) == 41
    assert sum(counts[1].values()) > 60
    assert done.record["tokens"] > 41 * 10


def test_a_rate_that_teaches_nothing_is_said(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    said, done = finished(
        events(tiny("bert"), tmp_path / "run", sentences(40), training__learning_rate=1e-9, training__epochs=1)
    )
    (warning,) = done.record["warnings"]
    assert warning["code"] == "no-fall"
    texts = [event.text for event in said if isinstance(event, Note) and event.level == "warning"]
    assert warning["message"] in texts


def test_a_full_disk_is_named_before_the_training(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    with pytest.raises(ConfigError, match="make room"):
        list(events(tiny("bert"), tmp_path / "run", sentences(20)))


def test_a_message_names_the_command_that_goes_on(
    tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    run = events(tiny("bert"), out, sentences(20))
    assert any(isinstance(event, Step) for event in run)
    monkeypatch.setattr(rundir, "append", full)
    with pytest.raises(TrainingError, match=f"afina adapt --resume {out}"):
        list(run)


def test_a_small_model_of_another_family(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    _, done = finished(events(tiny("modernbert"), tmp_path / "run", sentences(30), training__epochs=1))
    assert not done.record["new_head"]


def test_the_embedded_model_gets_a_new_head(embedded: str, tmp_path: Path) -> None:
    texts = [
        f"a {word} day for the {thing}" for word in ("good", "bad", "long") for thing in ("cat", "dog", "bank", "sea")
    ]
    _, done = finished(
        events(Path(embedded), tmp_path / "run", texts, training__epochs=1, training__learning_rate=2e-4)
    )
    assert done.record["new_head"]
    assert done.validation.metrics["loss"] < math.log(30_522)
