"""Which runs are seeds of one recipe, as their configurations show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import printable
from ..printing import many
from ..training.resume import NEUTRAL, flat
from .runs import ScoredRun

NO_RECIPE = {"seed", "out"} | {f"training.{name}" for name in (*NEUTRAL, "save")}
"""Settings that make no other recipe: the seed, where the run lies, and what changes no more than last bits."""


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """Runs that differ by their seed alone.

    Attributes:
        name: What it is called: its folder, or the settings in which it differs from the other recipes.
        members: Places of its runs among all of them.
    """

    name: str
    members: tuple[int, ...]


def recipes_of(runs: Sequence[ScoredRun]) -> list[Recipe]:
    """Runs as recipes, in the order of the first run of each.

    Two runs of one recipe with the same seed are no two seeds, so that the second begins another recipe. Where all runs
    are seeds of one recipe, each is compared as a run of its own.
    """
    found: dict[tuple[str, int], list[int]] = {}
    seen: dict[tuple[str, int], int] = {}
    for place, run in enumerate(runs):
        settings = json.dumps(settings_of(run), sort_keys=True, default=str)
        copy = seen[settings, run.config.seed] = seen.get((settings, run.config.seed), -1) + 1
        found.setdefault((settings, copy), []).append(place)
    if len(found) == 1:
        return [Recipe(run.name, (place,)) for place, run in enumerate(runs)]
    members = [tuple(places) for places in found.values()]
    names = names_of([runs[own[0]] for own in members])
    return [
        Recipe(runs[own[0]].name if len(own) == 1 else f"{name} ({many(len(own), 'seed')})", own)
        for name, own in zip(names, members, strict=True)
    ]


def settings_of(run: ScoredRun) -> dict[str, Any]:
    """The settings that make the recipe of a run, by path."""
    tree: Mapping[str, Any] = run.config.model_dump(mode="json")
    return {path: value for path, value in flat(tree) if path not in NO_RECIPE}


def names_of(runs: Sequence[ScoredRun]) -> list[str]:
    """For one run of each recipe, settings that tell it from the others; the folder where there are none.

    A strategy brings settings of its own, so that only the first are named that tell more recipes apart: the strategy
    before the rate.
    """
    settings = [settings_of(run) for run in runs]
    paths = list(dict.fromkeys(path for own in settings for path in own))
    chosen: list[str] = []

    def apart(paths: Sequence[str]) -> int:
        return len({json.dumps([own.get(path) for path in paths], default=str) for own in settings})

    for path in paths:
        if apart([*chosen, path]) > apart(chosen):
            chosen.append(path)
    return [
        ", ".join(f"{path.rpartition('.')[2]} {shown(own.get(path))}" for path in chosen) or run.name
        for own, run in zip(settings, runs, strict=True)
    ]


def shown(value: Any) -> str:
    """The value of a setting, short."""
    return value if isinstance(value, str) and len(value) < 40 else printable(value, 40)
