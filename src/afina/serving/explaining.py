"""From inputs to explanations: what is asked, which words there are, and what each adds."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

from ..artifact import Artifact
from ..data.memory import plain_value
from ..errors import ConfigError
from ..inference import by_example, window_logits
from ..printing import many
from ..records import Example, Features
from ..tasks.aims import Aim, Array, Wanted
from ..text.tokenization import chunks
from ..text.words import shown_words
from .attribution import Case, Place, owners_of, weights
from .explanations import Explanation, Word, check_method
from .inputs import Input

CHUNK = 64
"""Inputs that are explained together."""
MOST = 1 << 17
"""Tokens that are computed together, at most: what hidden words leave of texts is kept in memory until then."""
Pending = tuple[Explanation, Case | None, tuple[Place, ...]]
"""An explanation without words, what is to be computed for it, and its words."""


def explain(
    artifact: Artifact, inputs: Iterable[Input], *, labels: Any, method: str
) -> Generator[Explanation, None, None]:
    """Explanations in the order of the inputs, at least one of each.

    Args:
        artifact: The model.
        inputs: What it is asked.
        labels: As for `Predictor.explain`.
        method: Name of the method.

    Raises:
        ConfigError: there is no such method or label, or there is another number of labels than of inputs.
    """
    check_method(method)
    for chunk in chunks(enumerate(wishes(inputs, labels)), CHUNK):
        for group in groups(pendings(artifact, chunk, method), method):
            cases = [case for _, case, _ in group if case is not None]
            found = iter(weights(artifact.network, artifact.tokenizer, cases, method=method))
            for bare, case, words in group:
                yield bare if case is None else with_words(bare, words, next(found))


def wishes(inputs: Iterable[Input], labels: Any) -> Iterator[tuple[Input, Wanted]]:
    """Each input with what is to be explained of it.

    Raises:
        ConfigError: there is another number of labels than of inputs.
    """
    if labels is None or isinstance(labels, str | int | float | tuple):
        yield from zip(inputs, repeat(labels))
        return
    wanted = [as_wanted(label) for label in labels]
    number = -1
    for number, one in enumerate(inputs):
        if number < len(wanted):
            yield one, wanted[number]
    if number + 1 != len(wanted):
        raise ConfigError(
            f"label: expected one an input, found {many(len(wanted), 'label')} for {many(number + 1, 'input')}"
        )


def as_wanted(label: Any) -> Wanted:
    """A label of a list as a wish: None and nan are none, a list is a stretch."""
    plain = plain_value(label)
    return tuple(plain) if isinstance(plain, list) else plain


def pendings(artifact: Artifact, chunk: Sequence[tuple[int, tuple[Input, Wanted]]], method: str) -> Iterator[Pending]:
    """What is to be explained of some inputs, in order."""
    task, tokenizer, network = artifact.task, artifact.tokenizer, artifact.network
    asked = [(number, one.example, wanted) for number, (one, wanted) in chunk if not one.empty]
    examples = task.presented([example for _, example, _ in asked])
    features = tokenizer.encode(examples, slides=task.slides)
    logits = by_example(features, window_logits(network, [window for one in features for window in one.windows]))
    ready = iter(zip(asked, examples, features, logits, strict=True))
    for number, (one, _) in chunk:
        if one.empty:
            yield Explanation(one.example.text, None, None, (), method, pair=one.example.pair, item=number), None, ()
            continue
        (_, example, wanted), read, own, table = next(ready)
        aims = task.aims(example, own.windows, table, wanted)
        bare = Explanation(read.text, None, None, (), method, pair=read.pair, item=number)
        yield from pending(read, own, table, aims, bare)


def pending(
    read: Example, features: Features, logits: Sequence[Array], aims: Sequence[Aim], bare: Explanation
) -> Iterator[Pending]:
    """What is to be computed for one input.

    Args:
        read: What the encoder reads of it.
        features: The same as windows.
        logits: Of each window.
        aims: What is explained; perhaps nothing.
        bare: Texts, method and number.
    """
    words = tuple(places_of(read))
    found = tuple(owners_of(window, words) for window in features.windows)
    unread = len(words) - len(set(chain.from_iterable(one.tolist() for one in found)) - {-1})
    bare = replace(bare, unread=unread)
    if not aims:
        yield with_words(bare, words, [0.0] * len(words)), None, ()
    for aim in aims:
        told = replace(bare, label=aim.label, score=aim.score, logit=aim.value(logits), stretch=aim.stretch)
        yield told, Case(aim, features.windows, found, len(words), logits), words


def places_of(example: Example) -> Iterator[Place]:
    """The words of an example: its own where it has some, else those that a person would see."""
    yield from (Place(*span) for span in example.words or shown_words(example.text))
    yield from (Place(*span, pair=True) for span in shown_words(example.pair or ""))


def with_words(bare: Explanation, places: Sequence[Place], found: Iterable[float]) -> Explanation:
    """An explanation with its words and their weights."""
    words = []
    for (start, end, pair), weight in zip(places, found, strict=True):
        text = (bare.pair or "") if pair else bare.text
        words.append(Word(start, end, text[start:end], float(weight), pair))
    return replace(bare, words=tuple(words))


def groups(items: Iterable[Pending], method: str) -> Iterator[list[Pending]]:
    """Explanations that are computed together: as many as keep within `MOST` tokens, and at least one."""
    group: list[Pending] = []
    total = 0
    for item in items:
        cost = 0 if item[1] is None else item[1].cost(method)
        if group and total + cost > MOST:
            yield group
            group, total = [], 0
        group.append(item)
        total += cost
    if group:
        yield group
