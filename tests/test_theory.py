"""docs/theory.md and its Portuguese twin say the same, their commands are understood, and their worked example runs."""

from __future__ import annotations

import io
import math
import re
import shlex
from contextlib import redirect_stdout
from functools import cache
from typing import Any

import pytest
import typer

from afina.cli.app import program
from afina.cli.flags import OWN, configured
from afina.cli.studies import options
from afina.studies import base as studies
from afina.tasks import base as tasks
from tests.conftest import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = {"theory.md": "theory.pt.md", "theory.pt.md": "theory.md"}
"""The pages, and the other one of each."""
FIGURES = REPOSITORY / "bench" / "STUDIES.md"
FENCED = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?%?")
OWN_STUDY, OWN_HEAD = "lengths", "hidden"
"""What the pages take from docs/studies.md and docs/extending.md."""
Table = list[list[str]]


@cache
def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(name: str, kind: str) -> list[str]:
    return [block for language, block in FENCED.findall(page(name)) if language == kind]


def commands(name: str) -> list[str]:
    """The commands of a page: the lines of its blocks, and those in a sentence."""
    lines = [line for block in blocks(name, "sh") for line in block.splitlines()]
    return lines + re.findall(r"`(afina [^`]+)`", FENCED.sub("", page(name)))


def with_points(text: str, name: str) -> str:
    """A text of a page with numbers as programs write them: no separator of thousands, a point, no blank before %."""
    if name == "theory.pt.md":
        text = re.sub(r"(?<=\d)\.(?=\d{3}(?!\d))", "", text)
        text = re.sub(r"(?<=\d),(?=\d)", ".", text)
    else:
        text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    return re.sub(r"(?<=\d)\s+%", "%", text)


def bold_numbers(name: str) -> list[str]:
    """The numbers in bold, but for those of places that wait for a figure."""
    bold = re.findall(r"\*\*(.+?)\*\*", FENCED.sub("", page(name)), re.DOTALL)
    return [number for text in bold if "{{" not in text for number in NUMBER.findall(with_points(text, name))]


def example(name: str) -> str:
    """The section with the worked example."""
    return page(name).partition("\n## 11. ")[2]


def tables(name: str) -> list[Table]:
    """The tables of the worked example, without their headings."""
    found = re.findall(r"(?:^\|.*\n)+", FENCED.sub("", example(name)), re.MULTILINE)
    return [[cells(with_points(line, name)) for line in table.splitlines()[2:]] for table in found]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split(" | ")]


# ---------------------------------------------------------------------------------------------------------------------
# Two pages, one content.


def test_the_pages_are_linked() -> None:
    for name, other in PAGES.items():
        assert f"]({other})" in page(name).split("\n## ")[0]


def test_the_pages_have_the_same_sections() -> None:
    first, second = (
        [(len(signs), number) for signs, number in re.findall(r"^(#+) (\d*)", FENCED.sub("", page(name)), re.MULTILINE)]
        for name in PAGES
    )
    assert first == second
    assert [number for _, number in first if number] == [str(i) for i in range(1, 12)]


def test_the_pages_have_the_same_commands_programs_and_tables() -> None:
    first, second = PAGES
    assert len(commands(first)) >= 20
    assert commands(first) == commands(second)
    assert blocks(first, "python") == blocks(second, "python")
    assert len(tables(first)) == 9
    assert tables(first) == tables(second)


def test_the_pages_have_the_same_numbers_in_bold() -> None:
    first, second = PAGES
    assert bold_numbers(first) == bold_numbers(second)


@pytest.mark.skipif(not FIGURES.exists(), reason="bench/STUDIES.md, from which the figures are, is not here")
@pytest.mark.parametrize("name", PAGES)
def test_every_number_in_bold_was_measured(name: str) -> None:
    measured = set(NUMBER.findall(with_points(FIGURES.read_text(encoding="utf-8"), FIGURES.name)))
    assert [number for number in bold_numbers(name) if number not in measured] == []


@pytest.mark.parametrize(
    ("name", "written", "numbers"),
    [
        ("theory.md", "1,250 labels, 0.91 [0.89, 0.93], 12 %, 7.1e-05", ["1250", "0.91", "0.89", "0.93", "12%"]),
        ("theory.pt.md", "1.250 rótulos, 0,91 [0,89, 0,93], 12 %, 7,1e-05", ["1250", "0.91", "0.89", "0.93", "12%"]),
    ],
)
def test_numbers_are_read_in_both_languages(name: str, written: str, numbers: list[str]) -> None:
    assert NUMBER.findall(with_points(written, name)) == [*numbers, "7.1e-05"]


# ---------------------------------------------------------------------------------------------------------------------
# Commands.


@cache
def group() -> Any:
    return typer.main.get_command(program())


def parsed(name: str, arguments: list[str]) -> dict[str, Any]:
    """The flags of a command line. Unknown commands and flags are refused."""
    params: dict[str, Any] = group().commands[name].make_context(name, arguments).params
    return params


@pytest.mark.parametrize("command", dict.fromkeys(commands("theory.md")))
def test_every_command_is_understood(command: str) -> None:
    name, *arguments = shlex.split(command)[1:]
    params = parsed(name, arguments)
    if name == "study":
        check_study(params)
    if name in ("study", "train"):
        settings = {key: value for key, value in params.items() if key not in ("name", "seeds", "margin", "option")}
        config = configured({key: value for key, value in settings.items() if key in OWN or key in known()})
        assert config.task in tasks.names()
        assert config.model.head in ("native", "linear", OWN_HEAD)


@cache
def known() -> set[str]:
    """The flags of a training."""
    return set(parsed("train", ["train.csv"]))


def check_study(params: dict[str, Any]) -> None:
    """The study exists, and its options too."""
    asked = options(params["option"] or (), seeds=params["seeds"], margin=params["margin"])
    if params["name"] != OWN_STUDY:
        studies.checked(studies.find(params["name"]), asked)


def test_what_is_ones_own_is_shown_elsewhere() -> None:
    assert f"def {OWN_STUDY}(" in page("studies.md")
    assert f"\n{OWN_HEAD} = " in page("extending.md")


def test_every_study_of_a_claim_is_named() -> None:
    named = {shlex.split(command)[2] for command in commands("theory.md") if command.startswith("afina study ")}
    assert named == {*studies.names(), OWN_STUDY} - {"sweep"}


def test_every_task_is_shown() -> None:
    section = page("theory.md").partition("\n## 9. ")[2].partition("\n## ")[0]
    shown = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    trained = [shlex.split(line)[3] for line in commands("theory.md") if line.startswith("afina train --task ")]
    assert set(shown) == set(trained) == {name for name in tasks.names() if "afina." in tasks.find(name).__module__}


# ---------------------------------------------------------------------------------------------------------------------
# The worked example.


@pytest.fixture(scope="module")
def printed(embedded: str, tmp_path_factory: pytest.TempPathFactory) -> list[Table]:
    """The tables that the program of the worked example prints."""
    code, said = "\n".join(blocks("theory.md", "python")), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        patch.chdir(tmp_path_factory.mktemp("theory"))
        exec(compile(code, "theory.md", "exec"), {})
    parts = re.split(r"^table \d+\n", said.getvalue(), flags=re.MULTILINE)[1:]
    return [[cells(line) for line in part.splitlines()] for part in parts]


def agrees(shown: str, found: str) -> bool:
    """Whether a cell of the page is that of the program: a number to one unit of its last digit, all else literally."""
    if not re.fullmatch(r"-?\d+(?:\.\d+)?", shown):
        return shown == found
    digits = len(shown.partition(".")[2])
    return abs(float(shown) - float(found)) < 1.01 * 10**-digits if digits else shown == found


def test_the_tables_are_what_the_program_prints(printed: list[Table]) -> None:
    for number, (shown, found) in enumerate(zip(tables("theory.md"), printed, strict=True), 1):
        wrong = [
            (row, other)
            for row, other in zip(shown, found, strict=True)
            if len(row) != len(other) or not all(map(agrees, row, other))
        ]
        assert wrong == [], f"table {number}"


@pytest.mark.parametrize("name", PAGES)
def test_the_text_of_the_example_speaks_of_its_tables(name: str) -> None:
    """Every decimal number in a sentence stands in a table or in the program, or is the logarithm of seven."""
    prose = re.sub(r"^\|.*\n", "", FENCED.sub("", example(name)), flags=re.MULTILINE)
    there = {cell for table in tables(name) for row in table for cell in row}
    there |= set(re.findall(r"-?\d+\.\d+", "".join(blocks(name, "python")))) | {f"{math.log(7):.3f}"}
    said = re.findall(r"-?\d+\.\d+", with_points(prose, name))
    assert len(said) > 10
    assert [number for number in said if number not in there] == []
