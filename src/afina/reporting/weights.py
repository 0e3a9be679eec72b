"""The words that mattered for the errors of a page, weighed by the run's own model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ..errors import ConfigError
from ..serving.predictor import Predictor, load
from ..training import rundir
from .errors import Stretch, Weights
from .source import Item, Source


def explained(source: Source, number: int) -> Weights:
    """Weighs the words of the first examples that are shown: each word is left out in turn (docs/explaining.md).

    Args:
        source: The run.
        number: How many examples; each costs a pass over as many texts as it has words.

    Raises:
        ConfigError: answers of this task are marked in their texts, and no words are weighed for them; or the run kept
            no model.
    """
    if source.task is not None and source.task.level == "token":
        raise ConfigError(
            f"explain: the page of a run of {source.task.name} marks what was found in the texts; words are weighed "
            "for labels and numbers alone (afina explain RUN --data FILE weighs them for every task)"
        )
    if not (source.run.path / rundir.MODEL).is_dir():
        raise ConfigError(
            f"explain: {source.run.path} has no model to ask (training.save was off, or it was removed); leave it out"
        )
    known: dict[int, Sequence[Sequence[Stretch]] | None] = {}

    @cache
    def predictor() -> Predictor:
        return load(source.run.path)

    def weights(item: Item) -> Sequence[Sequence[Stretch]] | None:
        if item.number not in known and len(known) < number:
            known[item.number] = weighed(predictor(), item)
        return known.get(item.number)

    return weights


def weighed(predictor: Predictor, item: Item) -> Sequence[Sequence[Stretch]] | None:
    """What the words of each text of an example counted for its answer, the largest of them 1 or -1; None without one.

    Of several answers, that of the first is taken.
    """
    example = item.example
    if not example.text.strip():
        return None
    found = predictor.explain([example.text if example.pair is None else (example.text, example.pair)])[0]
    largest = max((abs(word.weight) for word in found.words), default=0.0)
    if not largest:
        return None
    return [
        [(word.start, word.end, word.weight / largest) for word in found.words if word.pair is second]
        for second in ((False,) if example.pair is None else (False, True))
    ]
