"""What cards say, by language: sentences with places for what was measured, nouns, and how numbers are written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """A language.

    Attributes:
        code: Its code (ISO 639-1).
        point: The decimal sign.
        group: What stands between thousands.
        nouns: Singular and plural by the English singular.
        texts: Sentences and headings by name.
    """

    code: str
    point: str
    group: str
    nouns: Mapping[str, tuple[str, str]]
    texts: Mapping[str, str]

    def __call__(self, name: str, /, **values: object) -> str:
        """A sentence with its values. What stands in them is not looked at again."""
        return self.texts[name].format(**values)

    def known(self, name: str, other: str) -> str:
        """A word by its name, or another one where there is none of that name."""
        return self.texts.get(name, other)

    def count(self, number: int) -> str:
        """A whole number."""
        return f"{number:,}".replace(",", self.group)

    def many(self, number: int, noun: str) -> str:
        """A whole number and its noun."""
        one, more = self.nouns[noun]
        return f"{self.count(number)} {one if number == 1 else more}"

    def number(self, value: float | None, digits: int = 4) -> str:
        """A number with so many decimals, or six digits where it is large; a dash for what is none."""
        if value is None or not math.isfinite(value):
            return "–"
        text = f"{value:.{digits}f}" if abs(value) < 1000 else f"{value:.6g}"
        return text.replace(".", self.point)

    def share(self, part: int, whole: int) -> str:
        """A share as a percentage."""
        return f"{self.number(100 * part / whole, 1)} %"

    def short(self, value: float) -> str:
        """A number with as few digits as it needs, such as a learning rate."""
        return f"{value:g}".replace(".", self.point)

    def duration(self, seconds: float) -> str:
        """A time."""
        if seconds < 100:
            return f"{self.number(seconds, 0)} s"
        if seconds < 6000:
            return f"{self.number(seconds / 60, 0)} min"
        return f"{self.number(seconds / 3600, 1)} h"
