"""Commands that choose settings: advice on a data set, and a search."""

from __future__ import annotations

import shlex
from typing import Annotated, Any

import typer

from ..errors import ConfigError, printable
from ..printing import say
from .app import command
from .flags import configured_trials, flag, flags_of
from .screen import say_json
from .studies import STUDY, conduct
from .training import train


@command(15)
@flags_of(train, unused=("overwrite", "resume", "strategy", "learning_rate"))
def advise(
    call: typer.Context,
    config: Annotated[str | None, typer.Argument(metavar="FILE", help="Training data, or settings (.yaml).")] = None,
    budget: Annotated[str, flag("TIME", "Time that it may take, such as 20m.", panel=STUDY)] = "20m",
    margin: Annotated[float, flag("X", "Difference of the score that does not matter.", panel=STUDY, least=0)] = 0.01,
    write: Annotated[str, flag("FILE", "Configuration to write.", "--write", panel=STUDY)] = "advised.yaml",
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="Trials at a time.", rich_help_panel=STUDY)] = 1,
    **flags: Any,
) -> None:
    """Try what suits your data within a budget, and write a configuration that says why."""
    from .. import evidence

    own = {"budget", "margin", "write", "jobs"}
    settled = configured_trials({key: value for key, value in call.params.items() if key not in own})
    silent = flags["quiet"] or flags["as_json"]
    try:
        advice = evidence.advise(settled, budget=budget, margin=margin, write_to=write, jobs=jobs, progress=not silent)
    except KeyboardInterrupt as stop:
        raise type(stop)("go on with the same line; what is finished is kept") from None
    if flags["as_json"]:
        say_json(
            {
                "file": str(advice.file), "reasons": advice.reasons, "recommended": dict(advice.summary.recommended),
                "folder": str(advice.folder),
            }
        )  # fmt: skip
    else:
        say(f"\n{advice}")


@command(45)
@flags_of(train, unused=("overwrite", "resume"))
def sweep(
    call: typer.Context,
    config: Annotated[str | None, typer.Argument(metavar="FILE", help="Training data, or settings (.yaml).")] = None,
    search: Annotated[
        list[str] | None,
        flag("PATH=SPACE", "A setting and its values: 1e-5..1e-3, 2..8 or full,last-2; repeatable.", panel=STUDY),
    ] = None,
    trials: Annotated[int | None, flag("N", "Number of settings to try.", panel=STUDY, least=1)] = None,
    seeds: Annotated[int | None, flag("N", "Seeds of the comparison with the defaults.", panel=STUDY, least=1)] = None,
    margin: Annotated[
        float | None, flag("X", "Difference of the score that does not matter.", panel=STUDY, least=0)
    ] = None,
    budget: Annotated[str | None, flag("TIME", "Time that it may take, such as 20m.", panel=STUDY)] = None,
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="Trials at a time.", rich_help_panel=STUDY)] = 1,
    **flags: Any,
) -> None:
    """Search settings, and see whether they hold. The same line goes on with a search that was stopped."""
    own = {"search", "trials", "seeds", "margin", "budget", "jobs"}
    asked = {"trials": trials, "seeds": seeds, "margin": margin, "batch": jobs if jobs > 1 else None}
    options: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if search:
        options["search"] = spaces(search)
    settled = configured_trials({key: value for key, value in call.params.items() if key not in own})
    conduct("sweep", options, settled, jobs=jobs, budget=budget, silent=flags["quiet"], as_json=flags["as_json"])


def spaces(items: list[str]) -> dict[str, Any]:
    """What is searched, from the flags.

    Raises:
        ConfigError: a setting has no values.
    """
    from ..config import SHORT
    from ..yaml_files import parse_value

    found = {}
    for item in items:
        path, sign, value = item.partition("=")
        if not sign or not value.strip():
            example = shlex.quote("learning_rate=1e-5..1e-3")
            raise ConfigError(f"--search {printable(item)}: expected PATH=SPACE, for example --search {example}")
        found[SHORT.get(path.strip(), path.strip())] = parse_value(value)
    return found
