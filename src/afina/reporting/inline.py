"""Figures by themselves, without a page, such as in a notebook: all that they look like stands in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path

from ..errors import ConfigError
from ..studies.summaries import Summary
from .blocks import Chart
from .curves import logged, losses, scores
from .figures import WIDTH
from .phrases import Words, clean
from .source import outlined
from .study import chart

COLOURS = ("#2a7cc7", "#d2691e", "#2e9160", "#b04fa3", "#948216", "#cc4650")
"""Colours of lines that can be seen on white and on black. Letters and axes have the colour of the text around them."""
DASHES = ("", "7 3", "2 2", "9 3 2 3", "4 2", "12 4")
LOOKS = {
    "grid": "stroke:currentColor;stroke-opacity:.15;fill:none",
    "base": "stroke:currentColor;stroke-opacity:.6;fill:none",
    "reference": "stroke:currentColor;stroke-opacity:.6;stroke-dasharray:3 3;fill:none",
    "line": "fill:none;stroke-width:1.8;stroke-linejoin:round",
    "whisker": "fill:none;stroke:currentColor;stroke-width:1.4",
    "band": "fill-opacity:.16",
    "tick": "fill-opacity:.7",
    "axis": "fill-opacity:.7",
}
"""How the parts of a figure look, by their class; other parts have no look of their own."""
CLASSES = re.compile(r' class="([a-z0-9 ]*)"')


@dataclass(frozen=True, slots=True, repr=False)
class Inline:
    """A figure that a notebook shows.

    Attributes:
        title: What it shows.
        svg: The image, which needs no style from outside.
    """

    title: str
    svg: str

    def __repr__(self) -> str:
        said = re.search(r'aria-label="([^"]*)"', self.svg)
        return unescape(said[1]) if said else self.title

    def _repr_html_(self) -> str:
        return f"<div><b>{escape(clean(self.title))}</b>{self.svg}</div>"


def inline(one: Chart) -> Inline:
    """A figure of a page by itself."""
    svg = CLASSES.sub(lambda match: f' style="{look(match[1].split())}"', str(one.drawing.svg))
    size = f'width="{WIDTH}" style="display:block;max-width:100%;height:auto;font:11.5px sans-serif;fill:currentColor"'
    return Inline(one.title, svg.replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" {size} ', 1))


def look(classes: Sequence[str]) -> str:
    """How a part with some classes looks."""
    kind, *others = classes
    looks = [LOOKS[kind]] if kind in LOOKS else []
    for one in others:
        if one[0] == "c" and one[1:].isdecimal():
            number = int(one[1:])
            looks.append(f"{'stroke' if kind in ('line', 'whisker') else 'fill'}:{COLOURS[number]}")
            looks += [f"stroke-dasharray:{DASHES[number]}"] if kind == "line" and DASHES[number] else []
    return ";".join(looks)


def side_by_side(figures: Sequence[Inline]) -> str:
    """Figures as HTML, beside each other where there is room."""
    inside = "".join(figure._repr_html_() for figure in figures)
    return f'<div style="display:flex;flex-wrap:wrap;gap:1em">{inside}</div>'


def figures_of_run(folder: Path, *, language: str = "en") -> list[Inline]:
    """The losses and the validation scores of a finished run.

    Raises:
        ConfigError: there is no finished run, or a file of it is damaged; names the file.
    """
    words, source = Words(language), outlined(folder)
    steps, evaluations = logged(source, words), list(source.run.evaluations())
    blocks = [*losses(steps, evaluations, words), *scores(source, evaluations, words)]
    return [inline(one) for one in blocks if isinstance(one, Chart)]


def figure_of_study(summary: Summary, number: int = 1, *, language: str = "en") -> Inline:
    """A figure of a study.

    Args:
        summary: What the study found.
        number: Number of the figure, from 1, the most important one.
        language: `en` or `pt`.

    Raises:
        ConfigError: there is no such figure.
    """
    count = len(summary.figures)
    if not count:
        raise ConfigError("figure: this study has none; its tables say it all")
    if not 1 <= number <= count:
        raise ConfigError(f"figure: expected a number from 1 to {count}, found {number}")
    return inline(chart(summary.figures[number - 1], Words(language), number))
