"""What a model's tokenizer makes of the data: lengths, cuts, unknown tokens, words in splinters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..config import Config
from ..data.judge import Finding
from ..data.parts import Data
from ..tasks.base import Task
from ..text.encoding import Encoder
from .loop import Material
from .run import assemble, encoded, held

UNKNOWN_SHARE = 0.01
"""Share of unknown tokens from which a tokenizer does not know the language."""
SPLINTERS = 2.5
"""Tokens a word from which a tokenizer was made for another language."""


def judge_tokens(config: Config, data: Data) -> list[Finding]:
    """Findings about the tokens that the configured model's tokenizer makes of the data.

    Raises:
        InputError: the model can't be loaded.
    """
    network, encoder = assemble(config, data.task)
    del network
    return judge_lengths(
        data.task, encoder, {name: encoded(encoder, data.task, examples) for name, examples in data.parts.items()}
    )


def judge_lengths(task: Task, encoder: Encoder, parts: Mapping[str, Material]) -> list[Finding]:
    """Findings about the tokens of each part."""
    found = []
    unknown = encoder.tokenizer.unk_token_id
    for name, part in parts.items():
        lengths = np.array([sum(len(window) for window in one.windows) + one.cut for one in part.features])
        middle, high, top = (int(value) for value in np.quantile(lengths, [0.5, 0.95, 1.0]))
        found.append(
            Finding(
                "note",
                "lengths",
                f"{name}: {len(lengths):,} examples of {middle} tokens (median), {high} (95 %), {top} at most",
            )
        )
        cuts = [example for example, one in zip(part.examples, part.features, strict=True) if one.cut]
        if cuts:
            lost = sum(one.cut for one in part.features)
            message = (
                f"{name}: {len(cuts):,} texts ({len(cuts) / len(part.examples):.1%}) are longer than "
                f"{encoder.max_length} tokens and lose {lost:,} tokens; --long windows keeps them"
            )
            found.append(Finding("warning", "cut", message, len(cuts), tuple(one.place for one in cuts[:5])))
        counts = held(task, part)
        gold, whole = counts["all"], counts["held"]
        if gold:
            message = f"{name}: {whole:,} of {gold:,} gold {task.items} lie whole in the windows"
            found.append(Finding("note" if whole == gold else "warning", "gold", message, gold - whole))
        ids = np.concatenate([window.ids[window.segments >= 0] for window in part.windows])
        words = sum(len(example.text.split()) + len((example.pair or "").split()) for example in part.examples)
        share = float(np.mean(ids == unknown)) if unknown is not None and len(ids) else 0.0
        if share > UNKNOWN_SHARE:
            message = f"{name}: {share:.1%} of the tokens are unknown to the tokenizer; does it know the language?"
            found.append(Finding("warning", "unknown-tokens", message))
        if words and len(ids) / words > SPLINTERS:
            message = (
                f"{name}: {len(ids) / words:.1f} tokens a word; the tokenizer was made for another language or script, "
                "and a model for this one would learn more from the same data"
            )
            found.append(Finding("warning", "splinters", message))
    return found
