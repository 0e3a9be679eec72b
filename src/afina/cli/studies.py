"""Commands that measure claims about fine-tuning on the user's own data."""

from __future__ import annotations

import shlex
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConfigError, TrainingError, printable
from ..printing import say
from ..signals import EVERY, attended, signals
from ..work import drain
from .app import command
from .flags import configured, configured_trials, flag, flags_of
from .screen import say_json
from .training import one_file, train

if TYPE_CHECKING:
    from ..config import Config
    from ..studies.plan import StudyPlan

STUDY = "Study"
"""Panel of the help."""


def study_names() -> list[str]:
    """The studies, for the shell."""
    from ..studies.base import names

    return names()


@command(40)
@flags_of(train, unused=("overwrite", "resume", "strategy"))
def study(
    call: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="What to measure: strategies, data, convergence, rates, regularization, pooling, cost, transfer.",
        ),
    ],
    config: Annotated[str | None, typer.Argument(metavar="FILE", help="Training data, or settings (.yaml).")] = None,
    seeds: Annotated[int | None, flag("N", "Seeds of each recipe.", panel=STUDY, least=1)] = None,
    margin: Annotated[
        float | None, flag("X", "Difference of the score that does not matter.", panel=STUDY, least=0)
    ] = None,
    budget: Annotated[
        str | None, flag("TIME", "Time that it may take, such as 20m: the design is made to fit.", panel=STUDY)
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what it will take, and start nothing.", rich_help_panel=STUDY)
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, metavar="N", help="Trials at a time.", rich_help_panel=STUDY)] = 1,
    option: Annotated[list[str] | None, flag("NAME=VALUE", "Any option of the study; repeatable.", panel=STUDY)] = None,
    **flags: Any,
) -> None:
    """Measure a claim about fine-tuning on your own data. The same line goes on with a study that was stopped."""
    own = {"name", "seeds", "margin", "option", "jobs", "budget", "plan"}
    from ..studies import base

    asked = options(option or (), seeds=seeds, margin=margin)
    base.checked(base.find(name), asked)
    settled = configured_trials({key: value for key, value in call.params.items() if key not in own})
    silent, as_json = flags["quiet"], flags["as_json"]
    conduct(name, asked, settled, jobs=jobs, budget=budget, plan=plan, silent=silent, as_json=as_json)


def conduct(
    name: str,
    asked: Mapping[str, Any],
    config: Config,
    *,
    jobs: int,
    budget: str | None,
    silent: bool,
    as_json: bool,
    plan: bool = False,
) -> None:
    """Do a study, with lines on the screen, and print what it found.

    Args:
        name: Name of the study.
        asked: Its options.
        config: Checked configuration.
        jobs: Number of trials at a time.
        budget: Time that it may take.
        silent: Show nothing but the result.
        as_json: Print one JSON object.
        plan: Say what it will take, and start nothing.

    Raises:
        InputError: an option, data or model can't be used.
        TrainingError: a trial failed.
        KeyboardInterrupt: says how to go on.
    """
    from .. import evidence
    from ..studies import runner, view
    from ..studies.events import Concluded
    from ..studies.plan import plan_study, seconds_of
    from ..studies.study import opened

    seconds = None if budget is None else seconds_of(budget)
    folder = evidence.folder_of(config, name)
    about, notes = opened(config, folder, jobs=jobs)
    if plan:
        show_plan(drain(plan_study(name, asked, about, jobs=jobs, budget=seconds)), as_json=as_json)
        return
    run = runner.stream_study(name, asked, about, jobs=jobs, budget=seconds, notes=notes)
    events = evidence.with_page(run, about)
    shown = events if silent or as_json else view.lines(events, about, sys.stdout)
    try:
        with signals(*EVERY) as stop, closing(attended(shown, stop)) as stream:
            last = deque(stream, maxlen=1).pop()
    except KeyboardInterrupt as stopped:
        raise type(stopped)(f"go on with the same line; what is finished is in {shlex.quote(str(folder))}") from None
    if not isinstance(last, Concluded):
        raise TrainingError("the study ended without a result")
    if as_json:
        say_json({"folder": str(last.folder), **last.summary.record()})
    else:
        say(f"\n{evidence.StudyRun(last.folder, last.summary)}")


def plan_of(named: Sequence[str], flags: Mapping[str, Any]) -> None:
    """Print what a study will take, for `afina plan study NAME FILE`.

    Args:
        named: Name of the study, and perhaps a file.
        flags: The flags of the command.

    Raises:
        ConfigError: no study is named.
    """
    from .. import evidence
    from ..studies import base
    from ..studies.plan import plan_study
    from ..studies.study import opened

    if not named:
        raise ConfigError(f"plan: name a study: afina plan study NAME FILE; there are: {', '.join(base.names())}")
    name, *files = named
    base.find(name)
    settled = configured({**flags, "config": one_file(files)})
    about, _ = opened(settled, evidence.folder_of(settled, name))
    show_plan(drain(plan_study(name, {}, about)), as_json=flags["as_json"])


def show_plan(plan: StudyPlan, *, as_json: bool) -> None:
    """Print what a study will take."""
    from ..studies.plan import planned

    if as_json:
        say_json(planned(plan))
    else:
        say(str(plan))


def options(items: list[str] | tuple[str, ...], **named: Any) -> dict[str, Any]:
    """Options of a study from the flags.

    Raises:
        ConfigError: an `--option` without a value.
    """
    from ..yaml_files import parse_value

    found = {name: value for name, value in named.items() if value is not None}
    for item in items:
        name, sign, value = item.partition("=")
        if not sign:
            raise ConfigError(f"--option {printable(item)}: expected NAME=VALUE, for example --option rates=1e-4,2e-4")
        found[name.strip()] = parse_value(value)
    return found
