"""The command that compares finished runs."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from ..printing import say
from .app import command
from .flags import JsonFlag, flag, offer, run_names
from .screen import say_json

GATE = "Gate"
"""Panel of the help."""


@command(66)
def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN", help="Folders of two or more runs, the oldest first.", autocompletion=offer(run_names)
        ),
    ],
    metric: Annotated[str | None, flag("NAME", "Metric to compare by; by default that which chose the epochs.")] = None,
    split: Annotated[
        Literal["test", "validation"], flag("NAME", "Rows to compare on: test, or validation, which is optimistic.")
    ] = "test",
    baseline: Annotated[
        str | None,
        flag("RUN", "Run that all others are compared with, or best; by default the first.", values=run_names),
    ] = None,
    margin: Annotated[
        float, typer.Option(min=0, metavar="X", help="Difference of the score that does not matter, such as 0.01.")
    ] = 0.0,
    gate: Annotated[
        str | None,
        flag(
            "RULES",
            "End with exit code 1 where the last run is significantly worse than the baseline by more than this, in "
            "points: 'accuracy -0.5, recall per label -2'.",
            panel=GATE,
        ),
    ] = None,
    gate_undecided: Annotated[
        Literal["pass", "fail"], flag("NAME", "What the gate does where the data can't tell: pass or fail.", panel=GATE)
    ] = "pass",
    page: Annotated[str | None, flag("FILE", "Write the page of the comparison, too.", "--report")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Compare finished runs on the same test rows, row by row."""
    from ..comparison.comparison import compare as compared

    report = compared(runs, split=split, metric=metric, baseline=baseline, margin=margin, gate=gate)
    if page is not None:
        from ..reporting.comparison import written

        written(report, out=page)
    if as_json:
        say_json(report.record())
    else:
        say(str(report))
        if page is not None:
            say(f"page: {page}")
    if report.gate is not None and not report.gate.passes(undecided=gate_undecided == "pass"):
        raise typer.Exit(1)
