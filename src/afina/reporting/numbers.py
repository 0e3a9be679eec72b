"""Numbers, times and dates in the form of a language."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MONTHS = {
    "en": "January February March April May June July August September October November December",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
}
NOTHING = 1e-12
"""A number of a smaller size is a rounding error of 0."""
ABSENT = "–"
"""What stands where there is no value."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """How a language writes numbers.

    Attributes:
        language: `en` or `pt`.
    """

    language: str = "en"

    def local(self, text: str) -> str:
        """A number as Python writes it, with the language's marks for decimals and thousands."""
        return text.translate(str.maketrans(".,", ",.")) if self.language == "pt" else text

    def whole(self, value: float) -> str:
        """A whole number, with marks between thousands."""
        return self.local(f"{value:,.0f}")

    def score(self, value: float | None, digits: int = 3) -> str:
        """A number with so many decimals, or fewer where it is large; a dash where there is none."""
        if value is None or not math.isfinite(value):
            return ABSENT
        size = abs(value)
        size = 0.0 if size < NOTHING else size
        if size and (size >= 1e6 or size < 10**-digits):
            return self.local(f"{value:.2g}" if 1e-4 <= size < 1 else f"{value:.2e}")
        return self.local(f"{value if size else 0.0:,.{max(0, digits - (len(str(int(size))) - 1))}f}")

    def interval(self, low: float | None, high: float | None) -> str:
        """Two bounds in brackets; nothing where there are none."""
        if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
            return ""
        between = "; " if self.language == "pt" else ", "
        return f"[{self.score(low)}{between}{self.score(high)}]"

    def percent(self, share: float, digits: int = 0) -> str:
        """A share in percent."""
        return self.local(f"{share * 100:.{digits}f}") + " %" if math.isfinite(share) else ABSENT

    def setting(self, value: Any) -> str:
        """The value of a setting, as it is typed."""
        if value is None:
            return ABSENT
        return f"{value:g}" if isinstance(value, float) else str(value)

    def seconds(self, value: float) -> str:
        """A time for people."""
        if value < 10:
            return self.local(f"{value:.1f}") + " s"
        if value < 100:
            return f"{value:.0f} s"
        return f"{value / 60:.0f} min" if value < 6000 else self.local(f"{value / 3600:.1f}") + " h"

    def large(self, value: float, unit: str) -> str:
        """A large amount with the prefix of its thousand: 1.5 GB, 29.3 TFLOP."""
        power = min(5, int(math.log10(value) / 3)) if value >= 1000 else 0
        return f"{self.local(f'{value / 1000**power:.3g}')} {('', 'k', 'M', 'G', 'T', 'P')[power]}{unit}"

    def date(self, seconds: float) -> str:
        """A moment, in local time, to the minute."""
        moment = datetime.fromtimestamp(seconds).astimezone()
        month = MONTHS[self.language].split()[moment.month - 1]
        if self.language == "pt":
            return f"{moment.day} de {month} de {moment.year}, {moment:%Hh%M}"
        return f"{moment.day} {month} {moment.year}, {moment:%H:%M}"
