"""The help of a command: its options in panels, each with an example, as plain text that a pipe can carry."""

from __future__ import annotations

import shlex
from typing import Any

from typer import BadParameter
from typer.core import TyperCommand, TyperOption

from ..errors import printable

OTHERS = "Options"
"""The panel of options that name none."""
EXAMPLES = {
    "text": "review",
    "label": "stars",
    "validation": "dev.csv",
    "test": "test.csv",
    "strategy": "last-2",
    "model": "xlm-roberta-base",
    "epochs": "3",
    "learning_rate": "2e-5",
    "patience": "2",
    "hold_out": "0.2",
    "group_by": "author",
    "on_bad_row": "skip",
    "delimiter": ";",
    "encoding": "cp1252",
    "out": "runs/first",
    "seed": "1",
}
"""An example of a value by the name of the parameter."""


class Command(TyperCommand):
    """A command whose help lists arguments first, then the options by panel, in the order in which they are defined."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except BadParameter as error:
            problems: Any = getattr(error.__cause__, "errors", None)
            if problems is not None:  # what pydantic says is for programmers
                from ..config import complaint

                problem = problems()[0]
                error.message = f"{complaint(problem)}, found {printable(problem['input'])}"
            raise

    def format_options(self, ctx: Any, formatter: Any) -> None:
        panels: dict[str, list[Any]] = {}
        for parameter in self.get_params(ctx):
            own = parameter.rich_help_panel or OTHERS if isinstance(parameter, TyperOption) else "Arguments"
            panels.setdefault(own, []).append(parameter)
        last = panels.pop(OTHERS, [])
        for panel, parameters in [*panels.items(), (OTHERS, last)]:
            records = [record for parameter in parameters if (record := parameter.get_help_record(ctx)) is not None]
            if records:
                with formatter.section(panel):
                    formatter.write_dl([(name.partition(" <")[0], text) for name, text in records])
                    if panel != OTHERS and (example := example_of(parameters)):
                        formatter.write_text(f"Example: {example}")


def example_of(parameters: list[Any]) -> str:
    """The options of a panel that have an example, as they are typed; empty without any."""
    shown = [
        f"{parameter.opts[0]} {shlex.quote(EXAMPLES[parameter.name])}"
        for parameter in parameters
        if isinstance(parameter, TyperOption) and not parameter.hidden and parameter.name in EXAMPLES
    ]
    return " ".join(shown)
