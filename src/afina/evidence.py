"""Studies from Python: what afina measures about fine-tuning on the user's own data."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .api import configured
from .config import Config
from .errors import ConfigError, TrainingError
from .printing import Block, Shown, as_html
from .signals import attended, interrupts

if TYPE_CHECKING:
    from .reporting.inline import Inline
    from .studies.advice import Advice
    from .studies.events import StudyEvent
    from .studies.study import Study
    from .studies.summaries import Summary


@dataclass(frozen=True, slots=True, repr=False)
class StudyRun(Shown):
    """A finished study. `print` shows what the command line shows, and a notebook tables.

    Attributes:
        folder: Where everything lies.
        summary: What was found.
    """

    folder: Path
    summary: Summary

    def __repr__(self) -> str:
        return f"StudyRun({self.folder}: {self.summary!r})"

    def blocks(self) -> Iterator[Block]:
        """The summary, and where the study lies."""
        from .training.rundir import REPORT

        yield from self.summary.blocks()
        yield ""
        yield f"study: {self.folder}"
        if (self.folder / REPORT).exists():
            yield f"page:  {self.folder / REPORT}"

    def report(self, **more: Any) -> Path:
        """Write the page of the study (report.html), and return its path.

        Args:
            more: Arguments of `afina.report` that a study has: `language`, `out`.
        """
        from .reporting.study import report

        return report(self.folder, **more)

    def figure(self, number: int = 1) -> Inline:
        """A figure that a notebook shows.

        Args:
            number: Its number, from 1, the most important one.

        Raises:
            ConfigError: there is no such figure.
        """
        from .reporting.inline import figure_of_study

        return figure_of_study(self.summary, number)

    def _repr_html_(self) -> str:
        figure = self.figure()._repr_html_() if self.summary.figures else ""
        return figure + as_html(self.blocks())


def study(
    name: str,
    config: str | Path | Config | None = None,
    *,
    seeds: int | None = None,
    margin: float | None = None,
    options: Mapping[str, Any] | None = None,
    jobs: int = 1,
    budget: str | None = None,
    on_event: Callable[[StudyEvent], None] | None = None,
    progress: bool = True,
    **settings: Any,
) -> StudyRun:
    """Measure a claim about fine-tuning on the user's own data.

    The same call with the same `out` goes on with a study that was stopped; what is finished is not repeated. With more
    seeds or other values of the options it adds what is missing.

    Args:
        name: Name of the study: `strategies`, `data`, `convergence` ...
        config: A YAML file, or a configuration; settings override it.
        seeds: Number of seeds of each recipe.
        margin: Difference of the score that does not matter.
        options: Other options of the study, by name.
        jobs: Number of trials at a time, each in a process of its own, which share the CPU threads.
        budget: Time that it may take (`90s`, `20m`, `2h`): the design is made to fit, and what is left out is said.
        on_event: Is called with everything that the study says (`afina.studies.events`).
        progress: Whether to show it on standard error while it goes on.
        settings: As those of `afina.train`.

    Raises:
        InputError: the study, an option, configuration, data or model can't be used; nothing was started.
        TrainingError: a trial failed.
        KeyboardInterrupt: it was interrupted; the same call goes on.
    """
    from .studies import base, runner
    from .studies.plan import seconds_of
    from .studies.study import opened

    given = {"seeds": seeds, "margin": margin}
    asked = {**{key: value for key, value in given.items() if value is not None}, **(options or {})}
    base.checked(base.find(name), asked)
    settled, sources = configured(config, settings)
    settled = for_trials(settled, asked=isinstance(config, Config) or asks_to_track(settings))
    if jobs > 1 and sources:
        raise ConfigError(
            f"jobs: data in memory ({', '.join(sources)}) can't be shared; write them to a file, or jobs=1"
        )
    seconds = None if budget is None else seconds_of(budget)
    about, notes = opened(settled, folder_of(settled, name), sources, jobs=jobs)
    events = runner.stream_study(name, asked, about, jobs=jobs, budget=seconds, notes=notes)
    return followed(events, about, on_event=on_event, progress=progress)


def followed(
    events: Generator[StudyEvent, None, None],
    about: Study,
    *,
    on_event: Callable[[StudyEvent], None] | None,
    progress: bool,
) -> StudyRun:
    """Follow a study to its end, and show it on standard error."""
    from .studies import view
    from .studies.events import Concluded

    events = with_page(events, about)
    shown = view.lines(events, about, sys.stderr) if progress else events
    with interrupts() as stop, closing(attended(shown, stop)) as stream:
        for event in stream:
            if on_event is not None:
                on_event(event)
            if isinstance(event, Concluded):
                return StudyRun(event.folder, event.summary)
    raise TrainingError("the study ended without a result")


def with_page(events: Generator[StudyEvent, None, None], about: Study) -> Generator[StudyEvent, None, None]:
    """A study that ends with its page, unless its user does without (`report: off`)."""
    from .reporting.ending import with_page as ending

    return ending(events) if about.asked.training.report == "on" else events


def advise(
    config: str | Path | Config | None = None,
    *,
    budget: str = "20m",
    margin: float = 0.01,
    write_to: str | Path = "advised.yaml",
    jobs: int = 1,
    on_event: Callable[[StudyEvent], None] | None = None,
    progress: bool = True,
    **settings: Any,
) -> Advice:
    """Look at data, run the cheapest study that decides within a budget, and write a configuration that says why.

    Args:
        config: A YAML file, or a configuration; settings override it.
        budget: Time that it may take (`90s`, `20m`, `2h`).
        margin: Difference of the score that does not matter.
        write_to: File of the configuration.
        jobs: Number of trials at a time.
        on_event: Is called with everything that the study says.
        progress: Whether to show it on standard error while it goes on.
        settings: As those of `afina.train`.

    Raises:
        InputError: configuration, data or model can't be used, or the budget is too small.
        TrainingError: a trial failed, or the configuration can't be written.
        KeyboardInterrupt: it was interrupted; the same call goes on.
    """
    from .studies import advice, runner
    from .studies.plan import seconds_of
    from .studies.strategies import usual
    from .studies.study import opened

    settled, sources = configured(config, settings)
    file = advice.writable(Path(write_to))
    settled = for_trials(settled, asked=isinstance(config, Config) or asks_to_track(settings))
    folder = Path(settled.out or f"runs/advice-{settled.task}")
    about, notes = opened(settled, folder, sources, jobs=jobs)
    options = {"names": advice.candidates(about, usual(about)), "margin": margin}
    events = runner.stream_study(
        "strategies", options, about, jobs=jobs, budget=seconds_of(budget), kept=("margin",), notes=notes
    )
    run = followed(events, about, on_event=on_event, progress=progress)
    facts = advice.facts_of(about)
    reasons = advice.reasons_for(about, facts, run.summary)
    try:
        advice.written(about, run.summary, reasons, file)
    except OSError as error:
        raise TrainingError(f"{file}: can't be written: {error.strerror or error}") from None
    return advice.Advice(file, facts, reasons, run.summary, run.folder)


def for_trials(config: Config, *, asked: bool) -> Config:
    """The configuration of the trials of a study: none is tracked, unless the call itself asks for that.

    Raises:
        InputError: a tracker that is asked for is not there.
    """
    from .tracking.base import check

    track = config.training.track if asked else []
    check(track)
    return config.model_copy(update={"training": config.training.model_copy(update={"track": track})})


def asks_to_track(settings: Iterable[str]) -> bool:
    """Whether settings by path, or by their short names, ask for trackers."""
    return not {"track", "training.track"}.isdisjoint(name.replace("__", ".") for name in settings)


def folder_of(config: Config, name: str) -> Path:
    """The folder of a study: the given one, or runs/study-NAME-TASK."""
    return Path(config.out or f"runs/study-{name}-{config.task}")
