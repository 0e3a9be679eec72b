"""A part of the training examples to train on, as studies of the amount of data do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigError
from ..printing import many
from .splits import ranking


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample of the training examples.

    Attributes:
        indices: Which ones, ascending: of what is prepared for each training example, the entries that a run needs.
        whole: Number of all of them.
        sample: What was asked for: a share below 1, or a number.
        seed: Seed of the draw.
        stratified: Whether the examples have strata.
    """

    indices: Sequence[int]
    whole: int
    sample: float
    seed: int
    stratified: bool

    @property
    def how(self) -> str:
        """How they were drawn, in words."""
        return "stratified" if self.stratified else "at random"

    def record(self) -> dict[str, Any]:
        """What `data.json` says of it, beside the places of the examples."""
        return {"sample": self.sample, "sample_seed": self.seed, "of": self.whole, "stratified": self.stratified}


def draw(sample: float, *, seed: int, strata: Sequence[str], essentials: Sequence[Collection[str]]) -> Drawn:
    """Draw a stratified sample that shows all that is essential.

    With the same seed a smaller sample is a part of every larger one.

    Args:
        sample: A share of the examples above 0 and below 1, or a whole number of them.
        seed: Seed of the draw.
        strata: The stratum of each example; the empty text where there are none.
        essentials: What each example shows that training needs, such as its labels.

    Raises:
        ConfigError: there are not so many examples, or so few can't show all that is essential.
    """
    total = len(strata)
    number = sample if isinstance(sample, int) else max(1, round(sample * total))
    if number > total:
        raise ConfigError(
            f"data.sample: {many(number, 'example')} asked for, and there are {total:,} to train on; "
            f"give {total:,} or fewer (--sample {total}), or leave it out to train on all"
        )
    order, least = ranking(strata, seed=seed, essentials=essentials)
    if number < least:
        asked = (
            f"{sample:g} of {many(total, 'training example')} is {number:,}"
            if number != sample
            else many(number, "example")
        )
        raise ConfigError(
            f"data.sample: {asked}, too few to show training every label or kind of target that the data have; "
            f"it takes {least:,} with sample seed {seed} (--sample {least})"
        )
    return Drawn(sorted(order[:number]), total, sample, seed, any(strata))
