"""Messages say 1 example and 2 examples: a number and its noun are written by `many`."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path

import afina

PLURAL = re.compile(
    r" (?:more |other |distinct |random |training |held out )?(?:examples|rows|texts|lines|files|labels|records|windows"
    r"|sentences|entities|spans|groups|passages|questions|sheets|epochs|steps|problems|cells|characters|tags|inputs"
    r"|predictions|annotations|tasks|entries|pairs)\b"
)
NEVER_ONE = {
    "outputs:,} labels; at most", "FIELD_LIMIT:,} characters", "len(labels):,} labels; at most",  # limits
    "rows:,} rows, none for",  # of an embedding
    "summary.truncated:,} texts are", "len(lines):,} labels are",  # the sentence for 1 stands beside it
    "len(files)} files: ", "groups:,} groups of", "len(whole):,} examples", "self.total:,} problems in all",
    "len(examples):,} examples)",  # of which there are several here
}  # fmt: skip
"""Begin formatted numbers that are never 1."""


def plurals(source: str) -> list[str]:
    """Formatted numbers that a plural noun follows at once."""
    found = []
    for node in ast.walk(ast.parse(source)):
        parts = node.values if isinstance(node, ast.JoinedStr) else []
        for value, text in pairwise(parts):
            if not isinstance(value, ast.FormattedValue) or not isinstance(text, ast.Constant):
                continue
            call = value.value
            written = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "many"
            counted = value.format_spec is not None or (
                isinstance(call, ast.Call) and ast.unparse(call).startswith("len(")
            )
            if counted and not written and PLURAL.match(str(text.value)):
                found.append(f"{ast.unparse(value)}{text.value!s}")
    return found


def test_the_search_finds_plurals() -> None:
    assert len(plurals("f\"{n:,} examples and {len(x)} rows, {many(n, 'row')} and {n:.1f} seconds\"")) == 2


def test_every_number_has_its_noun_in_the_right_form() -> None:
    files = sorted(Path(afina.__file__).parent.rglob("*.py"))
    assert len(files) > 100
    wrong = {
        f"{file.name}: {text}"
        for file in files
        for text in plurals(file.read_text(encoding="utf-8"))
        if not any(known in text for known in NEVER_ONE)
    }
    assert wrong == set()
