"""What other programs left in texts and labels: spreadsheets, web pages, wrong encodings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..errors import printable
from ..records import Example
from ..tasks.base import Task
from .findings import Finding, of_all, places

SPREADSHEET = re.compile(
    r"\s*#(REF!|N/A|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|N/D|NOME\?|VALOR!|NÚM!|NULO!)\s*", re.IGNORECASE
)
"""A failed formula of a spreadsheet as a whole cell, in English and in Portuguese."""
REMNANTS = {
    "html": (
        "HTML",
        re.compile(
            r"&?(?:amp|lt|gt|quot|apos|nbsp);|&?#x?[0-9a-f]{2,5};|</?(?:[abipu]|br|hr|h[1-6]|em|strong|sub|sup|div|span"
            r"|ul|ol|li|font|img|table|tr|td|th|code|pre)(?: [^<>]*)?/?>"
        ),
    ),
    "mojibake": ("signs of a wrong encoding", re.compile(r"[ÃÂ][\x80-\xbf]|â€|\ufffd")),
    "invisible": ("soft hyphens or zero-width characters", re.compile(r"[\xad\u200b\u2060\ufeff]")),
    "control": ("control characters", re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")),
}
"""What other programs leave in texts: code, words and what it looks like."""


def remnants(task: Task, splits: Mapping[str, Sequence[Example]]) -> list[Finding]:
    """What spreadsheets, web pages and wrong encodings left in texts and labels."""
    found = []
    for name, examples in splits.items():
        failed = [
            example
            for example in examples
            if any(map(SPREADSHEET.fullmatch, (example.text, example.pair or "", *task.labels_in(example))))
        ]
        if failed:
            message = (
                f"{name}: errors of a spreadsheet (#REF!, #N/A ...) as text or label of {of_all(failed, examples)}"
            )
            found.append(Finding("warning", "spreadsheet-error", message, len(failed), places(failed)))
        for code, (what, pattern) in REMNANTS.items():
            hits = [
                (one, hit) for one in examples if (hit := pattern.search(one.text) or pattern.search(one.pair or ""))
            ]
            if hits:
                sign = printable(hits[0][1].group(), 30)
                message = f"{name}: {what} in {of_all(hits, examples)}, for example {sign}"
                found.append(Finding("note", code, message, len(hits), places(one for one, _ in hits)))
    return found
