"""The catalogue of bad data, D01 to D25: each case is a small file, and what is said of it or read from it."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from afina.cli.app import program
from afina.config import load
from afina.data import encodings
from afina.data import lines as data_lines
from afina.data.parts import gather, read_data
from afina.data.sources import read
from afina.errors import AfinaError, DataError, Problem
from afina.quality.report import audit
from afina.records import Example, Row
from afina.tasks.answers import Answer, Answers, AnswersOptions
from afina.tasks.tokens import Tokens, TokensOptions
from afina.text.tokenization import Tokenizer
from tests import tiny as made

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Read:
    """A file for `sources.read`: the rows that come out, or what is said of it and at which line."""

    id: str
    name: str
    data: bytes | str
    rows: Rows | None = None
    code: str = ""
    place: str = ""
    says: tuple[str, ...] = ()
    how: Mapping[str, Any] = field(default_factory=dict)
    sound: int = 0
    """Rows that come out beside the problem."""


HEADER = "text,label\n"
LONG = "palavra " * 30_000

READ = [
    Read("D01a", "t.csv", b"\xef\xbb\xbftext,label\nbom dia,a\n", [{"text": "bom dia", "label": "a"}]),
    Read("D01b", "t.jsonl", b'\xef\xbb\xbf{"text": "bom dia"}\n', [{"text": "bom dia"}]),
    Read("D01c", "t.conll", b"\xef\xbb\xbfAna B-PER\nri O\n", [{"1": ["Ana", "ri"], "2": ["B-PER", "O"]}]),
    Read("D01d", "t.json", b'\xef\xbb\xbf[{"text": "bom dia"}]', [{"text": "bom dia"}]),
    Read("D01e", "t.csv", "\ufeffa,b\n1,2\n".encode("utf-16-le"), code="encoding", place="t.csv:1",
         says=("byte-order mark of UTF-16-LE", "--encoding utf-16"), how={"encoding": "utf-8"}),
    Read("D01f", "t.tsv", "\ufeffa\tb\n1\t2\n".encode("utf-32-be"), [{"a": "1", "b": "2"}]),
    Read("D01g", "t.csv", "\ufeffa,b\nção,2\n".encode("utf-16-be"), [{"a": "ção", "b": "2"}],
         how={"encoding": "utf-16"}),
    Read("D02a", "t.csv", HEADER.encode() + b"um caf\xe9,a\nbom,b\n", code="not-utf8", place="t.csv:2", sound=1,
         says=("column 7 (in bytes): the byte 0xE9 is not utf-8", "--encoding"), how={"encoding": "utf-8"}),
    Read("D02b", "t.csv", HEADER.encode() + b"um caf\xe9,a\n", [{"text": "um café", "label": "a"}],
         how={"encoding": "cp1252"}),
    Read("D02c", "t.conll", b"Jos\xe9 B-PER\nri O\n\nAna B-PER\n", code="not-utf8", place="t.conll:1", sound=1,
         says=("the byte 0xE9 is not utf-8",), how={"encoding": "utf-8"}),
    Read("D02d", "t.conllu", b"# x\n1\tJos\xe9\t_\tPROPN\t_\t_\t_\t_\t_\t_\n\n", code="not-utf8", place="t.conllu:2",
         says=("the byte 0xE9",), how={"encoding": "utf-8"}),
    Read("D02e", "t.json", b'[{"text": "caf\xe9"}]', [{"text": "café"}]),
    Read("D02f", "t.csv", HEADER.encode() + b"um caf\xe9,a\nbom,b\n", [{"text": "um café", "label": "a"},
         {"text": "bom", "label": "b"}]),
    Read("D03a", "t.csv", HEADER + "a\0b,x\nbom,y\n", code="nul", place="t.csv:2", sound=1,
         says=("a NUL character", "remove it")),
    Read("D03b", "t.conll", "Ana\0 B-PER\nri O\n\nbom O\n", code="nul", place="t.conll:1", sound=1, says=("a NUL",)),
    Read("D04a", "t.csv", "text,label\rum,a\ndois,b\r\ntrês,c", [{"text": t, "label": b} for t, b in
         (("um", "a"), ("dois", "b"), ("três", "c"))]),
    Read("D04b", "t.tsv", "text\tlabel\r\num\ta\r\n", [{"text": "um", "label": "a"}]),
    Read("D04c", "t.conll", "Ana B-PER\r\nri O\r\n\r\nsim O\r\n", [{"1": ["Ana", "ri"], "2": ["B-PER", "O"]},
         {"1": ["sim"], "2": ["O"]}]),
    Read("D04d", "t.csv", HEADER + '"um\r\ndois",a\n', [{"text": "um\r\ndois", "label": "a"}]),
    Read("D05a", "t.csv", HEADER + 'bom,a\nele disse "sim,a\nnão,"b\nfim,a\nfim,b\n', code="open-quote",
         place="t.csv:4", sound=2, says=("swallows the rest of the file (3 lines)", "double the quote or remove it")),
    Read("D05b", "t.csv", HEADER + '"sim"senhor,a\nbom,b\n', code="bad-quote", place="t.csv:2", sound=1,
         says=("after a closing quote", '""')),
    Read("D05c", "t.tsv", 'text\tlabel\nele disse "sim\ta\n', [{"text": 'ele disse "sim', "label": "a"}]),
    Read("D06a", "t.csv", HEADER + "um, dois,a\nbom,b\n", code="ragged-row", place="t.csv:2", sound=1,
         says=("found 3 fields, expected 2", "unquoted ','", "double quotes")),
    Read("D06b", "t.csv", HEADER + "bom\nbom,b\n", code="ragged-row", place="t.csv:2", sound=1,
         says=("found 1 field, expected 2", "line break inside a text")),
    Read("D06c", "t.tsv", "text\tlabel\num\tdois\ta\nbom\tb\n", code="ragged-row", place="t.tsv:2", sound=1,
         says=("a tab inside a text",)),
    Read("D07a", "t.csv", "text,text\na,b\n", code="twin-names", place="t.csv:1", says=("have the same name",)),
    Read("D07b", "t.csv", ",text\n0,b\n", [{"text": "b"}]),
    Read("D07c", "t.csv", "Text,text \na,b\n", code="twin-names", place="t.csv:1", says=("only by case or by blanks",)),
    Read("D08a", "t.csv", "text;label\nbom;a\nmau\n", code="wrong-delimiter", place="t.csv:1",
         says=("--delimiter ';'",)),
    Read("D08b", "t.csv", "text\tlabel\nbom\ta\n", [{"text": "bom", "label": "a"}]),
    Read("D08c", "t.tsv", "text,label\nbom,a\n", [{"text": "bom", "label": "a"}]),
    Read("D09a", "t.csv", f"{HEADER}{LONG},a\n", [{"text": LONG, "label": "a"}]),
    Read("D09b", "t.csv", f"{HEADER}{'x' * 10_000_001},a\nbom,b\n", code="too-long", place="t.csv:2", sound=1,
         says=("more than 10,000,000 characters", "several rows")),
    *(
        Read(f"D10{letter}", name, data, code="no-rows", place=place or name, says=(says,))
        for letter, name, data, says, place in (
            ("a", "t.csv", "", "the file is empty", ""),
            ("b", "t.csv", HEADER, "only a header", ""),
            ("c", "t.csv", HEADER + "\n\r\n\n", "only a header", ""),
            ("d", "t.tsv", "\n\n", "the file is empty", ""),
            ("e", "t.jsonl", "", "the file is empty", ""),
            ("f", "t.conll", "", "the file is empty", ""),
            ("g", "t.conll", "-DOCSTART- O\n\n\n", "the file holds none", ""),
            ("h", "t.conllu", "", "the file is empty", ""),
            ("i", "t.json", "", "the file is empty", "t.json:1"),
            ("j", "t.json", "[]", "the array is empty", ""),
            ("k", "t.json", '{"data": [{"paragraphs": []}]}', "the file holds none", ""),
        )
    ),
    Read("D10l", "t.csv", HEADER + "\n\nbom,a\n\n", [{"text": "bom", "label": "a"}]),
    Read("D11a", "t.csv", HEADER + "NA,None\nnull,nan\nnan,null\n", [{"text": t, "label": b} for t, b in
         (("NA", "None"), ("null", "nan"), ("nan", "null"))]),
    Read("D11b", "t.csv", HEADER + "007,01\n", [{"text": "007", "label": "01"}]),
    *(
        Read(f"D15{letter}", "t.jsonl", f'{{"text": "bom"}}\n{line}\n', code=code, place="t.jsonl:2", says=says,
             sound=1)
        for letter, line, code, says in (
            ("a", '{"text": NaN}', "not-finite", ("'NaN' is not a finite number", "null")),
            ("b", '{"text": "a", "text": "b"}', "duplicate-key", ("'text' stands twice", "remove one")),
            ("c", '{"a": 1}{"a": 2}', "bad-json", ("several objects on one line", "one a line")),
            ("d", '{"a": 1},', "bad-json", ("a trailing comma at column 9", "remove it")),
            ("e", '{"a": "\\ud83d"}', "lone-surrogate", ("\\ud83d, half of a surrogate pair",)),
            ("f", "[" * 100_000, "too-deep", ("more than 100 deep", "flatter")),
            ("g", f'{{"a": {"9" * 100_000}}}', "too-long", ("too many digits", "as a string")),
            ("h", '{"a": 1e400}', "not-finite", ("not a finite number",)),
            ("i", '"text"', "not-an-object", ("a JSON object is expected, found a string",)),
        )
    ),
    Read("D15j", "t.jsonl", '[\n{"a": 1},\n{"a": 2}\n]\n', [{"a": 1}, {"a": 2}]),
    Read("D15k", "t.json", '{"a": 1}\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
    Read("D15l", "t.json", '{"a":\n 1} {"a":\n 2}', [{"a": 1}, {"a": 2}]),
    Read("D18a", "t.conll", "Ana\tB-PER\nri\tO\n\nem O\nLisboa  B-LOC", [{"1": ["Ana", "ri"], "2": ["B-PER", "O"]},
         {"1": ["em", "Lisboa"], "2": ["O", "B-LOC"]}]),
    Read("D18b", "t.conll", "Ana B-PER\nmora O\t\n\nsim O\n", code="ragged-line", place="t.conll:2", sound=1,
         says=("column 2 is empty", "either tabs or blanks")),
    Read("D18c", "t.conll", "Ana NP\tB-PER\nri VP O\nsim IN O\n\nsim IN O\n", code="ragged-line", place="t.conll:1",
         sound=1, says=("expected 3 columns", "found 2", "either tabs or blanks")),
    Read("D18d", "t.conll", "Ana B-PER\nri O extra\n\nsim O\n", code="ragged-line", place="t.conll:2", sound=1,
         says=("expected 2 columns as in the other lines, found 3",)),
    Read("D18e", "t.conll", "# id 1\nAna B-PER\nri O\n\nsim O\n", [{"1": ["Ana", "ri"], "2": ["B-PER", "O"]},
         {"1": ["sim"], "2": ["O"]}]),
    Read("D18f", "t.conll", "-DOCSTART- -X- O\n\nAna NP B-PER\n\n", [{"1": ["Ana"], "2": ["NP"], "3": ["B-PER"]}]),
    Read("D18g", "t.conll", "Nova Iorque\tB-LOC\nri\tO\n", [{"1": ["Nova Iorque", "ri"], "2": ["B-LOC", "O"]}]),
    Read("D18h", "t.conll", "10\xa0km O\nx\x85 O\n", [{"1": ["10\xa0km", "x\x85"], "2": ["O", "O"]}]),
]  # fmt: skip


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test works in an empty folder of its own, so that places are bare names."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, data: bytes | str) -> None:
    Path(name).write_bytes(data.encode() if isinstance(data, str) else data)


def everything(source: Any, **how: Any) -> list[Row | Problem]:
    """All items of a source; what ends it early is among them."""
    found: list[Row | Problem] = []
    try:
        found.extend(read(source, **how))
    except DataError as error:
        found += error.problems
    return found


@pytest.mark.parametrize("case", READ, ids=lambda case: case.id)
def test_what_is_read(case: Read) -> None:
    write(case.name, case.data)
    found = everything(case.name, **case.how)
    problems = [item for item in found if isinstance(item, Problem)]
    if case.rows is not None:
        assert problems == []
        assert [row.values for row in found if isinstance(row, Row)] == list(case.rows)
        return
    (problem,) = problems
    assert (problem.code, problem.place) == (case.code, case.place)
    for words in case.says:
        assert words in f"{problem.message}; {problem.fix}"
    assert len(found) - 1 == case.sound


# ---- what is judged


@dataclass(frozen=True)
class Judged:
    """Training data (rows, or a file) for `gather` and `judge`: the severity, code, place and words of what is found.

    The severity `refused` is an error that ends everything; "" says that there is no finding of that code.
    """

    id: str
    task: str
    train: Rows | tuple[str, str]
    severity: str
    code: str
    says: tuple[str, ...] = ()
    place: str = ""
    validation: Rows | None = None
    test: Rows | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    count: int | None = None


def texts(*labels: Any, each: int = 12, start: int = 0) -> list[dict[str, Any]]:
    return [{"text": f"frase {start + i} de {label!r}", "label": label} for label in labels for i in range(each)]


def scores(*more: Any) -> list[dict[str, Any]]:
    return [{"text": f"frase {i}", "score": value} for i, value in enumerate([*range(12), *more])]


def spans(text: str, *marks: tuple[Any, ...], good: int = 6) -> list[dict[str, Any]]:
    fine = [{"text": f"mora {i} em Lisboa", "spans": [[10, 16, "LOC"]]} for i in range(good)]
    return [{"text": text, "spans": [list(mark) for mark in marks]}, *fine]


def many_spans(text: str, start: int, end: int) -> list[dict[str, Any]]:
    """Ten texts that differ in a digit, with the same span."""
    return [{"text": text.format(i), "spans": [[start, end, "LOC"]]} for i in range(10)]


def questions(**row: Any) -> list[dict[str, Any]]:
    good = [
        {"question": f"quem {i}?", "context": f"a gata {i} dorme", "answers": [{"text": "gata", "answer_start": 2}]}
        for i in range(4)
    ]
    return [{"question": "who?", "context": "the cat and the cat", "answers": [], **row}, *good]


def pairs(*more: Mapping[str, Any], number: int = 24) -> list[Mapping[str, Any]]:
    fine = [{"premise": f"chove {i}", "hypothesis": f"it rains {i}", "label": "ab"[i % 2]} for i in range(number)]
    return [*fine, *more]


def sets(*cells: Any) -> list[dict[str, Any]]:
    return [{"text": f"frase {i}", "labels": cell} for i, cell in enumerate(cells)]


def squad(*, more: int = 1, **question: Any) -> tuple[str, str]:
    fine = [
        {"id": f"z{i}", "question": f"onde {i}?", "answers": [{"text": "gata", "answer_start": 2}]} for i in range(more)
    ]
    paragraph = {"context": "a gata dorme", "qas": [{"id": "a", "question": "quem?", **question}, *fine]}
    return "train.json", json.dumps({"data": [{"paragraphs": [paragraph]}]})


NFC, NFD = "n\u00e3o", "na\u0303o"
IOB = {"task": "tokens", "validation": [{"tokens": ["um"], "tags": ["O"]}]}


def words(*sentences: str) -> list[dict[str, Any]]:
    """Sentences of `word/tag` pairs."""
    split = [[pair.rpartition("/")[::2] for pair in sentence.split(" ")] for sentence in sentences]
    return [{"tokens": [word for word, _ in some], "tags": [tag for _, tag in some]} for some in split]


LOOKALIKES = "lookalike-labels"
JUDGED = [
    Judged("D11c", "classification", texts("None", "NA"), "", "empty-label"),
    Judged("D12a", "classification", texts("Sim", "sim ", "b"), "warning", LOOKALIKES, ("'Sim' (12), 'sim ' (12)",)),
    Judged("D12b", "classification", texts(" pos", "pos"), "warning", LOOKALIKES, ("' pos' (12), 'pos' (12)",)),
    Judged("D12c", "classification", texts(NFC, NFD), "warning", LOOKALIKES, (r"'na\u0303o' (12), 'n\xe3o' (12)",)),
    Judged("D12d", "classification", texts("pos", "pos\u200b"), "warning", LOOKALIKES, (r"'pos\u200b'",)),
    Judged("D12e", "classification", texts(NFC, "sim"), "error", "unseen-countable",
           (r"label 'na\u0303o' does not occur", r"did you mean 'n\xe3o'?"), "validation row 1", texts(NFD, each=1)),
    Judged("D12f", "multilabel", sets(["a "], ["a"], ["b"]), "warning", LOOKALIKES, ("'a' (1), 'a ' (1)",)),
    Judged("D12g", "tokens", words("Ana/B-PER ri/O", "Rui/B-per"), "warning", LOOKALIKES, ("'PER' (1), 'per' (1)",)),
    Judged("D13a", "classification", texts("a", "b"), "error", "unseen-countable",
           ("label 'c' does not occur in the training data, which has: 'a', 'b'", "--unseen count"), "test row 1",
           texts("a", each=2, start=50), texts("c", each=2)),
    Judged("D13b", "classification", [*texts("a", "b"), *texts("c", each=1)], "warning", "rare-label", ("'c' (1)",),
           validation=texts("a", each=2, start=50)),
    Judged("D13c", "classification", texts("a"), "refused", "", ("the training data hold 1 label ('a')",
           "two or more")),
    Judged("D13d", "tokens", words(*["Ana/B-PER ri/O"] * 12, "Rio/B-LOC"), "warning", "rare-label", ("'LOC' (1)",)),
    Judged("D13e", "tokens", words("um/O dois/O", "sim/O"), "refused", "", ("has the tag O", "right column")),
    Judged("D13f", "tokens", words("Ana/B-PER ri/O"), "error", "unseen-countable", ("'LOC' does not occur",),
           "validation row 1", words("Rio/B-LOC")),
    Judged("D13g", "regression", [{"text": f"frase {i}", "score": 3} for i in range(9)], "refused", "",
           ("do not vary",)),
    *(
        Judged(f"D14{letter}", "regression", scores(value), "error", code, says, "train row 13")
        for letter, value, code, says in (
            ("a", "1,500", "not-a-number", ("found '1,500'", "'.' as the decimal point")),
            ("b", "nan", "not-finite", ("expected a finite number, found 'nan'", "drop the row")),
            ("c", "-Infinity", "not-finite", ("found '-Infinity'",)),
            ("d", "1_000", "not-a-number", ("found '1_000'",)),
            ("e", "1.234,5", "not-a-number", ("no comma",)),
            ("f", "\u22121.5", "not-a-number", ("other minus than '-'",)),
            ("g", "50%", "not-a-number", ("unit",)),
            ("h", "", "empty-label", ("holds no number",)),
            ("i", float("nan"), "empty-label", ("holds no number",)),
        )
    ),
    Judged("D16a", "classification", [*texts("a", "b"), {"text": "FRASE  0 de 'A'", "label": "a"}], "note",
           "duplicates",
           ("1 example (4.0%) like an earlier one",), "train row 25"),
    Judged("D16b", "classification", [*texts("a", "b"), {"text": "frase 0 de 'a'", "label": "b"}], "warning",
           "contradictions", ("1 text with more than one answer", "'a', 'b'"), "train row 1"),
    Judged("D16c", "classification", texts("a", "b"), "warning", "leak", ("2 examples (100.0%) stand in train too",),
           "validation row 1", texts("a", each=2)),
    Judged("D16d", "classification", texts("a", "b"), "warning", "test-in-validation", ("stand in validation too",),
           "test row 1", texts("a", each=2, start=50), texts("a", each=2, start=50)),
    Judged("D16e", "classification", [*texts("a", "b"), {"text": "ca\u0303o", "label": "a"},
           {"text": "c\u00e3o", "label": "a"}], "note", "duplicates", ("1 example",), "train row 26"),
    *(
        Judged(f"D17{letter}", "classification", [*texts("a", "b"), {"text": text, "label": "a"}], "error",
               "empty-text",
               says, "train row 25")
        for letter, text, says in (
            ("a", "", ("column 'text' is empty", "write the text or drop the row")),
            ("b", " \t\xa0\u3000", ("is empty",)),
            ("c", "\x07\x01", (r"shows nothing: '\x07\x01'",)),
            ("d", "\u200b\ufeff\xad", (r"shows nothing: '\u200b\ufeff\xad'",)),
        )
    ),
    Judged("D17e", "classification", [*texts("a", "b"), {"text": "um\x07 sino", "label": "a"}], "note", "control",
           ("control characters in 1 example (4.0%)",), "train row 25"),
    Judged("D17f", "classification", [*texts("a", "b"), {"text": "x", "label": "\u200b"}], "error", "empty-label",
           ("holds no label",), "train row 25"),
    Judged("D18i", "tokens", words("Ana/I-PER ri/O Rio/I-LOC Tejo/B-LOC"), "", "orphan-tag"),
    Judged("D18j", "tokens", words("Ana/B-PER de/I-PER Sá/L-PER ri/O Rui/U-PER"), "", "orphan-tag"),
    Judged("D18k", "tokens", words("ri/O Ana/I-PER", *["Rui/B-PER ri/O"] * 3), "warning", "orphan-tag",
           ("word 2: 'I-PER' goes on with an entity that does not begin before it", "options.strict"), "train row 1"),
    Judged("D18l", "tokens", words("Ana/B-PER Sá/I-LOC ri/O", *["Rui/B-PER ri/O"] * 3), "warning", "orphan-tag",
           ("word 2: 'I-LOC'",), "train row 1"),
    Judged("D18m", "tokens", words("Ana/B- ri/O", "Rui/B-PER ri/O"), "refused", "bad-tag",
           ("word 1: 'B-' is not a tag of an entity", "B-PER", "options.kind=plain"), "train row 1"),
    Judged("D18n", "tokens", words("Ana/b-per ri/O", "Rui/B-PER ri/O"), "refused", "bad-tag", ("'b-per' is not a tag",),
           "train row 1"),
    Judged("D18o", "tokens", words("Ana/b-per ri/o", "Rui/i-per ri/o"), "", "bad-tag"),
    Judged("D18p", "tokens", words("Ana/B_PER ri/O"), "", "bad-tag"),
    Judged("D18q", "tokens", words("Ana/B-PER ri/0", "Rui/B-PER ri/O"), "refused", "bad-tag", ("word 2: '0'",),
           "train row 1"),
    Judged("D18r", "tokens", words("Ana/B-PER ri/O"), "error", "bad-tag", ("'per' is not a tag",), "validation row 1",
           words("Rui/per")),
    Judged("D18s", "tokens", words("a/DET gata/NOUN dorme/VERB"), "", "bad-tag"),
    Judged("D18t", "tokens", words("\u200b/O \xa0/O Ana/B-PER"), "note", "invisible", ("zero-width",), "train row 1"),
    Judged("D18u", "tokens", ("train.conll", "Ana B-PER\nri O\n\nRui B\nri O\n"), "refused", "bad-tag",
           ("word 1: 'B'",),
           "train.conll:4"),
    Judged("D19a", "tokens", spans("Ana mora em Lisboa", (12, 17, "LOC")), "warning", "cut-span",
           ("span [12, 17) 'LOC' 'Lisbo' cuts a word", "off by one"), "train row 1"),
    Judged("D19b", "tokens", many_spans("mora {} em Lisboa.", 10, 15), "refused", "offset-unit",
           ("'Lisbo' cuts a word", "Add 1 to each end", "--offsets characters"), "train row 1"),
    Judged("D19c", "tokens", many_spans("mora {} em Lisboa.", 11, 17), "refused", "offset-unit", ("Take 1 from each",),
           "train row 1"),
    Judged("D19d", "tokens", many_spans("😀😀😀 {} em Lisboa agora", 12, 18), "refused", "offset-unit",
           ("in UTF-16 units they fit: --offsets utf16",), "train row 1"),
    Judged("D19e", "tokens", many_spans("não vão {} em Lisboa agora", 15, 21), "refused", "offset-unit",
           ("in UTF-8 bytes they fit: --offsets bytes",), "train row 1"),
    Judged("D19f", "tokens", spans("😀 Lisboa", (3, 9, "LOC")), "error", "bad-span",
           ("ends after the text", "--offsets utf16"), "train row 1"),
    Judged("D19g", "tokens", spans("em Lisboa", (9, 3, "LOC")), "error", "bad-span", ("ends before it starts",),
           "train row 1"),
    Judged("D19h", "tokens", spans("em Lisboa", (3, 3, "LOC")), "error", "bad-span", ("[3, 3) 'LOC' is empty",),
           "train row 1"),
    Judged("D19i", "tokens", spans("em Lisboa", (3, 90, "LOC")), "error", "bad-span",
           ("ends after the text, which has 9 characters",), "train row 1"),
    Judged("D19j", "tokens", spans("em Lisboa", (-6, 3, "LOC")), "error", "bad-span", ("starts before the text",),
           "train row 1"),
    Judged("D19k", "tokens", spans("in an hour", (0, 10, "TIME"), (3, 10, "DATE")), "warning", "overlapping-spans",
           ("[3, 10) 'DATE' 'an hour' overlaps", "the longer one is trained on"), "train row 1"),
    Judged("D19l", "tokens", spans("in an hour", (3, 10, "TIME"), (3, 10, "DATE")), "warning", "overlapping-spans",
           ("overlaps another span",), "train row 1"),
    Judged("D19m", "tokens", spans("em Lisboa", (2, 3, "LOC")), "error", "bad-span", ("holds only blanks",),
           "train row 1"),
    Judged("D19n", "tokens", spans("em \u200b Lisboa", (3, 4, "LOC")), "error", "bad-span", ("holds only blanks",),
           "train row 1"),
    Judged("D19o", "tokens", spans("em Sa\u0303o Paulo", (3, 5, "LOC")), "warning", "cut-span", ("cuts a character",),
           "train row 1"),
    Judged("D19p", "tokens", many_spans("Ana\r\nmora {} em\r\nLisboa agora", 14, 20), "refused", "offset-unit",
           ("each line end counted as one character",), "train row 1"),
    Judged("D19q", "tokens", [{"text": "em Lisboa", "spans": [{"start": 2, "end": 8, "label": "LOC",
           "text": "Lisboa"}]},
           *spans("em Lisboa", (3, 9, "LOC"))], "error", "bad-span", ("should hold 'Lisboa', found ' Lisbo'",),
           "train row 1"),
    Judged("D19r", "tokens", [{"text": "em Lisboa", "spans": '3 a 9: "LOC"'}, *spans("em Lisboa", (3, 9, "LOC"))],
           "error", "not-spans", ("found str", "write a list"), "train row 1"),
    Judged("D19s", "tokens", many_spans("我住在里斯本市{}很久", 3, 6), "", "cut-span"),
    Judged("D20a", "answers", questions(answers=[{"text": "dog", "answer_start": 4}]), "error", "bad-answer",
           ("'dog' is not in the passage", "copy the answer"), "train row 1"),
    Judged("D20b", "answers", questions(answers=[{"text": "cat", "answer_start": 15}]), "error", "bad-answer",
           ("stands 2 times", "not at answer_start 15", "it is at 16 or 4"), "train row 1"),
    Judged("D20c", "answers", questions(answers="cat"), "error", "bad-answer", ("no answer_start is given",
           "at 4 or 16"),
           "train row 1"),
    Judged("D20d", "answers", questions(answers=[{"text": " ", "answer_start": 3}]), "error", "not-answers",
           ("expected answers", "write no answer, []"), "train row 1"),
    Judged("D20e", "answers", questions(context=f"mora em S{NFD[1:3]}o Paulo", answers="S\u00e3o Paulo"), "error",
           "bad-answer", ("in another Unicode form", "NFC"), "train row 1"),
    Judged("D20f", "answers", questions(context="10\xa0km", answers="10 km"), "error", "bad-answer",
           ("in other letters or blanks",), "train row 1"),
    Judged("D20g", "answers", questions(is_impossible=True, answers=[{"text": "cat", "answer_start": 4}]), "error",
           "contradictory-flag", ("is_impossible is true, and there are answers",), "train row 1"),
    Judged("D20h", "answers", squad(answers=[], is_impossible=False), "error", "contradictory-flag",
           ("is_impossible is false, and there is no answer",), "train.json:data[0].paragraphs[0].qas[0]"),
    Judged("D20i", "answers", squad(answers=[{"text": "gata", "answer_start": 2}], is_impossible=True), "error",
           "contradictory-flag", ("correct one of them",), "train.json:data[0].paragraphs[0].qas[0]"),
    Judged("D20j", "answers", squad(answers=[], is_impossible=True), "", "contradictory-flag"),
    Judged("D21a", "classification", pairs({"premise": "chove", "hypothesis": "", "label": "a"}), "error", "empty-text",
           ("column 'hypothesis' is empty",), "train row 25"),
    Judged("D21b", "classification", pairs({"premise": "chove", "hypothesis": None, "label": "a"}), "error",
           "not-a-text",
           ("expected a text, found nothing", "drop the row"), "train row 25"),
    Judged("D21c", "classification", pairs(), "warning", "mirrored-leak", ("1 pair (100.0%)", "texts swapped"),
           "validation row 1", [{"premise": "It rains 3", "hypothesis": "chove 3", "label": "b"}]),
    Judged("D22a", "multilabel", sets("a;b", ["a", "b"], "", None, []), "", "not-labels"),
    Judged("D22b", "multilabel", sets("a,b", "b,c", "c,a"), "refused", "", ("'a,b' looks separated by ','",
           "options.separator=','")),
    Judged("D22c", "multilabel", sets("a", "b", "c", "a | b"), "warning", "unsplit-label",
           ("the label 'a | b' looks like several, separated by '|'", "options.separator='|'"), "train row 4"),
    Judged("D22d", "multilabel", sets("a", "[a, b]"), "error", "not-labels", ("found a list", "a;b", "['a', 'b']"),
           "train row 2"),
    Judged("D22e", "multilabel", sets("a", ["a", " "]), "error", "empty-label", ("an empty label",), "train row 2"),
    Judged("D22f", "multilabel", sets("a;;b", "a"), "error", "empty-label", ("remove a separator",), "train row 1"),
    Judged("D22g", "multilabel", sets("a;a", "a"), "error", "repeated-label", ("'a' stands twice",), "train row 1"),
    *(
        Judged(f"D23{letter}", "classification", [*texts("a", "b"), {"text": text, "label": "a"}], severity, code, says,
               "train row 25")
        for letter, text, severity, code, says in (
            ("a", "#REF!", "warning", "spreadsheet-error", ("#REF!, #N/A", "1 example (4.0%)")),
            ("b", "#NOME?", "warning", "spreadsheet-error", ()),
            ("c", "A &amp; B", "note", "html", ("HTML in 1 example (4.0%), for example '&amp;'",)),
            ("d", "um<br />dois", "note", "html", ("'<br />'",)),
            ("e", "it #39;s", "note", "html", ("'#39;'",)),
            ("f", "pala\xadvra", "note", "invisible", (r"'\xad'",)),
            ("g", "nÃ£o sei", "note", "mojibake", ("a wrong encoding",)),
            ("h", "n\ufffdo", "note", "mojibake", ()),
            ("i", "“sim”, disse ‘ela’ – 1 < 2 > 0 & #1", "", "html", ()),
        )
    ),
    Judged("D23j", "classification", texts("a", "b", "#N/A"), "warning", "spreadsheet-error", ("12 examples",),
           "train row 25"),
    Judged("D23k", "classification", [*texts("a", "b"), {"text": "“sim”", "label": "a"}], "", "mojibake"),
]  # fmt: skip

VALIDATION = {
    "classification": texts("a", each=2, start=70),
    "multilabel": sets("a"),
    "regression": [{"text": "outra", "score": 1}],
    "tokens": [{"text": "em Braga", "spans": []}],
    "answers": [{"question": "x?", "context": "uma gata", "answers": "gata"}],
}


def validation_for(case: Judged) -> Rows:
    if case.validation is not None:
        return case.validation
    first = {} if isinstance(case.train, tuple) else case.train[0]
    if "premise" in first:
        return [{"premise": "faz sol", "hypothesis": "it is sunny", "label": "a"}]
    if case.task == "tokens" and "text" not in first:
        return [{k: list(v) for k, v in zip(("tokens", "tags"), (["um"], [first.get("tags", ["O"])[-1]]), strict=True)}]
    if case.task == "classification" and first:
        return [{"text": "uma frase nova", "label": first["label"]}]
    return VALIDATION[case.task]


@pytest.mark.parametrize("case", JUDGED, ids=lambda case: case.id)
def test_what_is_judged(case: Judged) -> None:
    settings: dict[str, Any] = {"task": case.task, **case.options}
    sources: dict[str, Any] = {"validation": validation_for(case)}
    if isinstance(case.train, tuple):
        write(*case.train)
        settings["data.train"] = case.train[0]
        if case.task == "tokens":
            write("validation.conll", "um O\n")
            settings["data.validation"] = "validation.conll"
            del sources["validation"]
    else:
        sources["train"] = case.train
    if case.test is not None:
        sources["test"] = case.test
    config = load(None, settings)
    if case.severity == "refused":
        with pytest.raises(AfinaError) as caught:
            read_data(config, sources)
        assert caught.value.exit_code == 2
        for some in case.says:
            assert some in str(caught.value)
        if isinstance(caught.value, DataError):
            assert {one.code for one in caught.value.problems} == {case.code}
            assert caught.value.problems[0].place == case.place
        return
    data, problems = gather(config, sources)
    found = {one.code: one for one in audit(data.task, data.splits, problems=problems)}
    if not case.severity:
        assert case.code not in found
        assert problems == []
        return
    finding = found[case.code]
    assert finding.severity == case.severity
    for some in case.says:
        assert some in finding.message
    if case.place:
        assert finding.places[0] == case.place


# ---- what needs more than a table


def test_d12h_numbers_truth_values_and_words_that_are_one_label() -> None:
    data, problems = gather(load(None, {}), {"train": texts(1, 1.0, "1", 0, "0"), "validation": texts(1, each=1)})
    assert problems == []
    assert data.task.fitted["labels"] == ["0", "1"]


def test_d17g_the_share_over_the_limit_is_told() -> None:
    from afina.quality.lengths import length_findings

    rows = [
        *texts("a", "b", each=4),
        {"text": "the cat sleeps " * 20, "label": "a"},
        {"text": "dog " * 40, "label": "b"},
    ]
    data, _ = gather(load(None, {}), {"train": rows, "validation": texts("a", each=2, start=9)})
    tokenizer = Tokenizer(made.tiny_tokenizer("bert"), 32)
    found = length_findings(data.task, data.splits["train"], tokenizer=tokenizer, name="train")
    (cut,) = [one for one in found if one.code == "truncated"]
    assert cut.message.startswith("train: 2 texts (20.0%) longer than 32 tokens, ")
    assert cut.places == ("train row 9", "train row 10")


@pytest.mark.parametrize("subwords", ["first", "all"])
def test_d18v_every_word_of_a_very_long_sentence_gets_a_tag(subwords: Any) -> None:
    """Over 512 word pieces, with words that the tokenizer turns into nothing."""
    sentence = ["Lisboa", "\u200b", "the", "\xa0", "cat"] * 150
    gold = ["B-LOC", "O", "O", "O", "O"] * 150
    task = Tokens(TokensOptions(tokens="tokens", tags="tags", subwords=subwords)).fit(
        [Tokens(TokensOptions(tokens="tokens", tags="tags")).read(Row({"tokens": sentence, "tags": gold}, "x"))]
    )
    example = task.read(Row({"tokens": sentence, "tags": gold}, "x"))
    tokenizer = Tokenizer(made.tiny_tokenizer("bert"), 64)
    (features,) = tokenizer.encode([example], slides=True)
    assert sum(len(window) for window in features.windows) > 512
    logits = []
    for window in features.windows:
        target = np.maximum(task.encode_target(example, window), 0)
        logits.append(30.0 * np.eye(len(task.tags))[target])
    assert task.decode(example, features.windows, logits)["tags"] == gold


def test_d19t_a_span_that_cuts_a_word_piece_is_counted() -> None:
    task = Tokens(TokensOptions(text="text", label="spans"), {"kind": "entities", "types": ["LOC"], "scheme": "spans"})
    example = task.read(Row({"text": "the cat sleeps", "spans": [[4, 7, "LOC"], [9, 12, "LOC"]]}, "x"))
    (features,) = Tokenizer(made.tiny_tokenizer("bert"), 32).encode([example], slides=True)
    assert task.coverage(example, features.windows) == ["", "with an edge inside a token"]


def test_d19u_blanks_at_the_edges_are_left_out() -> None:
    task = Tokens(TokensOptions(text="text", label="spans"))
    (span,) = task.read(Row({"text": "em Lisboa .", "spans": [[2, 10, "LOC"]]}, "x")).target
    assert (span.start, span.end) == (3, 9)


def test_d20k_an_answer_is_found_where_it_is() -> None:
    """A wrong answer_start is mended where the text stands only once; blanks at the edges go."""
    task = Answers(AnswersOptions(question="q", context="c", answer="a"))
    for answer in ({"text": "gata", "answer_start": 9}, {"text": " gata ", "answer_start": 1}):
        row = Row({"q": "quem?", "c": "a gata dorme", "a": [answer]}, "x")
        assert task.read(row).target == (Answer(2, 6, "gata"),)


def test_d20l_an_answer_over_the_border_of_a_window_is_held_by_another() -> None:
    tokenizer = Tokenizer(made.tiny_tokenizer("bert"), 24)
    context = "the cat sleeps on the mat and the dog barks at the bird " * 3
    start = context.index("barks at")
    example = Example("who?", context, (Answer(start, start + 8, "barks at"),), "x")
    windows = tokenizer.encode([example], slides=True, overlap=6)[0].windows
    task = Answers(AnswersOptions(), {"no_answer": True})
    assert len(windows) > 1
    assert task.coverage(example, windows) == [""]


# ---- D24: files that are none, or change


def refused(source: str) -> Problem:
    with pytest.raises(DataError) as caught:
        list(read(source))
    (problem,) = caught.value.problems
    return problem


def test_d24a_a_file_that_grows_while_it_is_read() -> None:
    write("t.csv", HEADER + "bom,a\n" * 10)
    items = read("t.csv")
    assert isinstance(next(items), Row)
    with Path("t.csv").open("a") as file:
        file.write("mais,b\n")
    with pytest.raises(DataError, match=r"t.csv: the file was changed while it was read; start again"):
        list(items)


def test_d24b_a_file_that_is_rewritten_while_it_is_read() -> None:
    write("t.jsonl", '{"a": 1}\n' * 10)
    items = read("t.jsonl")
    next(items)
    os.utime("t.jsonl", ns=(0, 0))
    with pytest.raises(DataError, match="changed while it was read"):
        list(items)


def test_d24c_what_is_no_file() -> None:
    Path("folder.csv").mkdir()
    assert refused("folder.csv").code == "no-file"
    os.mkfifo("pipe.csv")
    assert (refused("pipe.csv").code, "pipe" in refused("pipe.csv").message) == ("not-a-file", True)
    Path("loop.csv").symlink_to("loop.csv")
    assert "can't be read" in refused("loop.csv").message
    Path("lost.csv").symlink_to("nowhere.csv")
    assert refused("lost.csv").code == "no-file"


def test_d24d_packed_files_are_known_by_their_first_bytes() -> None:
    write("t.csv", b"\x1f\x8b\x08\0\0")
    assert refused("t.csv").code == "damaged"
    write("u.csv", b"PK\x03\x04\x14\0")
    assert refused("u.csv").code == "damaged"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_d24e_no_permission() -> None:
    write("t.csv", HEADER + "bom,a\n")
    Path("t.csv").chmod(0)
    assert "Permission denied" in refused("t.csv").message


# ---- D25: many rows


FORMS = {
    "t.csv": (HEADER, '"bom dia, disse ela {i}",a\n'),
    "t.tsv": ("text\tlabel\n", "bom dia, disse ela {i}\ta\n"),
    "t.jsonl": ("", '{{"text": "bom dia, disse ela {i}", "label": "a"}}\n'),
    "t.conll": ("", "bom O\nAna{i} B-PER\n\n"),
}


def peak_of(name: str, number: int) -> int:
    """Bytes that Python holds at most while a file of so many records is read."""
    header, line = FORMS[name]
    with Path(name).open("w", encoding="utf-8") as file:
        file.write(header)
        file.writelines(line.format(i=i) for i in range(number))
    tracemalloc.start()
    assert sum(isinstance(item, Row) for item in read(name)) == number
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("name", FORMS)
def test_d25a_reading_does_not_hold_what_was_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_lines, "CHUNK", 1 << 14)
    monkeypatch.setattr(encodings, "CHUNK", 1 << 14)
    monkeypatch.setattr(data_lines, "HEAD_BYTES", 1 << 14)
    few = peak_of(name, 5_000)
    assert peak_of(name, 20_000) < few + 50_000
    assert Path(name).stat().st_size > 300_000


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMS)
def test_d25b_a_million_rows_take_no_more_memory(name: str) -> None:
    assert peak_of(name, 1_000_000) < 16_000_000


# ---- the worst, through the real command

GOOD = "".join(f"frase {i},{label}\n" for i in range(4) for label in "ab")
COMMANDS: dict[str, tuple[str, bytes | str, list[str], tuple[str, ...]]] = {
    "D02x": ("train.csv", (HEADER + GOOD).encode() + b"caf\x81,a\n", [], ("train.csv:10", "--encoding")),
    "D05x": ("train.csv", HEADER + GOOD + 'ele "sim,a\n"não,b\nfim,a\n', [], ("train.csv:11", "rest of the file")),
    "D06x": ("train.csv", HEADER + GOOD + "um, dois,a\n", [], ("train.csv:10", "unquoted ','")),
    "D08x": ("train.csv", "text;label\nbom;a\nmau\n", [], ("train.csv:1", "--delimiter ';'")),
    "D10x": ("train.conll", "-DOCSTART- O\n\n", ["--task", "tokens"], ("train.conll: no rows",)),
    "D13x": ("train.csv", HEADER + "bom,a\nmau,a\n", [], ("hold 1 label ('a')",)),
    "D14x": ("train.csv", 'text,score\nbom,1\nmau,2\num,"1,500"\n', ["--task", "regression"],
             ("train.csv:4", "'.' as the decimal point")),
    "D15x": ("train.jsonl", "".join(f'{{"text": "frase {i}", "label": "a"}}\n' for i in range(4)) + '{"text": NaN}\n',
             [], ("train.jsonl:5", "not a finite number")),
    "D17x": ("train.csv", HEADER + GOOD + "\u200b,b\n", [], ("train.csv:10", "shows nothing")),
    "D18x": ("train.conll", "Ana b-per\nri O\nEva B-PER\n\nAna b-per\nEva B-PER\n", ["--task", "tokens"],
             ("train.conll:1", "'b-per'")),
    "D20x": (*squad(answers=[], is_impossible=False, more=2), ["--task", "answers"],
             ("paragraphs[0].qas[0]", "is_impossible is false")),
    "D22x": ("train.csv", "text,labels\nbom,a\nmau,b\num,\"[a, b]\"\n", ["--task", "multilabel"],
             ("train.csv:4", "a list")),
    "D24x": ("train.csv", b"PK\x03\x04\0\0", [], ("train.csv: cut short or damaged: it begins as zip",)),
}  # fmt: skip


@pytest.mark.parametrize("command", ["check", "train"])
@pytest.mark.parametrize("case", COMMANDS)
def test_the_command_says_it_and_writes_nothing(command: str, case: str, tiny: Callable[[str], Path]) -> None:
    train, data, flags, says = COMMANDS[case]
    write(train, data)
    before = {path: path.read_bytes() for path in Path().iterdir()}
    arguments = [command, "--train", train, "--model", str(tiny("bert")), "--out", "run", *flags]
    result = CliRunner().invoke(program(), arguments, prog_name="afina")
    assert result.exit_code == 2, result.output
    for some in says:
        assert some in result.output
    assert "Traceback" not in result.output
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


# ---- whatever the bytes are

ENDINGS = ("csv", "tsv", "txt", "jsonl", "conll", "conllu", "json")
CHUNKS = [
    b"\n", b"\r\n", b"\r", b"\t", b",", b'"', b" ", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"O", b"B-X", b"{",
    b"}",
    b"[", b"]", b'{"text": "a"}', b'"data"', b":", b"1", b"\\ud800", b"#", b"-DOCSTART-", "ção".encode(), b"text",
    b"\x1f\x8b",
    b'[{"text": "a", "label": 1}]', b'{"data": [{"paragraphs": [{"context": "c", "qas": [{"question": "q"}]}]}]}',
    b"1\ta\ta\tX\t_\t_\t0\troot\t_\t_\n",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bytes")


@pytest.mark.parametrize("ending", ENDINGS)
@given(data=st.lists(st.sampled_from(CHUNKS) | st.binary(max_size=4), max_size=24).map(b"".join))
def test_any_bytes_are_rows_or_problems_and_none_is_counted_twice(folder: Path, ending: str, data: bytes) -> None:
    path = folder / f"any.{ending}"
    path.write_bytes(data)
    found = everything(path)
    assert found
    for item in found:
        assert isinstance(item, Row | Problem)
        assert item.place.startswith(str(path))
        assert isinstance(item, Row) or (item.message and item.code)
    # What comes out lies in the file, in this order, and nothing of it twice.
    at = 0
    for item in found:
        at = data.index(item.raw, at) + len(item.raw)


# ---- the catalogue is whole

ELSEWHERE = {
    "D04": ["test_lines.py::test_a_lone_return_ends_a_tsv_line_only_where_there_is_no_newline"],
    "D05": ["test_delimited.py::test_an_open_quote_before_more_text_than_a_field_holds"],
    "D15": ["test_jsonl.py::test_faults_of_a_json_line", "test_jsonl.py::test_an_array_is_read_as_json"],
    "D16": ["../quality/test_near_duplicates.py", "test_natural.py::test_sick"],
    "D18": ["../tasks/test_tokens.py::test_words_to_windows_to_words_is_the_identity"],
    "D19": ["../tasks/test_markup.py::test_right_offsets_are_never_suspected"],
    "D24": ["test_sources.py::test_files_that_can_not_be_read"],
    "D25": ["test_sources.py::test_a_large_file_is_read_in_flat_memory"],
}
CASES: dict[str, list[str]] = {f"D{number:02}": ELSEWHERE.get(f"D{number:02}", []) for number in range(1, 26)}
"""Each case and its tests: ids of the tables above, functions of this file, tests elsewhere."""
for _id in [*(case.id for case in READ), *(case.id for case in JUDGED), *COMMANDS]:
    CASES[_id[:3]].append(_id)
for _name in [name for name in globals() if name.startswith("test_d")]:
    CASES[_name[5:8].upper()].append(_name)


def test_every_case_of_the_catalogue_has_tests_that_exist() -> None:
    ids = [one for tests in CASES.values() for one in tests]
    assert len(ids) == len(set(ids))
    assert all(any("::" not in one for one in tests) for tests in CASES.values())
    for one in ids:
        file, _, name = one.partition("::")
        if file.endswith(".py"):
            assert f"def {name or 'test_'}" in (Path(__file__).parent / file).read_text(encoding="utf-8")
