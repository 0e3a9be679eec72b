"""Lines of a label, a colon and a text: `LABEL:text`. They are cut at the first sign only.

A row has the columns `label` and `text`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from ..errors import printable
from ..records import Row
from .dialects import KNOWN
from .formats import Reader
from .lines import Item, ReadOptions, RecordError, codec_of, head_of, lines_of

SIGN = ":"
LABEL = re.compile(r"[^\W\d_][\w./&+-]{0,39}")
SECOND = re.compile(r"[^\W\d_]\w*(?=:)|[a-z]\w*(?= [A-ZÀ-Ý])")
"""What may be a second label at the beginning of a text: `ind:Who`, `manner How`."""
SAMPLE = 400
REPEATS = 3
"""Lines that a label has on the average, or more, where a file is recognised."""


def read_prefixed(name: str, file: BinaryIO, options: ReadOptions) -> Iterator[Item]:
    """The lines of a file, each cut at its first sign; empty lines are none."""
    head = [line.rstrip("\r\n") for line in head_of(name, file, options.encoding) if line.strip()]
    file.seek(0)
    sign = options.delimiter or SIGN
    # A blank behind every sign belongs to the sign.
    sign += " " * bool(head and all(f"{sign} " in line and line.split(sign, 1)[1][0] == " " for line in head))
    options.note(f"{name}: label and text are cut at the first {sign!r} of a line" + second_labels(head, sign))
    for line in lines_of(name, file, codec_of(name, file, options.encoding)):
        place, text = f"{name}:{line.number}", line.text.rstrip("\r\n")
        if not text.strip():
            continue
        label, found, rest = text.partition(sign)
        fault = line.fault
        if fault is None and not (found and label.strip()):
            message = f"expected a label, {sign!r} and a text, found {printable(text)}"
            fault = RecordError("no-label", message, "write its label in front; a text is one line")
        yield fault.at(place, line.raw) if fault else Row({"label": label, "text": rest}, place, line.raw)


def second_labels(head: Sequence[str], sign: str) -> str:
    """What to say where the texts begin with a second label, as `ind` in `HUM:ind:Who is he ?`; empty otherwise.

    It is one where few words begin all texts, and none of them begins texts of two labels.
    """
    parts = [line.split(sign, 1) for line in head if sign in line]
    firsts = [(label, match[0]) for label, text in parts if (match := SECOND.match(text))]
    words = Counter(word for _, word in firsts)
    if len(firsts) < len(head) or REPEATS * len(words) > len(firsts) or len({*firsts}) > len(words):
        return ""
    shown = ", ".join(word for word, _ in words.most_common(3))
    behind = all(text.startswith(f"{word} ") for (_, text), (_, word) in zip(parts, firsts, strict=True))
    cure = "; --format prefixed --delimiter ' ' cuts at the first blank" if behind else ""
    return f"; the texts begin with a second label ({shown}), which tells the first{cure}"


def looks_prefixed(head: Sequence[str]) -> bool:
    """Whether all lines begin with one of few labels and a colon.

    Labels are no names of columns, each stands in several lines, and no text goes on as an address does.
    """
    lines = [line.strip() for line in head if line.strip()][:SAMPLE]
    parts = [line.split(SIGN, 1) for line in lines]
    if not parts or any(len(part) < 2 or not LABEL.fullmatch(part[0]) for part in parts):
        return False
    labels = Counter(label for label, _ in parts)
    texts = [text for _, text in parts]
    return (
        len(labels) > 1
        and REPEATS * len(labels) <= len(parts)
        and not any(KNOWN.fullmatch(label) for label in labels)
        and all(text.strip() and not text.startswith(("//", "\\")) for text in texts)
        and 2 * sum(" " in text.strip() for text in texts) > len(texts)
    )


READER = Reader(
    "prefixed",
    (".label",),
    read_prefixed,
    summary="a text a line behind its label and a colon (LABEL:text)",
    sniff=looks_prefixed,
    named_columns=True,
)
