"""Figures: every value lies inside its axes, ticks cover the range, and what is no number is left out and counted."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.reporting.axes import axis_of
from afina.reporting.figures import HEIGHT, WIDTH, Bars, Drawing, Matrix, Points, bars, lines, matrix, points, thinned
from afina.reporting.numbers import Numbers
from afina.studies.summaries import Figure, Series

NUMBERS = Numbers("en")
ANY = st.floats(allow_nan=True, allow_infinity=True)
FINITE = st.floats(-1e12, 1e12)
EASE = 0.06
"""Places are written to a tenth of a unit."""


def tree(drawing: Drawing) -> ElementTree.Element:
    """The image as it is parsed, with its text alternative."""
    root = ElementTree.fromstring(str(drawing.svg))
    assert root.get("role") == "img"
    assert root.get("aria-label")
    return root


def inside(drawing: Drawing) -> ElementTree.Element:
    """The image, in which every mark lies inside."""
    root = tree(drawing)
    _, _, width, height = map(float, (root.get("viewBox") or "").split())
    for one in root.iter():
        for name, most in (("cx", width), ("cy", height), ("x", width), ("y", height)):
            value = one.get(name)
            if value is not None and one.tag != "text":
                assert -EASE <= float(value) <= most + EASE
        for pair in re.findall(r"[-\d.]+,[-\d.]+", one.get("points") or ""):
            x, y = map(float, pair.split(","))
            assert -EASE <= x <= width + EASE
            assert -EASE <= y <= height + EASE
    assert "nan" not in str(drawing.svg)
    assert "inf" not in re.sub(r'aria-label="[^"]*"', "", str(drawing.svg))
    return root


@given(st.lists(FINITE, min_size=1), st.booleans())
def test_an_axis_holds_all_values_and_its_ends_are_ticks(values: list[float], share: bool) -> None:
    axis = axis_of(values, 10, 300, share=share)
    room = 1e-6 * (axis.high - axis.low)
    assert axis.low - room <= min(values)
    assert max(values) <= axis.high + room
    ticks = [value for value, _ in axis.ticks(NUMBERS)]
    assert 2 <= len(ticks) <= 9
    assert ticks[0] == pytest.approx(axis.low, abs=room)
    assert ticks[-1] == pytest.approx(axis.high, abs=room)
    assert ticks == sorted(ticks)
    assert all(10 - EASE <= axis(value) <= 300 + EASE for value in values)


@given(st.lists(st.floats(1e-9, 1e9), min_size=1))
def test_a_logarithmic_axis_holds_all_values(values: list[float]) -> None:
    axis = axis_of(values, 10, 300, logarithmic=True)
    assert all(10 - EASE <= axis(value) <= 300 + EASE for value in values)
    ticks = [value for value, _ in axis.ticks(NUMBERS)]
    assert 2 <= len(ticks) <= 10
    assert all(axis.low * 0.999 <= value <= axis.high * 1.001 for value in ticks)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_an_axis_of_shares_stays_between_0_and_1(values: list[float]) -> None:
    axis = axis_of(values, 0, 100, share=True)
    if max(values) - min(values) > 1e-6:
        assert axis.low >= -1e-9
        assert axis.high <= 1 + 1e-9


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.0, 1.0], ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ([0.0, 1.25], ["0.00", "0.25", "0.50", "0.75", "1.00", "1.25"]),
        ([0, 5000], ["0", "1,000", "2,000", "3,000", "4,000", "5,000"]),
        ([0, 1e-4], ["0.00000", "0.00002", "0.00004", "0.00006", "0.00008", "0.00010"]),
    ],
)
def test_ticks_are_round(values: list[float], shown: list[str]) -> None:
    assert [text for _, text in axis_of(values, 0, 1).ticks(NUMBERS)] == shown


def test_ticks_are_written_in_the_language() -> None:
    shown = [text for _, text in axis_of([0, 0.5], 0, 1).ticks(Numbers("pt"))]
    assert shown == ["0,0", "0,1", "0,2", "0,3", "0,4", "0,5"]


@given(st.lists(st.tuples(ANY, ANY), max_size=40), st.booleans())
def test_lines_leave_out_what_is_no_number(rows: list[tuple[float, float]], logarithmic: bool) -> None:
    rows = [
        (x, y) for x, y in rows if not (math.isfinite(x) and abs(x) > 1e12) and not (math.isfinite(y) and abs(y) > 1e12)
    ]
    rows = [(x, y) for x, y in rows if not 0 < abs(x) < 1e-12 and not 0 < abs(y) < 1e-12]
    series = Series("a", [x for x, _ in rows], [y for _, y in rows])
    drawing = lines(Figure("t", "x", "y", [series], logarithmic), NUMBERS, dots=True)
    kept = [(x, y) for x, y in rows if math.isfinite(x) and math.isfinite(y) and (x > 0 or not logarithmic)]
    assert drawing.left_out == len(rows) - len(kept)
    assert len(inside(drawing).findall("circle")) == len(kept)


@given(st.lists(st.tuples(FINITE, FINITE, FINITE), min_size=1, max_size=30))
def test_bands_lie_inside(rows: list[tuple[float, float, float]]) -> None:
    rows = [(x, *sorted((a, b))) for x, a, b in rows]  # type: ignore[misc]
    middle = [(a + b) / 2 for _, a, b in rows]
    series = Series("a", [x for x, _, _ in rows], middle, [a for _, a, _ in rows], [b for _, _, b in rows])
    inside(lines(Figure("t", "x", "y", [series, series]), NUMBERS))


def test_bounds_that_are_unknown_are_the_value() -> None:
    series = Series("a", [1, 2, 3], [0.1, 0.2, 0.3], [0.0, math.nan, 0.2], [0.2, math.nan, 0.4])
    root = inside(lines(Figure("t", "x", "y", [series]), NUMBERS))
    assert len(root.findall("polygon")) == 1


@given(st.lists(st.tuples(st.text(max_size=60), ANY), max_size=12))
def test_bars_lie_inside(rows: list[tuple[str, float]]) -> None:
    rows = [(name, value) for name, value in rows if not (math.isfinite(value) and abs(value) > 1e12)]
    figure = Bars("t", "x", [name for name, _ in rows], [value for _, value in rows])
    drawing = bars(figure, NUMBERS)
    kept = [value for _, value in rows if math.isfinite(value)]
    assert drawing.left_out == len(rows) - len(kept)
    assert len(tree(drawing).findall("rect")) == len(kept)


def test_counts_have_whole_ticks() -> None:
    drawing = bars(Bars("t", "x", ["a", "b"], [2, 1], whole=True), NUMBERS)
    ticks = [one.text for one in tree(drawing).iter("text") if one.get("class") == "tick"]
    assert ticks == ["0", "1", "2"]


@given(st.lists(st.tuples(ANY, ANY), max_size=30))
def test_points_lie_inside(rows: list[tuple[float, float]]) -> None:
    rows = [row for row in rows if all(not math.isfinite(value) or 1e-12 < abs(value) < 1e12 for value in row)]
    drawing = points(Points("t", "x", "y", rows, diagonal=True, level=True), NUMBERS)
    kept = [row for row in rows if all(map(math.isfinite, row))]
    assert drawing.left_out == len(rows) - len(kept)
    assert len(inside(drawing).findall("circle")) == len(kept)


@given(st.integers(1, 14), st.data())
def test_a_matrix_shows_its_counts(size: int, data: st.DataObject) -> None:
    counts = data.draw(
        st.lists(st.lists(st.integers(0, 10**6), min_size=size, max_size=size), min_size=size, max_size=size)
    )
    names = [f"label {i}" for i in range(size)]
    root = inside(matrix(Matrix("t", "x", "y", names, names, counts), NUMBERS))
    assert len(root.findall("rect")) == size * size
    assert len([one for one in root.findall("rect") if "right" in (one.get("class") or "")]) == size


@pytest.mark.parametrize("words", ["<script>alert(1)</script>", '"onload="x', "a & b", "\u202e\u0000\ud800", "é" * 200])
def test_words_are_escaped(words: str) -> None:
    series = Series(words, [1, 2], [1, 2])
    for drawing in (
        lines(Figure(words, words, words, [series, series]), NUMBERS),
        bars(Bars(words, words, [words], [1]), NUMBERS),
        matrix(Matrix(words, words, words, [words], [words], [[1]]), NUMBERS),
        points(Points(words, words, words, [(1, 2)]), NUMBERS),
    ):
        root = tree(drawing)
        assert {one.tag for one in root.iter()} <= {"svg", "path", "text", "polyline", "polygon", "rect", "circle"}
        assert "\u202e" not in str(drawing.svg)


def test_long_lines_are_thinned_to_means() -> None:
    rows = thinned([(float(i), 2.0 * i) for i in range(1000)])
    assert len(rows) <= 400
    assert sum(y for _, y in rows) / len(rows) == pytest.approx(999, rel=0.01)


def test_a_figure_says_what_it_shows() -> None:
    drawing = lines(Figure("Loss", "step", "loss", [Series("training", [1, 9], [0.7, 0.1])]), NUMBERS)
    assert tree(drawing).get("aria-label") == "Loss. loss / step. training: 0.700 → 0.100 (0.100 – 0.700)"
    assert f'viewBox="0 0 {WIDTH} {HEIGHT}"' in str(drawing.svg)
