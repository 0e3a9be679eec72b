"""What predictions are for people and other programs: cells of a table, a confidence, marks in a text, tagged words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from ..records import Example, Mark, Output, Prediction
from ..text.schemes import to_bio
from ..text.spans import Span

Words = Sequence[tuple[int, int]]
PROBABILITIES = "probabilities"
"""Where a prediction holds the probability of each label."""
PROBABILITY = "probability"
"""Where a prediction holds the probability of the answer itself."""
SET = "set"
"""Where a prediction holds the labels that a prediction set holds."""
ANSWER = "answer"
"""Label of the stretch that answers a question."""


def plain_output(example: Example, prediction: Prediction) -> Output:
    """The output of a prediction whose task says nothing of it: all its values, those of objects one by one.

    The confidence is the probability of the answer, where the prediction gives that one or those of all labels.
    """
    answer = next(iter(prediction.values()), None)
    probabilities = numbers_in(prediction.get(PROBABILITIES))
    chance = prediction.get(PROBABILITY)
    if isinstance(answer, str) and answer in probabilities:
        chance = probabilities[answer]
    cells: dict[str, Any] = {}
    for name, value in prediction.items():
        if name == PROBABILITY or (name == PROBABILITIES and probabilities):
            continue
        cells |= {f"{name}_{key}": part for key, part in value.items()} if isinstance(value, dict) else {name: value}
    return Output(cells, chance if isinstance(chance, float) else None, probabilities, example.text)


def numbers_in(value: Any) -> dict[str, float | None]:
    """The numbers of an object that holds nothing else, or nothing for each; empty for any other value."""
    numbers = isinstance(value, dict) and all(isinstance(part, float | None) for part in value.values())
    return dict(value) if numbers else {}


def label_set_output(example: Example, prediction: Prediction, *, separator: str) -> Output:
    """The output of a set of labels. Its confidence is the smallest probability with which a label is given or not.

    Args:
        example: What was asked.
        prediction: `labels`, and the `probabilities` of all of them.
        separator: What stands between labels in a cell. The list is written as JSON where that could be misread.
    """
    labels, probabilities = prediction["labels"], prediction[PROBABILITIES]
    more = {SET: prediction[SET]} if SET in prediction else {}
    if labels is None:
        return Output({"labels": None, **more}, None, probabilities, example.text)
    sure = min((chance if name in labels else 1 - chance for name, chance in probabilities.items()), default=None)
    joined = separator.join(labels) if separator == ";" and all(map(stands_alone, labels)) else labels
    return Output({"labels": joined, **more}, sure, probabilities, example.text)


def stands_alone(label: str) -> bool:
    """Whether a label is the same when it is read from a cell of labels with semicolons between."""
    return label == label.strip() and not set(label) & set(";[](){}") and bool(label)


def answer_output(example: Example, prediction: Prediction) -> Output:
    """The output of an answer in a passage. Without an answer its text and its start are empty."""
    text, start, chance = prediction["answer"], prediction["start"], prediction[PROBABILITY]
    cells = {"answer": text, "answer_start": start if text else None}
    marks = (Mark(start, prediction["end"], ANSWER, chance),) if text else ()
    return Output(cells, chance, {}, example.pair or "", marks)


def tokens_output(example: Example, prediction: Prediction, words: Words) -> Output:
    """The output of tags or entities, of words or of a raw text.

    Args:
        example: What was asked.
        prediction: `tags` and `scores`, `entities` by characters, or `tags` and `entities` by words.
        words: Characters of each word; of a raw text, as the model cuts it.
    """
    if "scores" in prediction:
        return tags_output(example, prediction, words)
    if example.words is None:
        return entities_output(example, prediction["entities"], words)
    return word_entities_output(example, prediction, words)


def entities_output(example: Example, entities: Sequence[Mapping[str, Any]] | None, words: Words) -> Output:
    """The output of entities in a raw text. Its confidence is the smallest of theirs; without entities it has none.

    Args:
        example: The text.
        entities: What was found, by characters; None where there is no answer.
        words: How the text is cut into words.
    """
    if entities is None:
        return Output({"entities": None}, text=example.text)
    marks = [Mark(one["start"], one["end"], one["label"], one["score"]) for one in entities]
    cut = cut_at(words, marks)
    cells = {"entities": readable(example.text, marks)}
    return Output(cells, smallest(marks), {}, example.text, tuple(marks), tuple(tagged(example.text, cut, marks)))


def word_entities_output(example: Example, prediction: Prediction, words: Words) -> Output:
    """The output of entities that are counted in words: a tag for each word, and the entities.

    Args:
        example: What was asked.
        prediction: `tags` and `entities`.
        words: Characters of each word.
    """
    text, tags = example.text, prediction["tags"]
    if tags is None:
        return Output({"tags": None, "entities": None}, text=text)
    marks = [
        Mark(words[one["start"]][0], words[one["end"] - 1][1], one["label"], one["score"])
        for one in prediction["entities"]
    ]
    cells = {"tags": tags, "entities": readable(text, marks)}
    return Output(cells, smallest(marks), {}, text, tuple(marks), pairs(text, words, tags))


def tags_output(example: Example, prediction: Prediction, words: Words) -> Output:
    """The output of one tag a word. Its confidence is the smallest of the words'.

    Args:
        example: What was asked.
        prediction: `tags` and their `scores`.
        words: Characters of each word.
    """
    tags = prediction["tags"]
    if tags is None:
        return Output({"tags": None}, text=example.text)
    each = zip(words, tags, prediction["scores"], strict=True)
    marks = tuple(Mark(*word, tag, score) for word, tag, score in each)
    return Output({"tags": tags}, smallest(marks), {}, example.text, marks, pairs(example.text, words, tags))


def smallest(marks: Iterable[Mark]) -> float | None:
    """The smallest confidence of marks, None without one."""
    return min((mark.score for mark in marks if mark.score is not None), default=None)


def pairs(text: str, words: Words, tags: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Words with their tags."""
    return tuple((text[start:end], tag) for (start, end), tag in zip(words, tags, strict=True))


def readable(text: str, marks: Iterable[Mark]) -> str:
    """Marked stretches for people: `João da Silva (PERSON); Porto (PLACE)`."""
    return "; ".join(f"{text[mark.start : mark.end]} ({mark.label})" for mark in marks)


def cut_at(words: Words, marks: Iterable[Mark]) -> list[tuple[int, int]]:
    """Words that are cut where a mark begins or ends inside one, so that marks are whole words."""
    edges = sorted({edge for mark in marks for edge in (mark.start, mark.end)})
    cut: list[tuple[int, int]] = []
    for start, end in words:
        places = [start, *(edge for edge in edges if start < edge < end), end]
        cut += pairwise(places)
    return cut


def tagged(text: str, words: Words, marks: Iterable[Mark]) -> list[tuple[str, str]]:
    """Words with tags in BIO that say the marks. A mark without a word has none."""
    spans = []
    for mark in marks:
        own = [i for i, (start, end) in enumerate(words) if mark.start <= start and end <= mark.end]
        spans += [Span(own[0], own[-1] + 1, mark.label)] if own else []
    return list(pairs(text, words, to_bio(spans, len(words))))
