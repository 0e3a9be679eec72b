"""How sure a model is of tags and entities, beside what is right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..metrics.temperature import LabelledLogits
from ..records import Example, Features, Prediction
from .base import Array
from .losses import IGNORED

if TYPE_CHECKING:
    from .tokens import Tokens


def tag_confidences(task: Tokens, example: Example, prediction: Prediction) -> list[tuple[float, bool]]:
    """The score of each predicted entity, or plain tag of a word, and whether it is right: exactly, with its type."""
    if task.plain:
        pairs = zip(prediction["tags"], example.target, strict=True)
        return [(score, said == gold) for score, (said, gold) in zip(prediction["scores"], pairs, strict=True)]
    gold = example.target if example.words is None else task.entities(example.target)
    right = {tuple(span) for span in gold}
    said = prediction["entities"]
    return [(one["score"], (one["start"], one["end"], one["label"]) in right) for one in said]


def tag_logits(
    task: Tokens, examples: Sequence[Example], *, features: Sequence[Features], logits: Sequence[Sequence[Array]]
) -> LabelledLogits | None:
    """Logits and gold tags of all tokens whose tag a prediction reads: of words, the first of each.

    None for a model that somebody else fine-tuned: in which scheme its tags are is not known.
    """
    if "tags" in task.fitted:
        return None
    task = task.with_options(subwords="first")
    rows, gold = [np.zeros((0, len(task.tags)))], [np.zeros(0, np.int64)]
    for example, feature, windows in zip(examples, features, logits, strict=True):
        if task.check(example) is not None:
            continue
        for window, table in zip(feature.windows, windows, strict=True):
            target = task.encode_target(example, window)
            rows.append(table[target != IGNORED])
            gold.append(target[target != IGNORED])
    return LabelledLogits(np.concatenate(rows), np.concatenate(gold))
