"""The page of a finished study: its figure and its verdicts first, then tables, trials, times, and how to repeat it."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ..config import Config
from ..errors import ConfigError, InputError
from ..studies.base import written
from ..studies.folder import STUDY, SUMMARY, StudyFolder
from ..studies.results import Result
from ..studies.summaries import Board, Figure, Series, Summary, Verdict
from ..tasks.base import find
from ..training import rundir
from ..training.resume import flat
from .blocks import Beside, Block, Cell, Chart, Code, Folded, Grid, Page, Prose, Ranged, Section
from .english import said, said_plainly
from .figures import lines
from .page import write
from .phrases import Words, clean, foreign, language_of

SIDE = 3
"""Most verdicts that stand beside the first figure; the others stand below it."""
MOST = 20
"""Rows of a table above which it is shown when somebody asks."""
DECIDED = ("out", "training.save", "training.report", "training.baseline", "training.threads", "training.precision")
"""Settings that a study decides for its trials."""
BOUNDS = ["low", "high"]
"""Columns of a table that are the interval of the one before them."""


def report(folder: str | Path, *, language: str | None = None, out: str | Path | None = None) -> Path:
    """Write the page of a finished study. It is one file that loads nothing.

    Args:
        folder: Folder of the study.
        language: `en` or `pt`; by default that of the locale.
        out: Where to write the page; by default `report.html` in the study's folder.

    Returns:
        Path of the page.

    Raises:
        ConfigError: the study is not finished, or a file of it is damaged.
        TrainingError: the page can't be written.
    """
    words, place = Words(language_of(language)), Path(folder)
    return write(page_of(place, words), words, Path(out) if out is not None else place / rundir.REPORT)


def page_of(path: Path, words: Words) -> Page:
    """The page of a study."""
    folder = StudyFolder(path)
    about = folder.about()
    if not folder.finished:
        raise ConfigError(f"{path}: an unfinished study (no {SUMMARY}); the line that started it goes on with it")
    missing = [name for name in ("study", "options", "config") if name not in about]
    if missing:
        raise ConfigError(f"{path / STUDY}: damaged: no {missing[0]}; remove the folder, and do the study again")
    summary = folder.found()
    parts: list[tuple[str, str, Sequence[Block]]] = [
        ("verdict", "part.found", verdicts(summary, words)),
        ("open", "part.open", left_open(summary, words)),
        ("tables", "part.tables", tables(summary.boards, words, "table")),
        (
            "figures",
            "part.figures",
            [chart(figure, words, number) for number, figure in enumerate(summary.figures[1:], 2)],
        ),
        ("notes", "part.notes", notes(summary, words)),
        ("recommended", "part.recommended", recommended(summary, about, words)),
        ("trials", "part.trials", trials(folder, about, words)),
        ("cost", "part.cost", tables(summary.times, words, "times")),
        ("again", "part.again", again(path, about, words)),
    ]
    sections = [Section(key, words(title), blocks) for key, title, blocks in parts if blocks]
    title = words("study.title", name=words.named("design", about["study"]), folder=path.absolute().name)
    return Page(title, sections, facts(folder, about, words), words.html("study.end"))


def facts(folder: StudyFolder, about: Mapping[str, Any], words: Words) -> Sequence[Markup | str]:
    """The line below the title: task, model, data, date."""
    config = about["config"]
    train = (config.get("data") or {}).get("train")
    names = [config.get("task"), (config.get("model") or {}).get("name"), train and Path(str(train)).name]
    told: list[Markup | str] = [foreign(name) for name in names if name]
    return [*told, words.numbers.date((folder.path / SUMMARY).stat().st_mtime)]


# ---------------------------------------------------------------------------------------------------------------------
# What was found.


def verdicts(summary: Summary, words: Words) -> Sequence[Block]:
    """The first figure with the verdicts beside it, or below it where they are many."""
    told = [verdict(one, words) for one in summary.verdicts]
    if not summary.figures:
        return told
    first = chart(summary.figures[0], words, 1)
    return [Beside(first, told[:SIDE]), *told[SIDE:]]


def verdict(one: Verdict, words: Words) -> Prose:
    """A claim, whether it was confirmed, what was measured, and what would decide it."""
    answer = words.named("answer", one.answer)
    html = Markup('<b>{}</b>: <span class="answer">{}</span><br>{}').format(
        said(one.claim, words), answer, said(one.sentence, words)
    )
    return Prose(html, f"verdict {one.answer.replace(' ', '-')}")


def left_open(summary: Summary, words: Words) -> Sequence[Block]:
    """The claims that were not confirmed, each with what would decide it."""
    rows: list[list[Cell]] = [
        [
            said(one.claim, words),
            Markup("{}").format(words.named("answer", one.answer)),
            said(one.decide, words) if one.decide else words.html("open.against"),
        ]
        for one in summary.verdicts
        if one.answer != "confirmed"
    ]
    if not rows:
        return []
    return [Grid([words("open.claim"), words("open.answer"), words("open.decide")], rows, "", words("open.caption"))]


def tables(boards: Sequence[Board], words: Words, name: str) -> list[Block]:
    """Tables of a study.

    Args:
        boards: The tables.
        words: The language of the page.
        name: Name of the files that they can be kept as, before their number.
    """
    grids = [table(board, words, f"{name}-{number}.csv") for number, board in enumerate(boards, 1)]
    return [Folded(grid.caption, [grid]) if len(grid.rows) > MOST else grid for grid in grids]


def table(board: Board, words: Words, file: str) -> Grid:
    """A table of a study. A score and its bounds share a column."""
    merged = [i for i in range(len(board.columns)) if list(board.columns[i + 1 : i + 3]) == BOUNDS]
    hidden = {place for i in merged for place in (i + 1, i + 2)}
    shown = [i for i in range(len(board.columns)) if i not in hidden]
    names = [
        words("study.interval", name=said_plainly(board.columns[i], words))
        if i in merged
        else said_plainly(board.columns[i], words)
        for i in shown
    ]
    rows: list[list[Cell]] = [
        [Ranged(*row[i : i + 3]) if i in merged and scored(row[i : i + 3]) else cell(row[i], words) for i in shown]
        for row in board.rows
    ]
    return Grid(names, rows, file, titled(clean(said_plainly(board.title, words))))


def scored(values: Sequence[Any]) -> bool:
    """Whether all values are numbers, or missing."""
    return all(value is None or isinstance(value, int | float) for value in values)


def cell(value: Any, words: Words) -> Cell:
    """A value of a table."""
    if isinstance(value, str):
        return said(value, words)
    return value if value is None or isinstance(value, int | float) else json.dumps(value)


def titled(text: str) -> str:
    """A title, which begins large unless it begins with a name, such as that of a metric."""
    return text if "_" in text.partition(" ")[0] else f"{text[:1].upper()}{text[1:]}"


def chart(figure: Figure, words: Words, place: int) -> Chart:
    """A figure of a study with its numbers."""
    series = [
        Series(said_plainly(one.name, words), *(list(map(number, part)) for part in values), points=one.points)
        for one in figure.series
        if (values := (one.x, one.y, one.low, one.high))
    ]
    title, x, y = (said_plainly(text, words) for text in (figure.title, figure.x, figure.y))
    own = Figure(title, x, y, series, figure.logarithmic)
    rows: list[list[Cell]] = []
    for one in series:
        for i, (across, value) in enumerate(zip(one.x, one.y, strict=True)):
            name = f"{one.name}: {one.points[i]}" if one.points else one.name
            bounds = (one.low[i], one.high[i]) if one.low and one.high else ()
            rows.append([name, int(across) if across.is_integer() else across, Ranged(value, *bounds)])
    grid = Grid([words("study.line"), x, y], rows, f"figure-{place}.csv")
    dots = max((len(one.x) for one in series), default=0) < 30
    return Chart(titled(title), lines(own, words.numbers, dots=dots), grid)


def number(value: Any) -> float:
    """A value of a record, in which nothing stands for what is no number."""
    return math.nan if value is None else float(value)


def notes(summary: Summary, words: Words) -> Sequence[Block]:
    """What else should be known."""
    return [Prose(said(f"{note[:1].upper()}{note[1:]}.", words)) for note in summary.notes]


def recommended(summary: Summary, about: Mapping[str, Any], words: Words) -> Sequence[Block]:
    """The command that trains with the recommended settings."""
    if not summary.recommended:
        return []
    chosen = {path: value for path, value in settings(about["config"]) if path not in summary.recommended}
    line = command("afina train", {**chosen, **summary.recommended})
    return [Prose(words.html("recommended.how")), Code(line)]


# ---------------------------------------------------------------------------------------------------------------------
# What was done.


def trials(folder: StudyFolder, about: Mapping[str, Any], words: Words) -> Sequence[Block]:
    """All trials with their scores."""
    found = sorted(folder.results(), key=lambda one: (one.trial.recipe, one.trial.seed))
    if not found:
        return []
    metric = ((about["config"].get("training") or {}).get("metric")) or next(
        (str(one.record["best"]["metric"]) for one in found if known(one)), ""
    )
    rows: list[list[Cell]] = []
    for one in found:
        record = one.record if known(one) else {}
        score = [((record.get(split) or {}).get("metrics") or {}).get(metric) for split in ("validation", "test")]
        state = (
            words.html("trial.gone")
            if one.done and not record
            else Markup("{}").format(words.named("trial", one.state))
        )
        rows.append([one.trial.recipe, one.trial.seed, state, *score, one.seconds if record else None])
    splits = [
        words("trial.score", metric=words.named("metric", metric), split=words(f"split.{name}"))
        for name in ("validation", "test")
    ]
    names = [words("trial.recipe"), words("trial.seed"), words("trial.state"), *splits, words("trial.seconds")]
    done = sum(one.done for one in found)
    count = words.html("trial.count", trials=words.numbers.whole(len(found)), done=words.numbers.whole(done))
    grid = Grid(names, rows, "trials.csv", words("trial.caption"))
    return [Prose(count), Folded(words("trial.all"), [grid])]


def known(one: Result) -> bool:
    """Whether a trial came to its end, and its folder is still there."""
    return one.done and one.run.finished


def again(path: Path, about: Mapping[str, Any], words: Words) -> Sequence[Block]:
    """The command that does the study again, and what it was asked."""
    options = {name: value for name, value in about["options"].items() if value not in (None, [], {})}
    line = command(f"afina study {shlex.quote(str(about['study']))}", dict(settings(about["config"])))
    line += "".join(f" \\\n  --option {shlex.quote(f'{name}={written(value)}')}" for name, value in options.items())
    line += f" \\\n  --out {shlex.quote(str(path) + '-again')}"
    in_memory = not (about["config"].get("data") or {}).get("train")
    asked = json.dumps(about, indent=2, ensure_ascii=False)
    return [
        Prose(words.html("again.study")),
        *([Prose(words.html("again.in_memory"), "note")] if in_memory else []),
        Code(line),
        Folded(words("again.asked"), [Code(asked)]),
    ]


def settings(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The settings of a study that are not their defaults."""
    usual = dict(flat(Config().model_dump(mode="json", exclude={"options"})))
    with suppress(InputError, ValueError):  # a task that is not installed, or options that have no defaults
        options = find(str(config.get("task"))).Options().model_dump(mode="json")
        usual |= {f"options.{name}": value for name, value in options.items()}
    for path, value in flat(config):
        # An empty list or mapping asks for nothing.
        if value != [] and path not in DECIDED and value is not None and usual.get(path) != value:
            yield path, value


def command(name: str, settings: Mapping[str, Any]) -> str:
    """A command with settings, one a line."""
    lines = [f"--set {shlex.quote(f'{path}={written(value)}')}" for path, value in settings.items()]
    return " \\\n  ".join([name, *lines])
