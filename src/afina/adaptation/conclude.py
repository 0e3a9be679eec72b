"""The end of an adaptation: scores beside those of before, and the saved model."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from .. import disk, inference
from ..devices import peak_memory
from ..inference import Evaluation
from ..metrics.intervals import interval
from ..metrics.kinds import Table
from ..model import flops, masked
from ..model.network import Network
from ..printing import number
from ..records import Prediction
from ..text.tokenization import Tokenizer
from ..training import checkpoint, rundir
from ..training.events import Adapted, Event, Note, with_progress
from ..training.resume import machine
from ..training.speed import speed_note, speed_of
from ..training.trainer import Trainer
from .corpus import mean_loss
from .goal import Adapting

BEFORE, FREQUENCIES = "before", "token frequencies"
"""What the scores stand beside."""
LEAST = 0.01
"""Nats that a loss must fall by to count as a fall: one per cent of the perplexity."""


def conclude(
    trainer: Trainer,
    goal: Adapting,
    folder: Path,
    *,
    before: Sequence[Prediction],
    tokenizer: Tokenizer,
    pooler: nn.Module | None,
    share: float,
) -> Generator[Event, None, Adapted]:
    """Score the best weights and save the model. Closing the generator leaves a checkpoint.

    Args:
        trainer: A finished training.
        goal: What it optimised.
        folder: Folder of the run.
        before: What the model made of the validation texts before.
        tokenizer: Tokenizer of the model.
        pooler: What is saved beside the model.
        share: Share of the tokens that were hidden.

    Raises:
        TrainingError: something can't be written.
    """
    try:
        done = yield from scored_saved(
            trainer, goal, folder, before=before, tokenizer=tokenizer, pooler=pooler, share=share
        )
    except GeneratorExit:
        trainer.save()
        raise
    for warning in done.record["warnings"]:
        yield Note(warning["message"], "warning")
    return done


def scored_saved(
    trainer: Trainer,
    goal: Adapting,
    folder: Path,
    *,
    before: Sequence[Prediction],
    tokenizer: Tokenizer,
    pooler: nn.Module | None,
    share: float,
) -> Generator[Event, None, Adapted]:
    """The work of `conclude`."""
    network, clock = trainer.network, trainer.clock
    work = flops_of(trainer, share=share)
    speed = with_decoder(speed_of(trainer), work["decoder"] / work["training"])
    yield Note(speed_note(speed))
    with clock.part("evaluate"):
        after = yield from with_progress("scores of validation", goal.measure(network))
        evaluation = evaluated(goal, after, before=before, rows=network.outputs)
        fall = fall_of(before, after)
    model = folder / rundir.MODEL
    with clock.part("save"), checkpoint.writing(model, folder, sum(p.nbytes for p in network.parameters())):
        masked.save(network, disk.aside(model), tokenizer=tokenizer, pooler=pooler)
        disk.aside(model).rename(model)
    record = {
        "status": "done",
        "validation": asdict(evaluation),
        "test": None,
        "fall": fall,
        "warnings": warnings_of(fall),
        "best": trainer.best,
        "steps": trainer.number,
        "parameters": {"trained": parameters(network), "frozen": 0},
        "new_head": bool(network.new),
        "texts": {name: len(part.examples) for name, part in trainer.splits.items()},
        "windows": {name: len(part.windows) for name, part in trainer.splits.items()},
        "hidden": {"validation": sum(one["hidden"] for one in after)},
        "tokens": trainer.tokens,
        "padded_tokens": trainer.padded_tokens,
        "flops": work,
        "speed": speed,
        "memory": peak_memory(network.compute.device),
        "seconds": {name: round(value, 3) for name, value in clock.seconds.items()},
        "machine": machine(network.compute),
    }
    with checkpoint.writing(folder / rundir.RUN, folder):
        rundir.write_json(folder / rundir.RUN, record)
        disk.sync(folder)
    disk.remove(folder / rundir.CHECKPOINTS)
    return Adapted(folder, evaluation, record)


def parameters(network: Network) -> int:
    """Number of weights."""
    return sum(parameter.numel() for parameter in network.parameters())


def evaluated(goal: Adapting, after: Sequence[Prediction], *, before: Sequence[Prediction], rows: int) -> Evaluation:
    """The scores with intervals over the validation texts, beside those of before and of the tokens' frequencies."""
    task, examples = goal.task, goal.data.examples
    beside = {BEFORE: before, FREQUENCIES: goal.by_frequency(rows)}
    scores = {
        name: inference.score(task, inference.table_of(task, examples, predictions=predictions))
        for name, predictions in beside.items()
    }
    return replace(inference.evaluate(task, examples, predictions=after), baselines=scores)


def fall_of(before: Sequence[Prediction], after: Sequence[Prediction]) -> dict[str, Any]:
    """By how much the loss fell, with an interval over the validation texts, which are the same before and after."""
    table = {
        "nats": np.array([one["nats"] - other["nats"] for one, other in zip(before, after, strict=True)]),
        "hidden": np.array([one["hidden"] for one in after]),
    }

    def difference(rows: Table) -> float:
        return mean_loss(rows)

    found = interval(table, difference)
    return {"loss": found.value, "low": found.low, "high": found.high, "level": found.level, "reason": found.reason}


def warnings_of(fall: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the fall means where it is none."""
    if fall["loss"] >= LEAST and not fall["low"] <= 0:
        return []
    bounds = "" if fall["reason"] else f" [{number(fall['low'])}, {number(fall['high'])}]"
    message = (
        f"the validation loss fell by {number(fall['loss'])}{bounds}, which may be nothing: these texts taught the "
        "model nothing about others like them; more texts or another learning rate (--learning-rate) may help"
    )
    return [{"code": "no-fall", "message": message}]


def flops_of(trainer: Trainer, *, share: float) -> dict[str, float]:
    """Operations of the training: of all layers, and of the decoder at the hidden tokens.

    The decoder of one token takes 2 d V operations forward and twice as many backward, for a vocabulary of V tokens.
    """
    network, part = trainer.network, trainer.splits["train"]
    epochs = trainer.tokens / max(1, sum(part.lengths))
    layers = flops.forward(network, part.lengths).training(epochs, kept=False)
    embeddings = network.backbone.base.get_input_embeddings().weight  # type: ignore[operator]
    texts = sum(int((window.segments >= 0).sum()) for window in part.windows)
    decoder = 6 * float(embeddings.numel()) * share * texts * epochs
    return {"training": layers + decoder, "decoder": decoder}


def with_decoder(speed: Mapping[str, Any], part: float) -> dict[str, Any]:
    """The speed of a training, whose operations are those of the layers, with those of the decoder.

    Args:
        speed: From `speed_of`.
        part: The decoder's part of all operations.
    """
    rate = speed["flops_per_second"] / (1 - part)
    return {
        **speed,
        "flops_per_second": round(rate),
        "share_of_peak": round(rate / max(1, speed["peak_flops_per_second"]), 3),
    }
