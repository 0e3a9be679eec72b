"""The page of a finished run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ..training import rundir
from .answers import Answers
from .blocks import Block, Page, Section
from .certainty import certainty
from .classes import Classes
from .columns import columns
from .curves import curves
from .errors import Weights, errors, near_duplicates
from .findings import findings
from .kinds import Kind, breakdown_grid
from .label_sets import LabelSets
from .lengths import lengths
from .overview import Overview
from .page import write
from .phrases import Words, foreign, language_of
from .quantities import Quantities
from .slices import slices
from .source import Item, Source, opened
from .spans import Spans
from .tags import Tags
from .training_facts import again, cost, trained_on
from .verdict import verdict
from .weights import explained


class Others(Kind):
    """Answers of a kind that this page knows nothing of, such as those of other packages' tasks."""

    def add(self, item: Item) -> None:
        """Nothing is counted."""

    def blocks(self) -> Sequence[Block]:
        return breakdown_grid(self.source, self.words)


def report(
    run: str | Path,
    *,
    language: str | None = None,
    slice_by: Sequence[str] = (),
    data: Mapping[str, Any] | None = None,
    explain: int = 0,
    weights: Weights | None = None,
    out: str | Path | None = None,
) -> Path:
    """Write the page of a finished run: scores, errors to read, curves, cost. It is one file that loads nothing.

    Args:
        run: Folder of the run.
        language: `en` or `pt`; by default that of the locale.
        slice_by: Columns of the data by whose values scores are given, too.
        data: The data of the run by split, where they were given in memory; only `slice_by` reads them.
        explain: Number of errors whose words are weighed by the run's model. A training ends without: of a long text it
            takes longer than the prediction by the number of its words.
        weights: Gives what the words of an example counted for its answer, in place of the run's model.
        out: Where to write the page; by default `report.html` in the run's folder.

    Returns:
        Path of the page.

    Raises:
        ConfigError: there is no such run, a file of it is damaged, or a column is unknown.
        TrainingError: the page can't be written.
    """
    words = Words(language_of(language))
    source = opened(Path(run))
    if explain and weights is None:
        weights = explained(source, explain)
    page = page_of(source, words, slice_by=slice_by, data=data, weights=weights)
    return write(page, words, Path(out) if out is not None else source.run.path / rundir.REPORT)


def page_of(
    source: Source,
    words: Words,
    *,
    slice_by: Sequence[str] = (),
    data: Mapping[str, Any] | None = None,
    weights: Weights | None = None,
) -> Page:
    """The page of a run; arguments are those of `report`."""
    overview, places, groups = Overview(), list[str](), list[str | None]()
    kind: Kind | None = None
    for item in source.items():
        kind = kind or kind_of(item)(source, words)
        kind.add(item)
        overview.add(item)
        if slice_by:
            places.append(item.example.place)
        if source.config.data.group_by:
            groups.append(item.example.group)
    kind = kind or Others(source, words)
    groupings = dict(kind.groupings())
    if any(groups):
        groupings[str(source.config.data.group_by)] = [group or words("slices.empty") for group in groups]
    groupings |= columns(source, places, slice_by, words, data)
    parts: list[tuple[str, str, Sequence[Block]]] = [
        ("verdict", "part.verdict", verdict(source, words, kind)),
        ("answers", kind.title, kind.blocks()),
        ("slices", "part.slices", slices(source, overview, words, groupings)),
        (
            "errors",
            "part.errors",
            [*errors(source, words, kind, overview, weights), *near_duplicates(source, words, kind, overview)],
        ),
        ("certainty", "part.certainty", certainty(source, words)),
        ("training", "part.training", curves(source, words)),
        ("settings", "part.settings", trained_on(source, words)),
        ("data", "part.data", [*findings(source, words), *lengths(source, overview, words)]),
        ("cost", "part.cost", cost(source, words)),
        ("again", "part.again", again(source, words)),
    ]
    sections = [Section(key, words(title), blocks) for key, title, blocks in parts if blocks]
    return Page(words("page.title", name=source.name), sections, about(source, words), words.html("page.end"))


def about(source: Source, words: Words) -> Sequence[Markup | str]:
    """The line below the title: task, model, strategy, date."""
    config = source.config
    moment = (source.run.path / rundir.RUN).stat().st_mtime
    facts: list[Markup | str] = [foreign(one) for one in (config.task, config.model.name, config.strategy)]
    return [*facts, words("page.seed", seed=config.seed), words.numbers.date(moment)]


def kind_of(item: Item) -> type[Kind]:
    """The kind of answers that an example shows."""
    prediction, target, said = item.prediction, item.target, item.said
    kinds: list[tuple[type[Kind], bool]] = [
        (Answers, "answer" in prediction and "start" in prediction),
        (Spans, "entities" in prediction),
        (Tags, "tags" in prediction),
        (LabelSets, isinstance(said, list) and isinstance(target, list)),
        (Classes, isinstance(said, str) and isinstance(target, str)),
        (Quantities, isinstance(said, int | float) and isinstance(target, int | float)),
    ]
    return next((kind for kind, suits in kinds if suits), Others)
