"""Commands that say how good the data are."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..printing import say
from .app import command
from .flags import configured, flag, flags_of
from .screen import say_json
from .training import train

if TYPE_CHECKING:
    from ..config import Config

LABEL_ISSUES = "doubtful-labels.csv"
UNUSED = (
    "Training", "strategy", "head", "dropout", "overwrite", "resume", "quiet",
)  # fmt: skip
"""Flags of train, and panels of them, that have no effect on a check."""


@command(20)
@flags_of(train, unused=UNUSED)
def check(
    call: typer.Context,
    labels: Annotated[
        bool, typer.Option("--labels", help="Look for wrong labels too, and write them to --out for review.")
    ] = False,
    out: Annotated[str | None, flag("FILE", "File of the labels that are probably wrong.")] = None,
    **flags: Any,
) -> None:
    """Say what is wrong or odd about the data. The other flags of train are taken and change nothing."""
    report_on(configured(call.params), labels=labels, as_json=flags["as_json"])


def report_on(config: Config, *, labels: bool, as_json: bool) -> None:
    """Print the findings about the data; errors among them end with exit code 2.

    Args:
        config: As for a training.
        labels: Whether to look for wrong labels too, and write the label issues to `config.out`.
        as_json: One object instead of lines.
    """
    from ..quality import label_issues
    from ..quality.report import check

    report = check(config, labels=labels)
    if report.label_issues is not None:
        label_issues.write(report.label_issues, config.out or LABEL_ISSUES, data=config.data.train or "")
        note = f"doubtful labels, the worst first: {config.out or LABEL_ISSUES}"
        report = replace(report, notes=(*report.notes, note))
    if as_json:
        findings = [asdict(finding) for finding in report.findings]
        say_json({"examples": report.examples, "left_out": report.left_out, "findings": findings})
    else:
        say(str(report))
    if report.errors:
        raise typer.Exit(2)
