"""What a study will take before anything starts, and how it is made to fit a budget.

The design is gone through with results that are assumed: every trial scores the same. It then asks for as many trials
as it will with real ones, though perhaps of another recipe. A few steps of each kind of trial are tried.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from ..errors import ConfigError, printable
from ..metrics.kinds import Array
from ..printing import Block, Shown, Table, duration, many
from ..training.events import Progress
from ..training.plan import Plan
from ..training.plan import plan as plan_run
from ..training.rundir import RunFolder
from . import base
from .folder import StudyFolder
from .results import Result, Results
from .study import Study
from .trials import Trial

ALIKE = ("training.learning_rate", "training.head_learning_rate", "data.sample_seed", "training.weight_decay")
"""Settings that change nothing about what a trial takes."""
FROZEN = "frozen part"
DECIDE = ("strategy", "model.name", "model.weights", "model.head", "model.max_length", "data.sample", "options.")
"""What decides the states of a frozen part, as the settings of studies begin; other settings leave them as they are."""
OVERHEAD = ("load", "hash", FROZEN, "train", "validate", "evaluate", "save")
"""Parts of a run that every trial does; what comes before is shared."""
FEWEST = {"seeds": 2}
"""Fewest that a budget leaves of the options that are numbers."""
UNITS = {"s": 1, "m": 60, "h": 3600}
LOGS = 1e6
"""Bytes that a trial leaves on the disk, about."""


class Unknown(Exception):
    """A result was asked for that no plan can know."""


@dataclass(frozen=True)
class Assumed(Result):
    """The result of a trial that was not done: its scores are those of all others."""

    @cached_property
    def record(self) -> dict[str, Any]:
        return {}

    @cached_property
    def evaluations(self) -> list[dict[str, Any]]:
        raise Unknown

    @cached_property
    def losses(self) -> list[float]:
        raise Unknown

    def score(self, split: str, metric: str) -> float:
        return 0.5

    def table(self, split: str) -> dict[str, Array]:
        raise Unknown

    def groups(self, split: str) -> Array | None:
        raise Unknown


class Unmeasured(dict[str, Any]):
    """The values of measurements that were not done."""

    def __missing__(self, name: str) -> Any:
        raise Unknown


@dataclass(frozen=True, slots=True)
class Kind:
    """Trials that take the same.

    Attributes:
        what: Their settings, in words.
        trials: Number of trials that are not finished.
        seconds: Expected seconds of one, without early stopping.
        disk: Bytes that one needs on the disk while it runs.
        once: Expected seconds of their frozen parts, which the first trials leave on the disk for all others.
    """

    what: str
    trials: int
    seconds: float
    disk: float
    once: float = 0.0


@dataclass(frozen=True, slots=True, repr=False)
class StudyPlan(Shown):
    """What a study will take. `print` shows it in words, and a notebook a table.

    Attributes:
        kinds: The trials, those that take the same together.
        finished: Number of trials that are finished.
        jobs: Number of trials at a time.
        whole: Whether the design was gone through to its end; else it may ask for more.
        options: The options of the study.
        left_out: What was left out to fit the budget, in words.
    """

    kinds: Sequence[Kind]
    finished: int
    jobs: int
    whole: bool
    options: Mapping[str, Any]
    left_out: Sequence[str] = ()

    def __repr__(self) -> str:
        return f"StudyPlan({many(self.trials, 'trial')}, about {duration(self.seconds)})"

    @property
    def trials(self) -> int:
        """Number of trials that are not finished."""
        return sum(kind.trials for kind in self.kinds)

    @property
    def seconds(self) -> float:
        """Expected seconds of all, without early stopping. What runs side by side is slower by the threads it lacks."""
        return sum(kind.trials * kind.seconds + kind.once for kind in self.kinds)

    @property
    def disk(self) -> float:
        """Bytes on the disk: the logs of all, and what the largest trials at a time need."""
        largest = max((kind.disk for kind in self.kinds), default=0.0)
        return LOGS * (self.trials + self.finished) + self.jobs * largest

    @property
    def sentences(self) -> list[str]:
        """What it takes, and what was left out, in lines."""
        done = f", {self.finished:,} more are finished" if self.finished else ""
        least = "" if self.whole else "at least "
        total = f"{many(self.trials, 'trial')}{done}: {least}about {duration(self.seconds)} before early stopping"
        return [total, *([f"left out to fit the budget: {', '.join(self.left_out)}"] if self.left_out else [])]

    def blocks(self) -> Iterator[Block]:
        """A table of the trials, and what they take together."""
        rows = [[kind.what, kind.trials, duration(kind.seconds), duration(kind.once)] for kind in self.kinds]
        yield Table(["trials", "number", "each about", "frozen part, once"], rows)
        yield ""
        yield from self.sentences
        yield f"disk: about {self.disk / 1e6:,.0f} MB"


def plan_study(
    name: str,
    options: Mapping[str, Any],
    study: Study,
    *,
    jobs: int = 1,
    budget: float | None = None,
    kept: Collection[str] | None = None,
) -> Generator[Progress, None, StudyPlan]:
    """What a study will take, and the options that fit a budget.

    Args:
        name: Name of the design.
        options: Its options.
        study: What it is about.
        jobs: Number of trials at a time.
        budget: Seconds that it may take; None for any number.
        kept: Options that a budget does not reduce; by default those that are given.

    Raises:
        ConfigError: an option can't be used, or nothing fits the budget.
    """
    design = base.find(name)
    chosen, left_out = base.checked(design, options), list[str]()
    known: dict[str, Plan] = {}
    while True:
        trials, finished, whole = asked(design(study, **chosen), StudyFolder(study.folder))
        kinds = yield from costs(trials, study, known)
        found = StudyPlan(kinds, finished, jobs, whole, chosen, left_out)
        if budget is None or found.seconds <= budget:
            return found
        smaller = reduced(
            chosen,
            kept=options if kept is None else kept,
            least=lambda name, values: base.least_important(design, name, values, study),
        )
        if smaller is None:
            raise ConfigError(
                f"budget: {duration(budget)} is too little: the smallest design takes about {duration(found.seconds)}; "
                f"give more (--budget {flag_of(found.seconds)}), or take fewer epochs (--epochs N) or rows (--sample N)"
            )
        chosen, line = smaller
        left_out.append(line)


def asked(design: base.Design, folder: StudyFolder) -> tuple[list[Trial], int, bool]:
    """Trials that a design asks for and that are not finished, the number of those that are, and whether it ended."""
    trials: dict[str, Trial] = {}
    results: dict[str, Result] = {}
    with closing(design):
        try:
            wanted = next(design)
            while True:
                for trial in [one for one in wanted if isinstance(one, Trial) and one.name not in results]:
                    result = folder.result(trial)
                    if result is None:
                        trials[trial.name] = trial
                        result = Assumed(trial, "done", RunFolder(folder.run(trial)))
                    results[trial.name] = result
                wanted = design.send(Results(dict(results), Unmeasured()))
        except (StopIteration, Unknown):
            whole = True
        except (LookupError, ValueError, ArithmeticError, TypeError):  # it computes with what is not known
            whole = False
    return list(trials.values()), len(results) - len(trials), whole


def costs(trials: Sequence[Trial], study: Study, known: dict[str, Plan]) -> Generator[Progress, None, list[Kind]]:
    """What trials take, those that take the same together. Each kind is tried once and remembered."""
    kinds: dict[str, Trial] = {}
    counts: Counter[str] = Counter()
    for trial in trials:
        what = kind_of(trial)
        kinds.setdefault(what, trial)
        counts[what] += 1
    for number, (what, trial) in enumerate(kinds.items()):
        if what not in known:
            yield Progress("plan", number / len(kinds))
            config = study.configured(trial.overrides)
            data = study.data_for(config)
            known[what] = plan_run(config, data, ready=study.ready(config, data))
    once: dict[str, float] = defaultdict(float)
    for trial in {states_of(trial): trial for trial in reversed(trials)}.values():
        what = kind_of(trial)
        once[what] += known[what].parts.get(FROZEN, 0.0) if known[what].shared else 0.0
    return [
        Kind(what, count, seconds_of_each(known[what]), known[what].disk, once[what]) for what, count in counts.items()
    ]


def seconds_of_each(plan: Plan) -> float:
    """Expected seconds of a trial. What it shares with others is counted apart."""
    return sum(plan.parts.get(part, 0.0) for part in OVERHEAD if not (part == FROZEN and plan.shared))


def states_of(trial: Trial) -> tuple[tuple[str, str], ...]:
    """What decides the states of a trial's frozen part: its strategy, model and data."""
    own = {path: str(value) for path, value in trial.settings.items() if path.startswith(DECIDE)}
    if trial.settings.get("data.sample") is None:
        own.pop("data.sample_seed", None)
    return tuple(sorted(own.items()))


def kind_of(trial: Trial) -> str:
    """The settings of a trial that decide what it takes, in words."""
    settings = {path: value for path, value in trial.settings.items() if path not in ALIKE}
    return (
        ", ".join(f"{path.rpartition('.')[2]} {value}" for path, value in sorted(settings.items())) or "as configured"
    )


def reduced(
    options: Mapping[str, Any], *, kept: Collection[str], least: Callable[[str, Sequence[Any]], int]
) -> tuple[dict[str, Any], str] | None:
    """Options that ask for less, and what is left out; None where nothing can be.

    The longest list loses its least important value, down to two; then there are fewer seeds. What the user asked for
    stays.

    Args:
        options: The options of a design.
        kept: Those that stay.
        least: The place of the least important value of an option that is a list.
    """
    lists = {name: value for name, value in options.items() if isinstance(value, (list, tuple)) and name not in kept}
    longest = max(lists, key=lambda name: len(lists[name]), default=None)
    seeds = options.get("seeds")
    spare = "seeds" not in kept and isinstance(seeds, int) and seeds > FEWEST["seeds"]
    if spare and isinstance(seeds, int) and seeds > 3:
        return {**options, "seeds": seeds - 1}, f"seed {seeds - 1}"
    if longest is not None and len(lists[longest]) > 2:
        values = lists[longest]
        place = least(longest, values)
        left = [*values[:place], *values[place + 1 :]]
        return {**options, longest: left}, f"{longest} {base.written(values[place])}"
    if spare and isinstance(seeds, int):
        return {**options, "seeds": seeds - 1}, f"seed {seeds - 1}"
    return None


def seconds_of(text: str) -> float:
    """A time such as 90s, 20m or 1.5h, in seconds; a number alone is minutes.

    Raises:
        ConfigError: it is no time.
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([smh]?)(?:in|ours?)?", text.strip().lower())
    value = float(match[1]) * UNITS[match[2] or "m"] if match else math.nan
    if not value > 0:
        raise ConfigError(f"budget: expected a time such as 90s, 20m or 1.5h, found {printable(text)}")
    return value


def flag_of(seconds: float) -> str:
    """A time that is at least so long, as `--budget` takes it."""
    return f"{math.ceil(seconds)}s" if seconds < 100 else f"{math.ceil(seconds / 60)}m"


def planned(plan: StudyPlan) -> dict[str, Any]:
    """A plan as JSON values."""
    return {**asdict(plan), "trials": plan.trials, "seconds": plan.seconds, "disk": plan.disk}
