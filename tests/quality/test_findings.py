"""Every code of a finding stands in docs/data-checks.md with its severity, and no other does."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import afina
from afina.errors import Problem
from afina.quality.findings import by_kind
from afina.quality.remnants import REMNANTS
from tests.conftest import REPOSITORY

SOURCES = sorted((Path(afina.__file__).parent / "quality").glob("*.py"))
ROW = re.compile(r"\| `([a-z-]+)` \| ([a-z, ]+) \| [A-Z].*\. \|")


def documented() -> dict[str, set[str]]:
    """Severities by code, as the page has them."""
    lines = (REPOSITORY / "docs" / "data-checks.md").read_text(encoding="utf-8").splitlines()
    rows = [ROW.fullmatch(line) for line in lines if line.startswith("| `")]
    assert all(rows), "a row of the table is not `code`, severity, one sentence"
    codes = [row[1] for row in rows if row]
    assert codes == sorted(set(codes))
    return {row[1]: set(row[2].split(", ")) for row in rows if row}


def strings(node: ast.expr) -> set[str]:
    """The texts that an expression may be, as far as it names them."""
    return {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def raised() -> dict[str, set[str]]:
    """Severities by code, as the modules make findings; none where a variable holds the severity."""
    codes: dict[str, set[str]] = defaultdict(set)
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding":
                severity, code = node.args[:2]
                for name in strings(code):
                    codes[name] |= strings(severity)
    return codes | {code: {"note"} for code in REMNANTS}


def test_every_code_is_documented_and_no_other() -> None:
    assert len(raised()) >= 25
    assert set(documented()) == set(raised())


def test_the_severities_are_documented() -> None:
    page = documented()
    assert {severity for severities in page.values() for severity in severities} <= {"warning", "note"}
    for code, severities in raised().items():
        assert severities <= page[code], code


def test_errors_that_differ_are_told_apart_and_equal_ones_counted() -> None:
    same = [Problem(f"a.csv:{n}", "label 'x' is not known", "correct it", "unseen-label") for n in range(2, 9)]
    other = [Problem(f"a.csv:{n}", f"label 'y{n}' is not known", "correct it", "unseen-label") for n in range(10, 40)]
    found = by_kind([*same, *other], "error")
    assert found[0].message == "label 'x' is not known; correct it"
    assert (found[0].count, found[0].places[:2]) == (7, ("a.csv:2", "a.csv:3"))
    assert sum(finding.count for finding in found) == 37
    assert found[-1].message.endswith("more problems of this kind")
    assert len(by_kind([*same, *other], "warning")) == 1
