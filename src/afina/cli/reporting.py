"""The command that writes pages."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from ..printing import say
from .app import command
from .flags import flag, offer, run_names


@command(65)
def report(
    folders: Annotated[
        list[str],
        typer.Argument(
            metavar="FOLDER",
            help="Folder of a finished run or study; or of several runs, to see them side by side.",
            autocompletion=offer(run_names),
        ),
    ],
    language: Annotated[
        Literal["en", "pt"] | None, flag("en|pt", "Language of the page; by default that of the locale.")
    ] = None,
    slice_by: Annotated[
        list[str] | None,
        flag("COLUMN", "Column of the data by whose values scores are given, too; repeatable.", "--slice"),
    ] = None,
    explain: Annotated[
        int, flag("N", "Of a run: show the words that mattered for the first N errors, as its model weighs them.")
    ] = 0,
    out: Annotated[
        str | None, flag("FILE", "Where to write the page; by default report.html in the folder, or comparison.html.")
    ] = None,
) -> None:
    """Write the page of a finished run or study, or of several runs side by side."""
    from ..reporting.report import report as written

    say(str(written(*folders, language=language, slice_by=slice_by or (), explain=explain, out=out)))
