"""What a design asks for: trainings, and other work whose result is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..work import Work


@dataclass(frozen=True, slots=True)
class Trial:
    """A training: an ordinary run in the folder of the study.

    Attributes:
        recipe: What is compared, in words. Trials of one recipe differ by their seed only.
        seed: Seed of everything random in it.
        settings: Settings by path (`training.epochs`), over those of the study.
        floors: Epochs, and the least validation score that its best evaluation up to there must have (the greatest
            where less is better): below it, the trial is given up.
    """

    recipe: str
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    floors: Sequence[tuple[float, float]] = ()

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{slug(self.recipe)}-seed{self.seed}"

    @property
    def overrides(self) -> dict[str, Any]:
        """All its settings by path, the seed included."""
        return {**self.settings, "seed": self.seed}


@dataclass(frozen=True, slots=True)
class Measurement:
    """Work that is no training. What it returns is kept as JSON, and is not computed again.

    Attributes:
        name: Its name among the measurements of the study.
        compute: The work. It returns a tree of JSON values.
    """

    name: str
    compute: Callable[[], Work[Any]]


def slug(text: str) -> str:
    """A text as the name of a folder: letters, digits, dots and hyphens."""
    return re.sub(r"[^a-zA-Z0-9.]+", "-", text).strip("-.") or "trial"
