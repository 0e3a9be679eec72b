"""Dataturks' exports: `content`, and an `annotation` of labelled points or of labels.

The ends of its spans are the last characters. They are moved only where the texts of the points show that it is so, and
all records of a file must agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..errors import DataError, Problem, printable
from ..records import Row
from .label_studio import BLANKS, is_objects, not_annotated

Point = tuple[int, int, Any, str]
"""Start, end, text (if the file says it) and label of a span."""
MEANINGS = {1: "the last character", 0: "the one behind it"}


def converted(name: str, items: Iterable[Row | Problem], note: Callable[[str], None]) -> Iterator[Row | Problem]:
    """Records with those of Dataturks in our words: `text`, and `spans` or `label`."""
    known: int | None = None
    for item in items:
        if isinstance(item, Problem) or not is_dataturks(item.values):
            yield item
            continue
        try:
            row, step = with_answer(item, known)
        except DataError as error:
            yield replace(error.problems[0], raw=item.raw)
            continue
        if known is None and step == 1:
            note(f"{name}: the ends of the spans are their last characters, as their texts show; 1 is added to each")
        known = step
        yield row


def is_dataturks(values: Mapping[str, Any]) -> bool:
    """Whether a record is one of Dataturks."""
    given = values.get("annotation", "")
    if not isinstance(values.get("content"), str):
        return False
    if isinstance(given, dict):
        return isinstance(given.get("labels"), list)
    return given is None or (is_objects(given) and all({"label", "points"} <= part.keys() for part in given))


def with_answer(row: Row, known: int | None) -> tuple[Row, int | None]:
    """A record in our words, and what is known of the ends after it.

    Raises:
        DataError: nobody annotated it, or its spans do not fit its text.
    """
    text, given = row.values["content"], row.values["annotation"]
    if given is None:
        raise DataError(not_annotated(row.place))
    others = {key: value for key, value in row.values.items() if key not in ("content", "annotation")}
    if isinstance(given, dict):
        return replace(row, values={"text": text, "label": given["labels"], **others}), known
    points = [point for part in given for point in points_of(part, row.place)]
    step = step_of(points, text, known=known, place=row.place) if points else known
    spans = [{"start": start, "end": end + (step or 0), "label": label} for start, end, _, label in points]
    return replace(row, values={"text": text, "spans": spans, **others}), step


def points_of(part: Mapping[str, Any], place: str) -> Iterator[Point]:
    """The stretches of an annotation, each with its one label.

    Raises:
        DataError: it has no label or several, or points of something else than a text.
    """
    labels = part["label"] if isinstance(part["label"], list) else [part["label"]]
    if len(labels) != 1 or not isinstance(labels[0], str):
        message = f"a span has the labels {printable(part['label'])}: {printable(part['points'])}"
        raise DataError(Problem(place, message, "give each span one label", "not-one-label"))
    for point in part["points"] if is_objects(part["points"]) else [part["points"]]:
        if not isinstance(point, dict) or not all(type(point.get(edge)) is int for edge in ("start", "end")):
            message = f"expected start and end in characters, found {printable(point)}"
            raise DataError(Problem(place, message, "only spans of a text can be read", "not-plain-text"))
        yield point["start"], point["end"], point.get("text"), labels[0]


def step_of(points: list[Point], text: str, *, known: int | None, place: str) -> int:
    """What is to be added to the ends of a record: 1 where they are the last characters, 0 where they lie behind them.

    Raises:
        DataError: the texts fit neither, or another than the records before, or nothing was shown so far.
    """
    fitting = [step for step in MEANINGS if all(fits(point, text, step) for point in points)]
    if known in fitting:
        return known
    if not fitting:
        start, end, said, _ = next(p for p in points if not fits(p, text, 1 if known is None else known))
        found = printable(text[start : end + (1 if known is None else known)], 40)
        message = f"span [{start}, {end}] should hold {printable(said, 40)}, found {found}"
        raise DataError(Problem(place, message, "correct the offsets, or label the text again", "span-text"))
    if known is not None:
        message = f"the ends of these spans are {MEANINGS[fitting[0]]}, and were {MEANINGS[known]} before"
        raise DataError(Problem(place, message, "count them in one way in the whole file", "ends-differ"))
    if len(fitting) > 1:
        message = f"nothing shows whether the end of a span is {MEANINGS[1]} or {MEANINGS[0]}"
        raise DataError(Problem(place, message, "write the `text` of each point", "ends-unknown"))
    return fitting[0]


def fits(point: Point, text: str, step: int) -> bool:
    """Whether a point holds what it says, blanks inside aside, when so much is added to its end."""
    start, end, said, _ = point
    inner = text[start : end + step]
    inside = 0 <= start < end + step <= len(text)
    return inside and (not isinstance(said, str) or said == inner or same_edges(said, inner))


def same_edges(said: str, inner: str) -> bool:
    """Whether two texts differ in their kinds of blanks only, and in none at their ends."""
    return BLANKS.sub(" ", said) == BLANKS.sub(" ", inner)
