"""Words with tags: which columns hold them, how they are read, and how tags are spelled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, Problem, listed, printable
from ..printing import many
from ..records import Example, Prediction, Row
from ..text.schemes import TAG, to_bio
from ..text.spans import opens, owners, segmented, without_overlaps
from ..text.spellings import NESTED, OUTSIDE, Spelling, spelling_of
from . import inputs
from .base import Constant
from .contents import values_of
from .labels import is_whole
from .written import unwritten

if TYPE_CHECKING:
    from .tokens import Tokens, TokensOptions

TOKEN_NAMES = ("tokens", "words", "form", "token", "word", "palavras", "palavra")
TAG_NAMES = ("ner_tags", "tags", "labels", "pos_tags", "upos")
WEAKER_TAG_NAMES = ("ner", "ner_tag", "tag", "label", "entities", "etiquetas", "rótulos", "bio", "iob", "pos", "slots")
SPAN_NAMES = ("spans", "entities", "ents", "label", "labels", "annotations", "entidades")
TYPES = 50
"""Types of entities that data have at most, to be taken for such without their letters."""


def choose_columns(
    options: TokensOptions, names: Sequence[str], *, rows: Sequence[Row], labelled: bool
) -> dict[str, Any]:
    """The columns of words and tags, or of a text and spans, by the option that names them.

    Raises:
        ConfigError: a column that was asked for is absent, or none or more than one could be meant.
    """
    numbered = [name for name in names if name.isdecimal()]
    words = options.tokens
    if words is None or (not labelled and words not in names):  # a model of words answers for raw text too
        words = next(iter(inputs.named(TOKEN_NAMES, names)), word_column(numbered, rows) if numbered else None)
    if options.text is not None or words is None:
        text, _ = inputs.text_columns(options.text, None, names, rows=rows)
        if not labelled:
            return {"text": text}
        label = inputs.target_column(
            "label", options.label, SPAN_NAMES, names, rows=rows, taken=(text,), holds=holds_spans
        )
        return {"text": text, "label": label}
    chosen = {"tokens": inputs.present("tokens", words, names)}
    return {**chosen, "tags": tag_column(options.tags, words, names, rows)} if labelled else chosen


def word_column(numbered: Sequence[str], rows: Sequence[Row]) -> str:
    """Of numbered columns the one of the words: the first that does not count, repeat itself, or hold entity tags."""
    words = [name for name in numbered if not (counts(rows, name) or repeats(rows, name) or holds_entities(rows, name))]
    return words[0] if words else numbered[0]


def tag_column(asked: str | None, tokens: str, names: Sequence[str], rows: Sequence[Row] = ()) -> str:
    """The column of the tags: as asked, the one with a well-known name, or the last of numbered columns.

    Of numbered columns that hold the same types of entities, as levels of nested ones, the one with most is taken.

    Raises:
        ConfigError: the named column is absent, or no column or more than one could be meant.
    """
    numbered = [name for name in names if name.isdecimal()]
    if asked is not None or tokens not in numbered or len(numbered) < 2:
        return inputs.target_column(
            "tags", asked, TAG_NAMES, names, weaker=WEAKER_TAG_NAMES, rows=rows, taken=(tokens,), holds=holds_entities
        )
    rest = [name for name in numbered if name != tokens]
    varied = [name for name in rest if len(set(tags_in(rows, name))) > 1 and not counts(rows, name)]
    last = (varied or rest)[-1]
    levels = [name for name in varied if types_in(rows, name) & types_in(rows, last)]
    return max(levels, key=lambda name: len(entity_tags(rows, name))) if levels else last


def remarks(options: TokensOptions, rows: Sequence[Row]) -> list[str]:
    """Other columns that hold entity tags, in words."""
    names = dict.fromkeys(name for row in rows for name in row.values)
    others = [name for name in names if name not in (options.tags, options.tokens) and holds_entities(rows, name)]
    if not options.tags or not others:
        return []
    flags = ", ".join(f"--tags {name}" for name in others)
    return [f"columns that look like entity tags, too: {listed(others)} ({flags})"]


# ---- what columns hold


def lists_in(rows: Sequence[Row], name: str) -> list[list[Any]]:
    """The lists that a column holds, also those in writing; empty where it holds anything else."""
    values = [unwritten(value) for value in values_of(rows, name)]
    return values if all(isinstance(value, list) for value in values) else []


def tags_in(rows: Sequence[Row], name: str) -> list[str]:
    """All tags that a column of lists holds."""
    return [str(tag) for tag in chain(*lists_in(rows, name))]


def counts(rows: Sequence[Row], name: str) -> bool:
    """Whether a column counts the words of each sentence, from 0 or 1."""
    lists = lists_in(rows, name)
    starts = {str(values[0]) for values in lists if values}
    return len(starts) == 1 and starts <= {"0", "1"} and all(
        [str(value) for value in values] == [str(int(values[0]) + i) for i in range(len(values))]
        for values in lists if values
    )  # fmt: skip


def repeats(rows: Sequence[Row], name: str) -> bool:
    """Whether a column holds one value for all words of a sentence, as the name of a document."""
    longer = [values for values in lists_in(rows, name) if len(values) > 1]
    return bool(longer) and all(len(set(map(str, values))) == 1 for values in longer)


def entity_tags(rows: Sequence[Row], name: str) -> list[str]:
    """The tags of entities in a column, in their usual spelling; empty where it holds anything else."""
    tags = tags_in(rows, name)
    spelling = spelling_of(set(tags)) or Spelling()
    found = [tag for tag in map(spelling.normal, tags) if tag != "O"]
    return found if all(map(TAG.fullmatch, found)) else []


def types_in(rows: Sequence[Row], name: str) -> set[str]:
    """The types of entities in a column."""
    return {tag[2:] for tag in entity_tags(rows, name)}


def holds_entities(rows: Sequence[Row], name: str) -> bool:
    """Whether a column holds tags of entities, and nothing else."""
    return bool(entity_tags(rows, name))


def holds_spans(rows: Sequence[Row], name: str) -> bool:
    """Whether a column holds lists of spans, also in writing."""
    parts = [*chain(*lists_in(rows, name))]
    return bool(parts) and all(isinstance(part, (dict, list)) for part in parts)


# ---- reading


def read_list(row: Row, column: str) -> list[str]:
    """The list of words of a row, also where it is written in a cell.

    Raises:
        DataError: the value is not a list of texts.
    """
    value = unwritten(row.values.get(column))
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return value
    shown = f"{type(value).__name__} {printable(value)}"
    fix = "write the words as a list: ['he', 'lives', 'here']"
    raise DataError(
        Problem(row.place, f"column {column!r}: expected a list of words, found {shown}", fix, "not-a-list")
    )


def raw_column(row: Row, column: str) -> str | None:
    """The column of the words, where it holds a text that is no list: a model of words answers for raw text too."""
    return None if isinstance(unwritten(row.values.get(column)), list) else column


def read_tags(row: Row, options: TokensOptions, words: int) -> tuple[str, ...]:
    """The tags of a row, one per word, given as names or numbers, also where the list is written in a cell.

    Raises:
        DataError: the value is not a list, does not have one tag per word, or holds a number without a name.
    """
    column = options.tags or ""
    value = unwritten(row.values.get(column))
    if not isinstance(value, list) or not all(isinstance(part, (str, int)) or is_whole(part) for part in value):
        shown = f"{type(value).__name__} {printable(value)}"
        fix = "write the tags as a list: ['O', 'O', 'B-LOC']"
        raise DataError(
            Problem(row.place, f"column {column!r}: expected a list of tags, found {shown}", fix, "not-a-list")
        )
    if len(value) != words:
        message = f"{many(words, 'word')} and {many(len(value), 'tag')} in column {column!r}"
        raise DataError(Problem(row.place, message, "give each word one tag", "tag-count"))
    if options.key is not None:
        parts = [dict(part.partition("=")[::2] for part in str(tag).split("|")) for tag in value]
        return tuple(part.get(options.key, "_") for part in parts)
    tags = [str(int(tag)) if is_whole(tag) else str(tag) for tag in value]
    return tuple(tags) if options.labels is None else named_tags(row, tags, options.labels)


def named_tags(row: Row, tags: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """Tags with names in place of their numbers; names stay.

    Raises:
        DataError: a number has no name.
    """
    known = {str(i): name for i, name in enumerate(names)} | {name: name for name in names}
    wrong = next((tag for tag in tags if tag not in known), None)
    if wrong is not None:
        message = f"tag {printable(wrong)} has no name in options.labels, which has {many(len(names), 'name')} from 0"
        raise DataError(Problem(row.place, message, "name all tags in the order of their numbers", "no-such-label"))
    return tuple(known[tag] for tag in tags)


# ---- spelling


def respelled(examples: Sequence[Example], spelling: Spelling | None) -> list[Example]:
    """Examples with their tags in the usual spelling."""
    if spelling is None:
        return list(examples)
    return [replace(example, target=tuple(map(spelling.normal, example.target))) for example in examples]


def adapted(
    examples: Sequence[Example], fitted: Mapping[str, Any], *, untyped: bool
) -> tuple[list[Example], list[str]]:
    """Examples with their tags in the usual spelling, and a note where they are spelled otherwise than in training.

    Args:
        examples: Words with tags of entities.
        fitted: With the `spelling` of the training data, if it is not the usual one.
        untyped: Whether tags without letters are types.
    """
    own = Spelling(**fitted["spelling"]) if "spelling" in fitted else None
    found = respelled(examples, own)
    if all(tag == "O" or TAG.fullmatch(tag) for tag in {tag for one in found for tag in one.target}):
        return found, []
    tags = {tag for one in examples for tag in one.target}
    other = spelling_of(tags, untyped=untyped)
    if other is None:
        return found, []
    return respelled(examples, other), [f"tags are spelled otherwise than in the training data: {other.shown(tags)}"]


def word_tags(task: Tokens, example: Example) -> list[int]:
    """Tag ids of the words of an example, in BIO whatever the scheme of the data."""
    if task.plain:
        return [task.tags.index(tag) for tag in example.target]
    tags = to_bio(task.entities(example.target), len(example.target))
    return [task.tags.index(tag) for tag in tags]


def count_tags(task: Tokens, examples: Sequence[Example]) -> Counter[str]:
    """How often words have each tag. Each is counted once in advance, so that none has an infinite weight."""
    counts: Counter[str] = Counter(task.tags)
    for example in examples:
        if example.words is not None:
            counts.update(task.tags[i] for i in word_tags(task, example))
            continue
        spans = without_overlaps(example.target)
        owner = owners(spans, np.array(segmented(example.text), np.int64).reshape(-1, 2))
        counts.update(
            "O" if i < 0 else f"{'B' if first else 'I'}-{spans[i].label}"
            for i, first in zip(owner.tolist(), opens(owner).tolist(), strict=True)
        )
    return counts


# ---- doubts


def doubts(examples: Sequence[Example], *, plain: bool, sure: bool) -> list[Problem]:
    """What looks wrong about the tags of a part of the data as a whole, told at its first example.

    Args:
        examples: Words with tags.
        plain: Whether tags are read as independent labels of words.
        sure: Whether the user says so.
    """
    counts = Counter(tag for example in examples for tag in example.target)
    found = []
    if plain and counts and all(map(str.isdecimal, counts)):
        names = ",".join(f"tag{i}" for i in range(max(map(int, counts)) + 1)) if max(map(len, counts)) < 4 else "A,B"
        shown = listed(inputs.sorted_labels(counts)[:5])
        found.append((f"tags are numbers without names ({shown} ...)",
                      f"name them in order: --set options.labels=[{names}]", "numbered-tags"))  # fmt: skip
    elif plain and not sure and (types := entity_types(counts)):
        common = counts.most_common(1)[0]
        found.append((f"{printable(common[0])} is the tag of {common[1] / counts.total():.0%} of the words, and "
                      f"{listed(types[:5])} look like types of entities",
                      "--set options.kind=entities reads them so, --set options.kind=plain says that they are none",
                      "untyped-tags"))  # fmt: skip
    nested = [tag for tag in counts if not plain and NESTED.fullmatch(tag)]
    if nested:
        found.append((f"the tag {printable(nested[0], 40)} looks like several, and is read as one",
                      "keep one tag a word, that of the outer entity", "nested-tags"))  # fmt: skip
    return [Problem(examples[0].place, message, fix, code) for message, fix, code in found]


def entity_types(counts: Mapping[str, int]) -> list[str]:
    """The plain tags that look like types of entities: a few beside a tag for what is none, which most words have."""
    outside = [tag for tag in counts if tag.lower() in OUTSIDE]
    types = sorted(set(counts) - set(outside))
    most = len(outside) == 1 and 2 * counts[outside[0]] > sum(counts.values())
    return types if most and len(types) <= TYPES else []


def constant_of(examples: Sequence[Example], *, plain: bool) -> Constant | None:
    """The constant answer of tags: the commonest tag for every word, or no entity at all.

    Args:
        examples: Labelled ones.
        plain: Whether tags are independent labels of words, rather than parts of entities.
    """
    if not plain:
        return Constant("no entity", silent)
    counts = Counter(tag for example in examples for tag in example.target)
    if not counts:
        return None
    best = min(counts, key=lambda tag: (-counts[tag], tag))
    share = counts[best] / counts.total()

    def tagged(example: Example) -> Prediction:
        words = len(example.words or ())
        return {"tags": [best] * words, "scores": [share] * words}

    return Constant(f"commonest tag ({inputs.brief(best)})", tagged)


def silent(example: Example) -> Prediction:
    """The prediction of no entity, for words or for a text."""
    return {**({} if example.words is None else {"tags": ["O"] * len(example.words)}), "entities": []}
