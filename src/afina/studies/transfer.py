"""What is carried over: the same training from a model, from random weights, and from other models.

The others are folders, names or runs: a model that was fine-tuned on another task, or one whose pre-training went on
on the user's own texts (`afina adapt`).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from ..errors import ConfigError, printable
from ..model.families import locate
from ..training import rundir
from ..training.run import absolute
from ..training.rundir import RunFolder
from ..yaml_files import read_yaml
from .arms import Arm, configured_rate, failures, pretrained, rate_notes, scratch, screened
from .base import Asked, Level, Margin, Rates, Seeds
from .results import Results
from .starts import Start, summary_of
from .study import Study
from .summaries import Summary


def transfer(
    study: Study,
    *,
    models: Sequence[str] = (),
    seeds: Seeds = 3,
    rates: Rates = (),
    scratch_rates: Rates = (),
    margin: Margin = 0.01,
    level: Level = 0.95,
) -> Generator[Sequence[Asked], Results, Summary]:
    """The same training from several starts, and what each brings.

    Args:
        study: The study.
        models: Other models to start from: folders, names, or runs of `afina train` and `afina adapt`.
        seeds: Number of seeds.
        rates: Learning rates of the models; the best is chosen for each. By default one.
        scratch_rates: Those of random weights; by default three around it.
        margin: Gain that does not matter.
        level: Probability that intervals are meant to hold.
    """
    arms = [pretrained(study, rates), scratch(study, scratch_rates), *others(study, models, rates)]
    best = yield from screened(study, arms, {})
    results = yield [arm.trial(best[arm.name], seed, {}) for arm in arms for seed in range(seeds)]
    notes = [note for model in models if (note := same_data(study, model))]
    notes += rate_notes(arms, best)
    for arm in arms:
        notes += failures(results, [arm.recipe(best[arm.name])], arm.name)
    starts = [start_of(study, arm, best[arm.name], results) for arm in arms]
    return summary_of(study, starts, notes, margin=margin, level=level)


def others(study: Study, models: Sequence[str], rates: Sequence[float]) -> list[Arm]:
    """The arms of other models.

    Raises:
        ConfigError: a model is given twice, or is the configured one.
        ModelError: one can't be found.
    """
    own, chosen = absolute(study.config.model.name), sorted(rates) or [configured_rate(study)]
    arms: dict[str, Arm] = {}
    for model in models:
        place = absolute(model)
        locate(place)
        if place == own or place in arms:
            what = "the configured model" if place == own else "given twice"
            raise ConfigError(f"option.models: {printable(model)} is {what}; give each other model once")
        arms[place] = Arm(named(place, arms), chosen, {"model.name": place})
    return list(arms.values())


def named(place: str, arms: dict[str, Arm]) -> str:
    """A name for a model: what it is and the end of its path, as much of it as no other has."""
    folder = Path(place)
    kind = {"adapt": "adapted", "train": "fine-tuned"}[rundir.kind_of(folder)] if rundir.is_run(folder) else "model"
    taken = {arm.name for arm in arms.values()}
    parts = folder.parts if folder.is_dir() else (place,)
    names = [f"{kind} {'/'.join(parts[-length:])}" for length in range(1, len(parts) + 1)]
    return next((name for name in names if name not in taken), f"{kind} {place}")


def same_data(study: Study, model: str) -> str:
    """A warning where a model was fine-tuned on the very data of the study; empty where it was not, or nobody knows."""
    folder = Path(absolute(model))
    if not rundir.is_run(folder) or rundir.kind_of(folder) != "train":
        return ""
    try:
        tree: Any = read_yaml(RunFolder(folder).config)
    except ConfigError:
        return ""
    train = (tree.get("data") or {}).get("train")
    if train is None or study.config.data.train is None or absolute(train) != absolute(study.config.data.train):
        return ""
    return f"{printable(model)} was fine-tuned on the training data of this study: what it brings is not transfer"


def start_of(study: Study, arm: Arm, rate: float, results: Results) -> Start:
    """What trainings from a start came to."""
    recipe = arm.recipe(rate)
    done = results.done(recipe)
    return Start(
        arm.name,
        str(arm.settings.get("model.name", study.config.model.name)),
        len(results.of(recipe)),
        [one.table(study.split) for one in done],
        done[0].groups(study.split) if done else None,
        rate,
        sum(one.degenerate for one in done),
    )
