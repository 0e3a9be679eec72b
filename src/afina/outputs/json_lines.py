"""jsonl: an object a prediction, with everything that was predicted in full."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TextIO

from .columns import record
from .writers import Answered, Form, Writer


def write_jsonl(file: TextIO, answers: Iterable[Answered], form: Form) -> None:
    """One JSON object a line."""
    for answered in answers:
        file.write(json.dumps(record(answered, form), ensure_ascii=False) + "\n")


WRITER = Writer("jsonl", (".jsonl", ".ndjson"), "an object a line, everything in full", write_jsonl)
