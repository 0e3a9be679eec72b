"""Figures as SVG that needs no script: lines with bands, bars, matrices, points. All text in them is escaped.

A figure is 400 units wide, so that its smallest letters can be read on a phone, and two fit side by side on a page.
Colours are classes of the page's style, and lines differ by their dashes, too. Values that are no numbers are left out
and counted.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from ..studies.summaries import Figure, Series
from .axes import Axis, axis_of
from .numbers import Numbers
from .phrases import clean

WIDTH, HEIGHT = 400, 250
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 42
ROW = 22
"""Height of a bar with its room."""
LETTER = 6.2
"""Width of a letter, on average."""
COLOURS = 6
MOST_POINTS = 400
"""Points of a line that are drawn; of more, the mean of neighbours."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn figure.

    Attributes:
        svg: The image.
        left_out: Number of values that are no numbers, or have no place on a logarithmic axis.
    """

    svg: Markup
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars with intervals, from top to bottom.

    Attributes:
        title: What they show.
        x: What their length is, with its unit.
        labels: What each is about.
        values: Their lengths.
        low, high: Bounds of the values; empty without any.
        whole: Whether the values are counts; else they are shares.
    """

    title: str
    x: str
    labels: Sequence[str]
    values: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Matrix:
    """Counts by row and column, darker where there are more.

    Attributes:
        title: What it shows.
        x, y: What the columns and the rows are.
        columns, rows: Their names.
        counts: A number for each row and column.
        diagonal: Whether the cells where a row meets its own column are right.
    """

    title: str
    x: str
    y: str
    columns: Sequence[str]
    rows: Sequence[str]
    counts: Sequence[Sequence[int]]
    diagonal: bool = True


@dataclass(frozen=True, slots=True)
class Points:
    """Points in a plane.

    Attributes:
        title: What they show.
        x, y: What the axes show, with their units.
        points: Their places.
        diagonal: Whether to draw the line where both are equal.
        level: Whether to draw the line where y is 0.
    """

    title: str
    x: str
    y: str
    points: Sequence[tuple[float, float]]
    diagonal: bool = False
    level: bool = False


def finite(*values: float | None) -> bool:
    """Whether all values are numbers."""
    return all(value is not None and math.isfinite(value) for value in values)


# ---------------------------------------------------------------------------------------------------------------------
# Lines.


def lines(
    figure: Figure, numbers: Numbers, *, dots: bool = False, share: bool = False, diagonal: bool = False
) -> Drawing:
    """The lines of a figure with their bands and a legend.

    Args:
        figure: What to draw.
        numbers: How numbers are written.
        dots: Whether to mark each value.
        share: Whether the values are shares, so that the axis goes to 0 or 1 where they are near.
        diagonal: Whether to draw the line where both axes are equal.
    """
    series, left_out = [], 0
    for one in figure.series:
        kept, lost = drawable(one, logarithmic=figure.logarithmic)
        series.append(kept)
        left_out += lost
    across = [x for one in series for x in one.x]
    upright = [y for one in series for y in (*one.y, *one.low, *one.high)]
    legend = [one.name for one in series] if len(series) > 1 else []
    above = 16 * sum(1 for _ in rows_of(legend))
    height = HEIGHT + max(0, above - 32)
    bottom, top = height - BOTTOM, TOP + above
    x = axis_of(across, LEFT, WIDTH - RIGHT, logarithmic=figure.logarithmic, share=share and diagonal)
    y = axis_of(upright, bottom, top, share=share)
    parts = [*frame(x, y, numbers, figure.x, figure.y, top=top, bottom=bottom)]
    if diagonal:
        parts.append(
            segment((x(max(x.low, y.low)), y(max(x.low, y.low))), (x(min(x.high, y.high)), y(min(x.high, y.high))))
        )
    for place, one in enumerate(series):
        parts += drawn(one, x, y, number=place, dots=dots or len(one.x) == 1)
    parts += keys(legend, {place for place, one in enumerate(series) if one.points})
    return Drawing(image(figure.title, described(figure, series, numbers), parts, height=height), left_out)


def drawable(one: Series, *, logarithmic: bool) -> tuple[Series, int]:
    """A line without the values that have no place, in the order of x and thinned; and how many those are."""
    banded = len(one.low) == len(one.y) == len(one.high)
    if one.points:
        kept = [i for i in range(len(one.x)) if finite(one.x[i], one.y[i]) and (one.x[i] > 0 or not logarithmic)]
        across, upright = ([part[i] for i in kept] for part in (one.x, one.y))
        return Series(one.name, across, upright, points=[one.points[i] for i in kept]), len(one.x) - len(kept)
    rows = [
        (x, y, *((one.low[i], one.high[i]) if banded else ()))
        for i, (x, y) in enumerate(zip(one.x, one.y, strict=True))
        if finite(x, y) and (x > 0 or not logarithmic)
    ]
    lost = len(one.y) - len(rows)
    rows = thinned(sorted(rows, key=lambda row: row[0]))
    # Where a value has no bounds the band is as thin as the line.
    columns = [
        [row[0] for row in rows],
        [row[1] for row in rows],
        *([[row[k] if finite(row[k]) else row[1] for row in rows] for k in (2, 3)] if banded else [[], []]),
    ]
    return Series(one.name, *columns), lost


def thinned(rows: Sequence[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """At most `MOST_POINTS` rows, each the mean of neighbours."""
    size = math.ceil(len(rows) / MOST_POINTS)
    if size <= 1:
        return list(rows)
    chunks = (rows[start : start + size] for start in range(0, len(rows), size))
    return [tuple(math.fsum(column) / len(chunk) for column in zip(*chunk, strict=True)) for chunk in chunks]


def drawn(one: Series, x: Axis, y: Axis, *, number: int, dots: bool) -> Iterator[str]:
    """A line with its band and marks."""
    kind = f"c{number % COLOURS}"
    if one.low and one.x:
        there = [place(x(a), y(b)) for a, b in zip(one.x, one.high, strict=True)]
        back = [place(x(a), y(b)) for a, b in zip(one.x, one.low, strict=True)][::-1]
        if len(one.x) > 1:
            yield f'<polygon class="band {kind}" points="{" ".join([*there, *back])}"/>'
        else:
            yield f'<path class="whisker {kind}" d="M{there[0]}L{back[0]}"/>'
    if one.points:
        for name, a, b in zip(one.points, one.x, one.y, strict=True):
            # Beside a rising line there is room above on the left, and below on the right.
            left = x(a) > (x.start + x.end) / 2
            dx, dy, anchor = (-5, -5, "end") if left else (5, 13, "start")
            yield text(shortened(name, 30), x(a) + dx, y(b) + dy, anchor=anchor, kind="name")
    elif len(one.x) > 1:
        points = " ".join(place(x(a), y(b)) for a, b in zip(one.x, one.y, strict=True))
        yield f'<polyline class="line {kind}" points="{points}"/>'
    if dots or one.points:
        for a, b in zip(one.x, one.y, strict=True):
            yield f'<circle class="dot {kind}" cx="{x(a):.1f}" cy="{y(b):.1f}" r="2.6"/>'


def rows_of(names: Sequence[str]) -> Iterator[list[tuple[float, int, str]]]:
    """A legend in rows: for each name its place from the left, its number, and what is shown of it."""
    row: list[tuple[float, int, str]] = []
    at = float(LEFT)
    for number, name in enumerate(names):
        shown = shortened(name, 34)
        size = 30 + LETTER * len(shown)
        if row and at + size > WIDTH:
            yield row
            row, at = [], float(LEFT)
        row.append((at, number, shown))
        at += size
    if row:
        yield row


def keys(names: Sequence[str], alone: Container[int] = ()) -> Iterator[str]:
    """A legend above the figure.

    Args:
        names: Names of the lines.
        alone: Numbers of those whose values stand alone.
    """
    for line, row in enumerate(rows_of(names)):
        y = 12 + 16 * line
        for at, number, shown in row:
            if number in alone:
                yield f'<circle class="dot c{number % COLOURS}" cx="{at + 9:.1f}" cy="{y - 4}" r="2.6"/>'
            else:
                yield f'<path class="line c{number % COLOURS}" d="M{at:.1f} {y - 4}h18"/>'
            yield text(shown, at + 22, y)


def described(figure: Figure, series: Sequence[Series], numbers: Numbers) -> str:
    """What the lines show, for those who can't see them."""
    ends = (
        f"{one.name}: {numbers.score(one.y[0])} → {numbers.score(one.y[-1])} "
        f"({numbers.score(min(one.y))} – {numbers.score(max(one.y))})"
        for one in series
        if one.y
    )
    return f"{figure.y} / {figure.x}. {'; '.join(ends)}"


# ---------------------------------------------------------------------------------------------------------------------
# Bars, matrices, points.


def bars(figure: Bars, numbers: Numbers) -> Drawing:
    """Bars from left to right, each with its label above it and its interval."""
    rows = [
        (label, value, *bounds(figure, i))
        for i, (label, value) in enumerate(zip(figure.labels, figure.values, strict=True))
        if finite(value)
    ]
    left, bottom = 10, TOP + (ROW + 12) * len(rows) + 4
    values = [0.0, *(part for row in rows for part in row[1:] if finite(part))]
    x = axis_of(values, left, WIDTH - RIGHT - 6, share=not figure.whole, whole=figure.whole)
    write = numbers.whole if figure.whole else numbers.score
    parts = [*ruler(x, numbers, figure.x, top=TOP, bottom=bottom)]
    said = []
    for i, (label, value, low, high) in enumerate(rows):
        y = TOP + (ROW + 12) * i
        said.append(f"{label}: {write(value)} {numbers.interval(low, high)}".strip())
        parts.append(text(f"{shortened(label, 44)}: {write(value)}", left + 2, y + 11))
        start, end = sorted((x(0.0), x(value)))
        parts.append(
            f'<rect class="bar" x="{start:.1f}" y="{y + 16}" width="{max(0.5, end - start):.1f}" height="10"/>'
        )
        if finite(low, high):
            parts.append(f'<path class="whisker" d="M{x(low):.1f} {y + 21}H{x(high):.1f}"/>')
    svg = image(figure.title, f"{figure.x}. {'; '.join(said)}", parts, height=bottom + BOTTOM)
    return Drawing(svg, len(figure.values) - len(rows))


def bounds(figure: Bars, i: int) -> tuple[float, float]:
    """The bounds of a bar; nan where it has none."""
    return (figure.low[i], figure.high[i]) if figure.low and figure.high else (math.nan, math.nan)


def matrix(figure: Matrix, numbers: Numbers) -> Drawing:
    """A matrix with its counts. Names of columns stand upright below it."""
    longest = max(map(len, (*figure.rows, *figure.columns)), default=0)
    margin = min(110, 12 + LETTER * min(longest, 16))
    left, top = margin + 16, 8
    size = (WIDTH - left - 4) / max(1, len(figure.columns))
    high = min(size, 44)
    most = max((count for row in figure.counts for count in row), default=0) or 1
    parts = []
    for i, (name, row) in enumerate(zip(figure.rows, figure.counts, strict=True)):
        y = top + high * i
        parts.append(text(shortened(name, 16), left - 5, y + high / 2 + 4, anchor="end"))
        for j, count in enumerate(row):
            kind = "right" if figure.diagonal and i == j else "wrong"
            shade = 0.06 + 0.84 * count / most if count else 0.0
            parts.append(
                f'<rect class="cell {kind}" x="{left + size * j:.1f}" y="{y:.1f}" width="{max(0.5, size - 1.5):.1f}" '
                f'height="{max(0.5, high - 1.5):.1f}" fill-opacity="{shade:.2f}"/>'
            )
            if count and size >= LETTER * len(str(count)):
                dark = " dark" if shade > 0.5 else ""
                at = left + size * j + size / 2
                parts.append(text(numbers.whole(count), at, y + high / 2 + 4, anchor="middle", kind=f"count{dark}"))
    bottom = top + high * len(figure.rows)
    for j, name in enumerate(figure.columns):
        at = left + size * j + size / 2 + 4
        parts.append(text(shortened(name, 16), at, bottom + 6, anchor="end", turned=True))
    parts.append(text(figure.x, left + (WIDTH - left) / 2, bottom + margin + 12, anchor="middle", kind="axis"))
    parts.append(text(figure.y, 11, top + (bottom - top) / 2, anchor="middle", turned=True, kind="axis"))
    total = sum(sum(row) for row in figure.counts)
    said = f"{figure.y} × {figure.x}: {len(figure.rows)} × {len(figure.columns)}, {numbers.whole(total)}"
    return Drawing(image(figure.title, said, parts, height=bottom + margin + 20))


def points(figure: Points, numbers: Numbers) -> Drawing:
    """Points in a plane with its axes."""
    kept = [one for one in figure.points if finite(*one)]
    bottom, top = HEIGHT - BOTTOM, TOP
    across, upright = [x for x, _ in kept], [y for _, y in kept]
    if figure.diagonal:
        across = upright = [*across, *upright]
    x = axis_of(across, LEFT, WIDTH - RIGHT)
    y = axis_of([*upright, *([0.0] if figure.level else [])], bottom, top)
    parts = [*frame(x, y, numbers, figure.x, figure.y, top=top, bottom=bottom)]
    if figure.diagonal:
        parts.append(segment((x(x.low), y(x.low)), (x(x.high), y(x.high))))
    if figure.level:
        parts.append(segment((LEFT, y(0.0)), (WIDTH - RIGHT, y(0.0))))
    parts += [f'<circle class="point" cx="{x(a):.1f}" cy="{y(b):.1f}" r="2.2"/>' for a, b in kept]
    ranges = (
        f"{name}: {numbers.score(min(values))} – {numbers.score(max(values))}"
        for name, values in ((figure.x, across), (figure.y, upright))
        if values
    )
    return Drawing(image(figure.title, "; ".join(ranges), parts), len(figure.points) - len(kept))


# ---------------------------------------------------------------------------------------------------------------------
# What figures are made of.


def image(title: str, said: str, parts: Iterable[str], *, height: float = HEIGHT) -> Markup:
    """An SVG image with its text alternative."""
    inside = "".join(parts)
    return Markup(  # noqa: S704 - all texts in the parts are escaped where they are made
        f'<svg viewBox="0 0 {WIDTH} {math.ceil(height)}" role="img" aria-label="{escape(clean(f"{title}. {said}"))}">'
        f"{inside}</svg>"
    )


def frame(x: Axis, y: Axis, numbers: Numbers, below: str, beside: str, *, top: float, bottom: float) -> Iterator[str]:
    """Two axes with their grid, numbers and titles."""
    yield from ruler(x, numbers, below, top=top, bottom=bottom)
    for value, shown in y.ticks(numbers):
        yield f'<path class="grid" d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}"/>'
        yield text(shown, LEFT - 5, y(value) + 4, anchor="end", kind="tick")
    yield text(shortened(beside, 40), 11, (top + bottom) / 2, anchor="middle", turned=True, kind="axis")


def ruler(x: Axis, numbers: Numbers, below: str, *, top: float, bottom: float) -> Iterator[str]:
    """The axis below a figure."""
    ticks = [*x.ticks(numbers)]
    for i, (value, shown) in enumerate(ticks):
        yield f'<path class="grid" d="M{x(value):.1f} {top:.1f}V{bottom:.1f}"/>'
        anchor = "end" if i == len(ticks) - 1 and x(value) > WIDTH - 20 else "middle" if x(value) > 20 else "start"
        yield text(shown, x(value), bottom + 15, anchor=anchor, kind="tick")
    yield f'<path class="base" d="M{x.start:.1f} {bottom:.1f}H{x.end:.1f}"/>'
    yield text(shortened(below, 60), (x.start + x.end) / 2, bottom + 33, anchor="middle", kind="axis")


def segment(one: tuple[float, float], other: tuple[float, float]) -> str:
    """A thin line to compare with."""
    return f'<path class="reference" d="M{place(*one)}L{place(*other)}"/>'


def place(x: float, y: float) -> str:
    """A place in an image."""
    return f"{x:.1f},{y:.1f}"


def text(words: str, x: float, y: float, *, anchor: str = "start", turned: bool = False, kind: str = "label") -> str:
    """Words in an image."""
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>{escape(clean(words))}</text>'


def shortened(words: str, most: int) -> str:
    """At most so many characters."""
    return words if len(words) <= most else words[: most - 1] + "…"
