"""The command that writes pages."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from ..printing import say
from .app import command
from .flags import flag, offer, run_names


@command(65)
def report(
    folder: Annotated[
        str,
        typer.Argument(metavar="FOLDER", help="Folder of a finished run or study.", autocompletion=offer(run_names)),
    ],
    language: Annotated[
        Literal["en", "pt"] | None, flag("en|pt", "Language of the page; by default that of the locale.")
    ] = None,
    slice_by: Annotated[
        list[str] | None,
        flag("COLUMN", "Column of the data by whose values scores are given, too; repeatable.", "--slice"),
    ] = None,
    out: Annotated[str | None, flag("FILE", "Where to write the page; by default report.html in the folder.")] = None,
) -> None:
    """Write the page of a finished run (scores, errors, curves, cost) or study (figures, verdicts, trials)."""
    from ..reporting.report import report as written

    say(str(written(folder, language=language, slice_by=slice_by or (), out=out)))
