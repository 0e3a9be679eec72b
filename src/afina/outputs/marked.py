"""Texts with what was found in them in brackets, a text a line: `[Ana](PERSON 0.91) mora no [Porto](PLACE 0.88)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TextIO

from ..printing import UNSAFE, escaped, number
from ..records import Mark, Output
from .writers import Answered, Form, Writer

AROUND = 60
"""Characters of a passage that are shown on each side of an answer."""
LABELS = 5
"""Labels that are shown with their probabilities."""
Paint = Callable[[str], str]
"""Makes what is said stand out from the text."""


def plain(said: str) -> str:
    """Nothing stands out but by its brackets."""
    return said


def write_marked(file: TextIO, answers: Iterable[Answered], form: Form) -> None:
    """A line an input: the text with its marks, or the text and what was said of it."""
    for answered in answers:
        file.write(line_of(answered, form) + "\n")


def line_of(answered: Answered, form: Form, *, paint: Paint = plain, longest: int | None = None) -> str:
    """A prediction in one line, with nothing in it that moves a cursor.

    Args:
        answered: The prediction, with what was asked.
        form: What is common to all predictions.
        paint: Makes what is said stand out.
        longest: Characters of a text that has no marks; a passage is shown around its answer. None for all.
    """
    output, example = form.output(answered), answered.example
    if next(iter(answered.prediction.values()), None) is None:
        return paint("(no text)")
    if "answer" in form.task.gives:
        question = harmless(shortened(example.text, longest))
        return f"{question} {passage(output, paint, AROUND if longest else None)}"
    if "marks" in form.task.gives:
        return marked(output.text, output.marks, paint)
    text = " | ".join(harmless(shortened(text, longest)) for text in (example.text, example.pair) if text is not None)
    return f"{text}: {paint(said(answered, output))}"


def marked(text: str, marks: Sequence[Mark], paint: Paint = plain) -> str:
    """A text with its marks in brackets. A mark that crosses another one stands behind the text."""
    drawn, crossing = nested(marks)
    parts, at = [], 0
    for place, mark, opening in drawn:
        parts.append(harmless(text[at:place]))
        parts.append(paint("[") if opening else paint(f"]({name_of(mark)})"))
        at = place
    left = "".join(f" {paint('[')}{harmless(text[m.start : m.end])}{paint(f']({name_of(m)})')}" for m in crossing)
    return "".join([*parts, harmless(text[at:]), left])


def nested(marks: Sequence[Mark]) -> tuple[list[tuple[int, Mark, bool]], list[Mark]]:
    """Where marks open and close, in the order of the text, each inside those that are open; and those that cross one.

    Returns:
        Place, mark and whether it opens there; and the marks that neither hold nor leave out an open one.
    """
    drawn: list[tuple[int, Mark, bool]] = []
    open_marks: list[Mark] = []
    crossing: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: (mark.start, -mark.end)):
        while open_marks and open_marks[-1].end <= mark.start:
            closed = open_marks.pop()
            drawn.append((closed.end, closed, False))
        if open_marks and open_marks[-1].end < mark.end:
            crossing.append(mark)
            continue
        open_marks.append(mark)
        drawn.append((mark.start, mark, True))
    drawn += [(mark.end, mark, False) for mark in reversed(open_marks)]
    return drawn, crossing


def name_of(mark: Mark) -> str:
    """The label of a mark and the confidence in it."""
    return harmless(mark.label) + ("" if mark.score is None else f" {mark.score:.2f}")


def passage(output: Output, paint: Paint, around: int | None) -> str:
    """A passage with its answer, or that there is none."""
    if not output.marks:
        return paint(f"(no answer {output.confidence:.2f})" if output.confidence is not None else "(no answer)")
    (mark, *_) = output.marks
    start, end = 0, len(output.text)
    if around is not None:
        start, end = max(0, mark.start - around), min(end, mark.end + around)
    moved = mark._replace(start=mark.start - start, end=mark.end - start)
    shown = marked(output.text[start:end], [moved], paint)
    return f"{'…' if start else ''}{shown}{'…' if end < len(output.text) else ''}"


def said(answered: Answered, output: Output) -> str:
    """What was said of a text: the labels with their probabilities, or the values by name."""
    answer = next(iter(answered.prediction.values()), None)
    if answer is None:
        return "no text"
    ranked = sorted(output.probabilities, key=lambda label: -(output.probabilities[label] or 0.0))
    given = [answer] if isinstance(answer, str) else answer
    if ranked and isinstance(given, list) and set(given) <= set(ranked):
        first = [label for label in ranked if label in given]
        others = [label for label in ranked if label not in given][: max(0, LABELS - len(first))]
        chances = [chance_of(label, output) for label in first] or ["no label"]
        return ", ".join(chances) + (f" ({', '.join(chance_of(label, output) for label in others)})" if others else "")
    return ", ".join(f"{harmless(name)} {value_of(value)}" for name, value in output.cells.items())


def chance_of(label: str, output: Output) -> str:
    """A label and its probability."""
    return f"{harmless(label)} {output.probabilities[label]:.2f}"


def value_of(value: Any) -> str:
    """A value for people."""
    return harmless(number(value))


def harmless(text: str) -> str:
    """A text in one line, with everything escaped that a terminal might obey."""
    return UNSAFE.sub(escaped, text).replace("\n", "\\n")


def shortened(text: str, longest: int | None) -> str:
    """A text that is cut behind so many characters."""
    return text if longest is None or len(text) <= longest else text[: longest - 1].rstrip() + "…"


WRITER = Writer("text", (".txt",), "texts with what was found in brackets, or with what was said of them", write_marked)
