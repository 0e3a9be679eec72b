"""The command that writes the page of a run."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from ..printing import say
from .app import command
from .flags import flag, offer, run_names


@command(65)
def report(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Folder of a finished run.", autocompletion=offer(run_names))
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
    """Write the page of a finished run: scores, errors to read, curves, cost."""
    from ..reporting.run import report as written

    say(str(written(run, language=language, slice_by=slice_by or (), out=out)))
