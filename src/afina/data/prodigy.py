"""What Prodigy's users answered to questions about one label: accept, reject or ignore.

A rejected label is a negative example: with one label in the file its other class, with several a label that its text
does not have. What was ignored is left out and counted. Of a task with spans or choices only what was accepted is so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import Problem, printable
from ..printing import many
from ..records import Row

ANSWERS = ("accept", "reject", "ignore")
FIX = """keep those that were accepted: jq -c 'select(.answer == "accept")'"""


def judged(name: str, items: Iterable[Row | Problem], note: Callable[[str], None]) -> Iterator[Row | Problem]:
    """Records with the answers of Prodigy taken for what they say; answers about one label come last."""
    binary: list[Row] = []
    ignored = 0
    for item in items:
        answer = item.values["answer"] if isinstance(item, Row) and is_answered(item.values) else ""
        if isinstance(item, Problem) or not answer:
            yield item
        elif answer == "ignore":
            ignored += 1
        elif is_about_a_label(item.values):
            binary.append(item)
        else:
            yield item if answer == "accept" else rejected(item)
    yield from assembled(name, binary, note)
    if ignored:
        note(f"{name}: left out {many(ignored, 'task')} that Prodigy's user ignored")


def is_answered(values: Mapping[str, Any]) -> bool:
    """Whether a record is a task of Prodigy with its answer, and not one of other data with such a column."""
    asked = {"spans", "label", "accept", "_task_hash"} & values.keys()
    return isinstance(values.get("text"), str) and values.get("answer") in ANSWERS and bool(asked)


def is_about_a_label(values: Mapping[str, Any]) -> bool:
    """Whether a task asked if its text has one label."""
    spans = values.get("spans")
    marked = isinstance(spans, list) and any(isinstance(span, dict) and span.get("label") for span in spans)
    return isinstance(values.get("label"), str) and not marked and not {"accept", "options"} & values.keys()


def rejected(row: Row) -> Problem:
    """A task whose spans or choices are wrong; what would be right, nobody said."""
    message = "the answer of this Prodigy task is 'reject', so what it says is not so"
    return Problem(row.place, message, FIX, "not-accepted", row.raw)


def assembled(name: str, rows: Sequence[Row], note: Callable[[str], None]) -> Iterator[Row | Problem]:
    """Answers about single labels as the labels of texts."""
    labels = list(dict.fromkeys(row.values["label"] for row in rows))
    no = sum(row.values["answer"] == "reject" for row in rows)
    texts = {row.values["text"] for row in rows}
    if len(labels) == 1 and no:
        other = f"not {labels[0]}"
        kept = f"{len(rows) - no:,} were accepted, {no:,} rejected"
        note(f"{name}: of Prodigy's questions about {printable(labels[0])}, {kept}, which are {printable(other)}")
        for row in rows:
            label = labels[0] if row.values["answer"] == "accept" else other
            yield replace(row, values={**row.values, "label": label})
    elif no or len({(row.values["text"], row.values["label"]) for row in rows}) > len(texts):
        yield from by_text(name, rows, note)
    else:
        yield from rows


def by_text(name: str, rows: Sequence[Row], note: Callable[[str], None]) -> Iterator[Row | Problem]:
    """A row for each text, with the labels that were accepted for it."""
    asked: dict[str, dict[str, str]] = {}
    first: dict[str, Row] = {}
    problems: list[Problem] = []
    for row in rows:
        text, label, answer = (row.values[key] for key in ("text", "label", "answer"))
        first.setdefault(text, row)
        if asked.setdefault(text, {}).setdefault(label, answer) != answer:
            message = f"{printable(label)} was both accepted and rejected for this text"
            problems.append(Problem(row.place, message, "keep the right answer", "annotations-differ", row.raw))
    labels = {label for answers in asked.values() for label in answers}
    open_pairs = len(asked) * len(labels) - sum(map(len, asked.values()))
    unsaid = f"; {many(open_pairs, 'pair')} of text and label that nobody was asked about: taken as rejected"
    message = (
        f"{many(len(rows), 'answer')} of Prodigy about {many(len(labels), 'label')} "
        f"make {many(len(asked), 'text')} with the accepted ones"
    )
    note(f"{name}: {message}" + (unsaid if open_pairs else ""))
    for text, row in first.items():
        accepted = [label for label, answer in asked[text].items() if answer == "accept"]
        yield replace(row, values={**row.values, "label": sorted(accepted)})
    yield from problems
