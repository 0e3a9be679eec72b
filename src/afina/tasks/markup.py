"""Reading and checking annotations: spans of characters in any unit, and the tags of entities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..errors import DataError, Problem, printable
from ..printing import many
from ..records import Example, Row
from ..text.schemes import TAG
from ..text.spans import JOINED_LINE_ENDS, OTHER_UNITS, Span, blank, cut_by, cuts_word, positions, without_overlaps
from .base import INSIDE, Array
from .written import unwritten


def joined(words: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Words joined by blanks to a text, and the character span of each word."""
    places, at = [], 0
    for word in words:
        places.append((at, at + len(word)))
        at += len(word) + 1
    return " ".join(words), tuple(places)


def read_spans(row: Row, column: str, text: str, unit: str) -> tuple[Span, ...]:
    """Character spans of a row in order, without blanks at their edges.

    Raises:
        DataError: lists every span that is malformed, outside the text, empty or blank.
    """
    value = unwritten(row.values.get(column))
    if value is None or (isinstance(value, str) and not value.strip()):
        value = []
    if (
        isinstance(value, dict)
        and {"start", "end"} <= {*value}
        and all(isinstance(part, list) for part in value.values())
    ):
        value = [dict(zip(value, parts, strict=False)) for parts in zip(*value.values(), strict=False)]
    if not isinstance(value, list):
        shown = f"{type(value).__name__} {printable(value)}"
        fix = "write a list: [{'start': 0, 'end': 3, 'label': 'PER'}]" if isinstance(value, str) else ""
        raise DataError(Problem(row.place, f"column {column!r}: expected spans, found {shown}", fix, "not-spans"))
    spans, errors = checked_spans(value, text, unit)
    if errors:
        fix = "give start, end (exclusive) and label"
        others = [name for name in OTHER_UNITS if unit in ("auto", "characters") and not text.isascii()]
        fitting = [name for name in others if not checked_spans(value, text, name)[1]]
        if fitting:
            fix += f"; counted in {OTHER_UNITS[fitting[0]]} they fit: --offsets {fitting[0]}"
        raise DataError([Problem(row.place, f"column {column!r}: {error}", fix, "bad-span") for error in errors])
    return tuple(sorted(set(spans)))


def checked_spans(value: Sequence[Any], text: str, unit: str) -> tuple[list[Span], list[str]]:
    """The valid spans of a text, and the errors of the invalid ones."""
    to_character = positions(text, unit)
    spans, errors = [], []
    for entry in value:
        try:
            spans.append(checked_span(entry, text, to_character))
        except ValueError as error:
            errors.append(str(error))
    return spans, errors


def checked_span(one: Any, text: str, to_character: Callable[[int], int]) -> Span:
    """A span of a text from {start, end, label} or [start, end, label].

    Raises:
        ValueError: the span is malformed, outside the text, empty or blank.
    """
    expected = None
    if isinstance(one, dict):
        expected = one.get("text")
        label = one.get("label", one.get("labels"))  # Label Studio exports a list of one label
        ends = [one.get(end, one.get(f"{end}_offset")) for end in ("start", "end")]  # doccano's relations: start_offset
        one = [*ends, label[0] if isinstance(label, list) and len(label) == 1 else label]
    if not isinstance(one, list) or len(one) != 3 or not all(type(offset) is int for offset in one[:2]):
        raise ValueError(f"expected spans with start, end and label, found {printable(one)}")
    start, end, label = one
    shown = f"span [{start}, {end}) {printable(label, 30)}"
    if not isinstance(label, str) or not label.strip():
        raise ValueError(f"{shown} has no label")
    if end <= start:
        raise ValueError(f"{shown} is empty" if end == start else f"{shown} ends before it starts")
    if start < 0:
        raise ValueError(f"{shown} starts before the text")
    if to_character(end) > len(text):
        raise ValueError(f"{shown} ends after the text, which has {many(len(text), 'character')}")
    start, end = to_character(start), to_character(end)
    inner = text[start:end]
    if blank(inner):
        raise ValueError(f"{shown} holds only blanks")
    if isinstance(expected, str) and expected.split() != inner.split():
        raise ValueError(f"{shown} should hold {printable(expected, 40)}, found {printable(inner, 40)}")
    return Span(start + len(inner) - len(inner.lstrip()), end - len(inner) + len(inner.rstrip()), label)


def shown_span(span: Span, text: str) -> str:
    """A short form of a span for messages."""
    return f"span [{span.start}, {span.end}) {printable(span.label, 30)} {printable(text[span.start : span.end], 40)}"


def refuse_other_units(examples: Sequence[Example]) -> None:
    """Refuse offsets in a unit other than characters. They seldom leave the text, but they cut words.

    Raises:
        DataError: most of the spans that another unit would move begin or end inside a word when read as characters,
            and nearly all fit when read in that unit; lists the spans that cut a word.
    """
    cures = {unit: f"counted in {words} they fit: --offsets {unit}" for unit, words in OTHER_UNITS.items()}
    cures[JOINED_LINE_ENDS] = "with each line end counted as one character they fit: write \\n for \\r\\n in the texts"
    for unit, cure in cures.items():
        moved: list[tuple[Example, Span, bool, bool]] = []
        for example in examples:
            if example.text.isascii() and unit != JOINED_LINE_ENDS:
                continue
            to_character = positions(example.text, unit)
            for span in example.target:
                try:
                    start, end = to_character(span.start), to_character(span.end)
                    # One sound edge is enough: at the other, a blank that the wrong unit included was stripped already.
                    sound = not (cuts_word(example.text, start) and cuts_word(example.text, end))
                    fits = end <= len(example.text) and sound
                except ValueError:
                    start, end, fits = -1, -1, False
                if (start, end) != (span.start, span.end):
                    wrong = cuts_word(example.text, span.start) or cuts_word(example.text, span.end)
                    moved.append((example, span, wrong, fits))
        cut = [(example, span) for example, span, wrong, _ in moved if wrong]
        if len(cut) >= 3 and len(cut) > len(moved) / 2 and sum(fits for *_, fits in moved) >= 0.9 * len(moved):
            fix = f"{cure} (or --offsets characters, if they are right)"
            raise DataError(
                [
                    Problem(example.place, f"{shown_span(span, example.text)} cuts a word", fix, "offset-unit")
                    for example, span in cut
                ]
            )


def refuse_off_by_one(examples: Sequence[Example]) -> None:
    """Refuse ends that are inclusive, and starts that count from 1.

    Raises:
        DataError: most spans cut a word at that edge, and would not if the edge were moved by one; lists them.
    """
    known = [(example, span) for example in examples for span in example.target]
    advice = {1: "is the end the last character? Add 1 to each end", -1: "do starts count from 1? Take 1 from each"}
    for step, cure in advice.items():
        late = []
        for example, span in known:
            here, other = (span.end, span.start) if step == 1 else (span.start, span.end)
            moved = here + step
            if cuts_word(example.text, here) and not any(cuts_word(example.text, at) for at in (moved, other)):
                late.append((example, span))
        if len(late) >= 3 and len(late) > len(known) / 2:
            fix = f"{cure} (or --offsets characters, if they are right)"
            raise DataError(
                [
                    Problem(example.place, f"{shown_span(span, example.text)} cuts a word", fix, "offset-unit")
                    for example, span in late
                ]
            )


def overlaps(examples: Sequence[Example]) -> list[Problem]:
    """Problems of spans that overlap a longer one."""
    return [
        Problem(
            example.place,
            f"{shown_span(span, example.text)} overlaps another span",
            "the longer one is trained on; in scores both count",
            "overlapping-spans",
        )
        for example in examples
        for span in sorted(set(example.target) - set(without_overlaps(example.target)))
    ]


def cuts(examples: Sequence[Example]) -> list[Problem]:
    """Problems of spans that begin or end inside a word."""
    return [
        Problem(
            example.place,
            f"{shown_span(span, example.text)} cuts a {what}",
            "is it off by one? start and end count from 0, the end is the first character after the span",
            "cut-span",
        )
        for example in examples
        for span in example.target
        if (what := cut_by(example.text, span))
    ]


def bad_tags(example: Example) -> Iterator[Problem]:
    """The problem of the first tag of a sentence that is not an entity tag, if there is one."""
    for i, tag in enumerate(example.target, 1):
        if tag != "O" and not TAG.fullmatch(tag):
            fix = "write O, or a letter, a dash and a type (B-PER); --set options.kind=plain if tags are no entities"
            yield Problem(example.place, f"word {i}: {printable(tag, 40)} is not a tag of an entity", fix, "bad-tag")
            return


def orphans(examples: Sequence[Example]) -> list[Problem]:
    """Problems of tags that continue an entity that has not begun, in data where entities begin with B (or S, U)."""
    first: list[tuple[Example, int]] = []
    needless = 0
    for example in examples:
        for i, (before, tag) in enumerate(zip(["O", *example.target], example.target, strict=False)):
            same_type = before[1:] == tag[1:]
            if tag[:1] in ("I", "E", "L") and not (same_type and before[:1] in ("B", "I")):
                first.append((example, i))
            needless += tag[:1] in ("B", "S", "U") and not same_type
    if len(first) >= needless:  # in IOB1 and IO, entities begin with I
        return []
    return [
        Problem(
            example.place,
            f"word {i + 1}: {printable(example.target[i], 40)} goes on with an entity that does not begin before it",
            "it is read as its beginning, and with --set options.strict=true as no entity",
            "orphan-tag",
        )
        for example, i in first
    ]


def losses(target: Sequence[Span], tokens: Array) -> list[str]:
    """For each labelled span, why tokens can't express it, or the empty text.

    Args:
        target: Labelled spans.
        tokens: Character spans of the tokens. [n, 2]
    """
    visible = tokens[tokens[:, 1] > tokens[:, 0]]
    starts, ends = set(visible[:, 0].tolist()), set(visible[:, 1].tolist())
    disjoint = set(without_overlaps(target))
    return [
        "overlapping a longer one" if span not in disjoint
        else "" if span.start in starts and span.end in ends
        else INSIDE
        for span in target
    ]  # fmt: skip
