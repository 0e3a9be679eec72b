"""Errors worth reading, with their texts and what is right and wrong marked in place."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from markupsafe import Markup

from ..data.alikes import nearly_same
from ..training import rundir
from .blocks import Block, Folded, Piece, Prose, Reading, Shown
from .kinds import LONGEST, Choice, Kind, cut, shown_item
from .overview import Overview
from .phrases import Words, clean
from .source import Item, Source

FILTERS = 14
"""Most filters of a list; examples of other labels are shown with all."""
COMPARED = 5_000
"""Most examples among which near duplicates are looked for; in more, only those that are wrong."""
PAIRS = 15

Stretch = tuple[int, int, float]
"""Characters [start, end) of a text, and how much they counted for an answer, from -1 to 1."""
Weights = Callable[[Item], Sequence[Sequence[Stretch]] | None]
"""What each word of an example counted for its answer: stretches of each of its texts, or None."""
NAMED, SHOWN = 5, 0.125
"""Words that are named beside a text, for those who don't see its colours, and the least weight that is coloured."""


def errors(
    source: Source, words: Words, kind: Kind, overview: Overview, weights: Weights | None = None
) -> Sequence[Block]:
    """Lists of examples to read.

    Args:
        source: The run.
        words: The language.
        kind: What chooses and shows the examples.
        overview: What is known of all examples.
        weights: Gives what the words of an example counted for; None where that is not known.
    """
    choices = list(kind.choices(overview))
    if not choices:
        return [Prose(words.html("errors.none"))]
    wanted = {number for choice in choices for number in choice.numbers}
    items = {item.number: item for item in source.items(wanted)}
    blocks: list[Block] = []
    if source.texts == "gone":
        blocks.append(Prose(words.html("errors.no_texts"), "note"))
    elif kind.title in ("part.entities", "part.answer_errors"):
        blocks.append(Prose(legend(words), "key"))
    elif weights is None and (source.run.path / rundir.MODEL).is_dir():
        command = clean(f"afina report {shlex.quote(str(source.run.path))} --explain 20")
        blocks.append(Prose(words.html("errors.explain", command=command), "note"))
    for place, choice in enumerate(choices):
        rows = reading(choice, items, kind, weights)
        if not place and any(name == words("errors.against") for one in rows.rows for name, _ in one.facts):
            blocks.append(Prose(words.html("errors.weights"), "key"))
        if place:
            count = words.numbers.whole(len(choice.numbers))
            blocks.append(Folded(f"{choice.title} ({count})", [Prose(choice.intro), rows]))
        else:
            blocks += [Prose(heading(choice)), rows]
    return blocks


def heading(choice: Choice) -> Markup:
    """The title of a list, and why its examples are worth reading."""
    return Markup("<b>{}</b>. {}").format(choice.title, choice.intro)


def legend(words: Words) -> Markup:
    """What the marks in texts mean."""
    names = {"gold": "errors.given", "said": "errors.said", "both": "errors.both"}
    return Markup(" ").join(
        Markup('<mark class="{}">{}</mark>').format(kind, words(key)) for kind, key in names.items()
    )


def reading(choice: Choice, items: Mapping[int, Item], kind: Kind, weights: Weights | None) -> Reading:
    """A list of examples with its filters: the names that are most frequent in it."""
    counts: dict[str, int] = {}
    for name in choice.filters:
        counts[name] = counts.get(name, 0) + 1
    names = sorted(counts, key=lambda name: -counts[name])[:FILTERS] if len(counts) > 1 else []
    rows = []
    for place, number in enumerate(choice.numbers):
        own = [names.index(choice.filters[place])] if choice.filters and choice.filters[place] in names else []
        one = shown_item(kind, items[number], own)
        rows.append(weighed(one, items[number], kind.words, weights))
    pairs = any(item.example.pair is not None for item in items.values())
    columns = ["place", "text", *(["pair"] if pairs else []), *kind.csv]
    padded = [replace(one, row=widened(one.row, len(columns))) for one in rows]
    return Reading(choice.key, padded, names, columns, f"{choice.key}.csv")


def widened(row: Sequence[object], size: int) -> Sequence[object]:
    """A line of the csv with an empty cell for a second text that it has not."""
    return row if len(row) == size else [*row[:2], "", *row[2:]]


def weighed(one: Shown, item: Item, words: Words, weights: Weights | None) -> Shown:
    """An example with the weights of the words of its texts, where these are known and nothing else is marked in it."""
    known = None if weights is None else weights(item)
    if not known or any(piece.mark for _, pieces in one.texts for piece in pieces):
        return one
    sides = [item.example.text, item.example.pair or ""][: len(known)]
    texts = [
        (name, pieces_of(text, stretches)) for (name, _), text, stretches in zip(one.texts, sides, known, strict=False)
    ]
    # Words are named from the whole text, behind its shown beginning too.
    each = [(weight, text[start:end]) for text, own in zip(sides, known, strict=False) for start, end, weight in own]
    order = sorted((one for one in each if abs(one[0]) >= SHOWN and any(map(str.isalnum, one[1]))), reverse=True)
    facts = [*one.facts]
    for key, sign in (("errors.for", 1), ("errors.against", -1)):
        named = [clean(text) for weight, text in order[::sign] if sign * weight > 0][:NAMED]
        facts.append((words(key), ", ".join(named) or words("errors.nothing")))
    return replace(one, texts=[*texts, *one.texts[len(texts) :]], facts=facts)


def pieces_of(text: str, stretches: Sequence[Stretch]) -> list[Piece]:
    """The beginning of a text in pieces, with the weights of some; as long as without weights, for the page's size."""
    found, at = list[Piece](), 0
    for start, end, weight in sorted(stretches):
        if at <= start < end <= min(len(text), LONGEST):
            found += [Piece(text[at:start]), Piece(text[start:end], weight=max(-1.0, min(1.0, weight)))]
            at = end
    return [piece for piece in [*found, *cut(text[at:], LONGEST - at)] if piece.text]


def near_duplicates(source: Source, words: Words, kind: Kind, overview: Overview) -> Sequence[Block]:
    """Examples that are nearly the same and have different labels: one of the two labels is probably wrong."""
    if source.task is None or source.texts == "gone":
        return []
    total = len(overview)
    only = None if total <= COMPARED else set((~overview.right(source)).nonzero()[0][:COMPARED].tolist())
    items = list(source.items(only))
    task = source.task
    if not any(task.stratum(item.example) for item in items[:50]):
        return []
    roots = nearly_same([(item.example.text, item.example.pair or "") for item in items])
    first: dict[int, Item] = {}
    pairs: list[tuple[Item, Item]] = []
    for root, item in zip(roots or (), items, strict=False):
        other = first.setdefault(root, item)
        if other is not item and task.stratum(other.example) != task.stratum(item.example):
            pairs.append((other, item))
    if not pairs:
        return []
    rows = [shown_item(kind, one, ()) for pair in pairs[:PAIRS] for one in pair]
    columns = [
        "place",
        "text",
        *(["pair"] if any(one.example.pair is not None for pair in pairs for one in pair) else []),
    ]
    count = words.numbers.whole(len(pairs))
    intro = Prose(words.html("errors.near_intro", count=count))
    padded = [replace(one, row=widened(one.row, len(columns) + len(kind.csv))) for one in rows]
    rows_shown = Reading("near", padded, (), [*columns, *kind.csv], "near.csv")
    title = words("errors.near")
    return [Folded(f"{title} ({count})", [intro, rows_shown])]
