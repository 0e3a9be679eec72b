"""Commands that say how good the data are."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .app import command
from .flags import configured, flags_of
from .screen import say_findings, say_json
from .training import train

if TYPE_CHECKING:
    from ..config import Config

SUSPECTS = "doubtful-labels.csv"


@command(20)
@flags_of(train)
def check(
    call: typer.Context,
    labels: Annotated[
        bool, typer.Option("--labels", help="Look for wrong labels too, and write them to --out for review.")
    ] = False,
    **flags: Any,
) -> None:
    """Say what is wrong or odd about the data. The flags are those of train."""
    judge_data(configured(call.params), labels=labels, as_json=flags["as_json"])


def judge_data(config: Config, *, labels: bool, as_json: bool) -> None:
    """Print the findings about the data; errors among them end with exit code 2.

    Args:
        config: As for a training.
        labels: Whether to look for wrong labels too, and write the suspects to `config.out`.
        as_json: One object instead of lines.
    """
    from ..data.judge import judge
    from ..data.near import look_for_near
    from ..data.parts import gather
    from ..model.families import locate

    locate(config.model.name)
    data, problems = gather(config)
    findings = [*judge(data.task, data.parts, problems, data.left_out), *look_for_near(data.parts)]
    if not problems:
        from ..training.lengths import judge_tokens

        findings += judge_tokens(config, data)
        if labels:
            from ..training import suspects

            found = suspects.suspects(config, data)
            suspects.write(found, config.out or SUSPECTS, data=config.data.train or "")
            findings += found.findings()
            data.notes.append(f"doubtful labels, the worst first: {config.out or SUSPECTS}")
    if as_json:
        counts = {name: len(examples) for name, examples in data.parts.items()}
        left_out = {name: len(records) for name, records in data.left_out.items()}
        say_json({"examples": counts, "left_out": left_out, "findings": [asdict(one) for one in findings]})
    else:
        say_findings(data.notes, findings)
    if any(one.severity == "error" for one in findings):
        raise typer.Exit(2)
