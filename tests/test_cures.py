"""No cure leads into a dead end: for every kind of problem, what the message says to do is done, and the data are read.

A cure that a message words as a flag is taken from the message itself. The codes are read from the source, so that a
new one needs a line here.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import afina
from afina.cli.flags import overrides
from afina.config import load
from afina.data.parts import gather, read_data
from afina.errors import DataError, Problem
from afina.serving.inputs import look_through, read_inputs
from afina.tasks.base import Task
from afina.tasks.classification import Classification, ClassificationOptions
from afina.tasks.inputs import COUNTABLE
from afina.tasks.tokens import Tokens, TokensOptions
from tests.outputs import answered as outputs

WORDS = ("lovely", "awful")
GOOD = [{"text": f"a {WORDS[i % 2]} film, number {i}", "label": WORDS[i % 2]} for i in range(40)]
TAGGED = [{"tokens": ["the", "cat", f"{i}"], "tags": ["O", "B-WHO", "O"]} for i in range(40)]
SPANS = [{"text": f"the cat sleeps, {i}", "spans": [{"start": 4, "end": 7, "label": "WHO"}]} for i in range(40)]
MANY = [{"text": f"text {i}", "labels": ["a", "b"] if i % 2 else ["a"]} for i in range(40)]
NUMBERS = [{"text": f"text {i}", "score": i / 4} for i in range(40)]
ASKED = [
    {"question": f"who {i}?", "context": f"the cat sleeps, {i}", "answers": [{"text": "cat", "answer_start": 4}]}
    for i in range(40)
]

CONLL = "".join(f"the O\ncat{i} B-WHO\n\n" for i in range(40))
CONLLU = "".join(
    f"1\tthe\tthe\tDET\t_\t_\t2\tdet\t_\t_\n2\tcat{i}\tcat\tNOUN\t_\t_\t0\troot\t_\t_\n\n" for i in range(40)
)
PLAIN = "text;label\n" + "".join(f"a film {i};{WORDS[i % 2]}\n" for i in range(40))

Data = str | bytes | list[Any] | Mapping[str, Any]
"""What is read: the content of a file, or data in memory."""


def lines(rows: list[Any], *more: Any) -> str:
    """A jsonl file."""
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in (*rows, *more))


def table(*more: str, header: str = "text,label", sign: str = ",") -> str:
    """A csv file."""
    cells = [f'"{row["text"]}"{sign}{row["label"]}' for row in GOOD]
    return "\n".join([*([header] if header else []), *cells, *more]) + "\n"


def table_of(rows: list[dict[str, Any]], *more: dict[str, Any]) -> str:
    """A csv file of rows with any columns."""
    return "\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in (*rows, *more))]) + "\n"


FAST = "".join(f"__label__{row['label']} {row['text']}\n" for row in GOOD)
WRITTEN = "".join(f"the_O cat{i}_B-WHO sleeps_O\n" for i in range(40))
FLAGS = [{"text": f"text {i}", "a": i % 2, "b": i // 2 % 2} for i in range(40)]
DATED = [{"text": f"text {i}", "label": WORDS[i % 2], "day": f"2024-01-{i % 28 + 1:02}"} for i in range(40)]


@dataclass(frozen=True)
class Cure:
    """A kind of problem, and what its message says to do.

    Attributes:
        code: Its name.
        bad: The data.
        says: The cure in the message, or a pattern of it. What it names as a flag is taken from there.
        good: The data after the cure; the same where the cure is a flag.
        name: Name of the file.
        settings: Flags of the run, by name.
        flags: The flags that the cure asks for where the message can't spell them.
        without: The setting that the cure asks to leave out.
    """

    code: str
    bad: Data
    says: str
    good: Data | None = None
    name: str = "train.csv"
    settings: Mapping[str, Any] = field(default_factory=dict)
    flags: str = ""
    without: str = ""

    def __str__(self) -> str:
        return self.code


def words(**settings: Any) -> dict[str, Any]:
    return {"task": "tokens", **settings}


def turks(*points: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Dataturks' annotation: starts, last characters and perhaps texts."""
    names = ("start", "end", "text")
    return [{"label": ["WHO"], "points": [dict(zip(names, point, strict=False))]} for point in points]


def turned(row: Mapping[str, Any]) -> dict[str, Any]:
    """A text with spans as Dataturks exports it."""
    text = row["text"]
    ends = [(span["start"], span["end"]) for span in row["spans"]]
    return {"content": text, "annotation": turks(*((start, end - 1, text[start:end]) for start, end in ends))}


def accepted(row: Mapping[str, Any], answer: str = "accept") -> dict[str, Any]:
    """A text with spans as a task of Prodigy."""
    return {**row, "answer": answer}


def asked(text: str, label: str, answer: str) -> dict[str, Any]:
    """A question of Prodigy's about a label."""
    return {"text": text, "label": label, "answer": answer}


PUBTATOR = "".join(f"{i}|t|the cat\n{i}|a|sleeps\n{i}\t4\t7\tcat\tWHO\n\n" for i in range(40)) + "41|t|the cat\n"
JSONL = "train.jsonl"
CURES = [
    # Files and tables.
    Cure("no-header", table(header=""), r"(--header \S+)"),
    Cure("ragged-row", table("lovely"), "expected 2", table("lovely,lovely")),
    Cure("bad-quote", table('"a "fine" film",lovely'), "double every quote", table('"a ""fine"" film",lovely')),
    Cure("open-quote", table('"a fine film,lovely'), "quote", table('"a fine film",lovely')),
    Cure("wrong-delimiter", "text;label\na film;lovely\nbad\n", "(--delimiter ';')", PLAIN),
    Cure("encoding", table("coração,lovely").encode("utf-16-le"), r"(--encoding \S+)"),
    Cure("not-utf8", table(*["não,lovely"] * 99).encode() + b"a\xff,lovely\n", "(--on-bad-row skip)"),
    Cure("nul", table("a\x00b,lovely"), "NUL", table("ab,lovely")),
    Cure("no-rows", "text,label\n", "there is only a header", table()),
    Cure("empty-name", table(header=""), "name it", settings={"header": "text,"}, flags="--header text,label"),
    Cure("header", table(), "leave out columns", settings={"header": "text,label"}, without="header"),
    Cure("no-file", table(), r"did you mean '(train\.csv)'", settings={"train": "trian.csv"}, without="train"),
    Cure("twin-names", table(header="text,text"), "rename", table()),
    Cure("unknown-format", "just words\n", "name it with --format", lines(GOOD), name="train.xyz",
         flags="--format jsonl"),
    Cure("label-inside", FAST + "__label__lovely a __label__awful film\n", "write all labels in front",
         FAST + "__label__lovely __label__awful a film\n", "train.ft", {"task": "multilabel"}),
    Cure("no-label", FAST + "a film without one\n", "expected __label__NAME in front",
         FAST + "__label__lovely a film with one\n", "train.ft"),
    Cure("no-tag", WRITTEN + "the_O cat\n", "write its tag behind it", WRITTEN + "the_O cat_B-WHO\n", "train.pos",
         words()),
    Cure("not-columns", table(), "(--format table)", name="train.conll"),
    Cure("no-sentences", CONLL.replace("\n\n", "\n") * 2, "an empty line after each sentence", CONLL, "train.conll",
         words()),
    Cure("scattered-sentence", "sentence,word,tag\n" + "".join(f"{i % 40},cat{i},B-WHO\n" for i in range(80)),
         "", "sentence,word,tag\n" + "".join(f"{i},cat{i},B-WHO\n{i},sits,O\n" for i in range(40)),
         settings=words()),
    Cure("not-a-flag", table_of(FLAGS, {"text": "x", "a": "2", "b": "0"}), "write 1 where the text has the label",
         table_of(FLAGS, {"text": "x", "a": "1", "b": "0"}), settings={"task": "multilabel", "label": "a,b"}),
    Cure("no-time", table_of(DATED, {"text": "x", "label": "lovely", "day": "soon"}), "expected a date or a time",
         table_of(DATED), settings={"split_by_time": "day"}),
    Cure("misnamed", lines(GOOD), r"(--format jsonl)", name="train.xlsx"),
    # Lines of JSON.
    Cure("bad-json", lines(GOOD, '{"text": "a", "label": "lovely",}'), "remove it", lines(GOOD, GOOD[0]), JSONL),
    Cure("not-an-object", lines(GOOD, "[1]"), r'write \{"column": value\}', lines(GOOD, GOOD[0]), JSONL),
    Cure("duplicate-key", lines(GOOD, '{"text": "a", "text": "b", "label": "lovely"}'), "remove one",
         lines(GOOD, '{"text": "a", "label": "lovely"}'), JSONL),
    Cure("lone-surrogate", lines(GOOD, '{"text": "\\ud83d", "label": "lovely"}'), "write the whole pair",
         lines(GOOD, '{"text": "\\ud83d\\ude00 yes", "label": "lovely"}'), JSONL),
    Cure("too-long", lines(GOOD, '{"text": "a", "label": ' + "9" * 5000 + "}"), "write it as a string",
         lines(GOOD, {"text": "a", "label": "lovely"}), JSONL),
    Cure("too-deep", lines(GOOD, '{"text": "a", "label": "lovely", "x": ' + "[" * 2000 + "]" * 2000 + "}"),
         "make the value flatter", lines(GOOD, {"text": "a", "label": "lovely", "x": [1]}), JSONL),
    Cure("no-array", json.dumps({"a": 1}), "array of records", json.dumps(GOOD), "train.json"),
    Cure("not-squad", json.dumps({"data": [{"paragraphs": [{"qas": []}]}]}), "expected `context` and `qas`",
         json.dumps({"data": [{"paragraphs": [{
             "context": one["context"], "qas": [{"question": one["question"], "answers": one["answers"]}],
         } for one in ASKED]}]}), "train.json", {"task": "answers"}),
    Cure("json-array", json.dumps(GOOD), "(--format json)", name=JSONL, settings={"format": "jsonl"}),
    Cure("several-lists", json.dumps({"train": GOOD, "test": GOOD}), r"jq \.train \S+train\.json > records\.json",
         json.dumps(GOOD), "train.json"),
    # What annotation tools export.
    Cure("no-record", json.dumps([*GOOD, None]), r'write \{"column": value\}', json.dumps([*GOOD, GOOD[0]]),
         "train.json"),
    Cure("ends-unknown", lines([{"content": "a cat", "annotation": turks((2, 4))}], *map(turned, SPANS)),
         "write the `text` of each point", lines([turned({"text": "a cat", "spans": [{"start": 2, "end": 5}]})],
                                                 *map(turned, SPANS)), JSONL, words()),
    Cure("ends-differ", lines(list(map(turned, SPANS)), {"content": "a cat", "annotation": turks((2, 5, "cat"))}),
         "count them in one way",
         lines(list(map(turned, SPANS)), {"content": "a cat", "annotation": turks((2, 4, "cat"))}), JSONL, words()),
    Cure("not-accepted", lines([accepted(one) for one in SPANS], accepted(SPANS[0], "reject")),
         r"""keep those that were accepted: jq -c 'select\(\.answer == "accept"\)'""",
         lines([accepted(one) for one in SPANS]), JSONL, words()),
    Cure("annotations-differ", lines([asked(f"text {i}", "AB"[i % 2], "accept") for i in range(40)],
                                     asked("text 0", "A", "reject")),
         "keep the right answer", lines([asked(f"text {i}", "AB"[i % 2], "accept") for i in range(40)]), JSONL),
    Cure("bad-pubtator", PUBTATOR + "41 0 3 the WHO\n", "an entity line holds id, start, end, mention and type",
         PUBTATOR + "41\t0\t3\tthe\tWHO\n", "train.pubtator", words()),
    # Columns of words.
    Cure("ragged-line", CONLL + "the\n", "one word and its tags a line", CONLL, "train.conll", words()),
    Cure("bad-conllu", CONLLU + "1\ta\n\n", "ten columns with tabs between", CONLLU, "train.conllu",
         words(format="conllu")),
    # Data in memory.
    Cure("not-a-row", [*GOOD, "a text"], "a dict of column names", [*GOOD, GOOD[0]]),
    Cure("bad-name", [*GOOD, {**GOOD[0], 3: 4}], "must be text", [*GOOD, {**GOOD[0], "3": 4}]),
    Cure("ragged-columns", {"text": ["a"] * 30, "label": ["x", "y"] * 14}, "equally long",
         {"text": [f"a {i}" for i in range(30)], "label": ["x", "y"] * 15}),
    Cure("not-a-column", {"text": "a", "label": "b"}, "put the dict into a list", GOOD),
    Cure("unreadable", 3, "expected a path, a list of dicts", GOOD),  # type: ignore[arg-type]
    # Texts and labels.
    Cure("empty-text", [*GOOD, {"text": "", "label": "lovely"}], "write the text or drop the row", GOOD),
    Cure("not-a-text", [*GOOD, {"text": True, "label": "lovely"}], "write the text or drop the row", GOOD),
    Cure("empty-label", [*GOOD, {"text": "a", "label": ""}], "label the row or drop it", GOOD),
    Cure("not-a-label", [*GOOD, {"text": "a", "label": {"a": 1}}], "expected one label", GOOD),
    Cure("not-labels", [*MANY, {"text": "x", "labels": {"a": 1}}], "expected", MANY, settings={"task": "multilabel"}),
    Cure("repeated-label", [*MANY, {"text": "x", "labels": ["a", "a"]}], "remove one",
         [*MANY, {"text": "x", "labels": ["a"]}], settings={"task": "multilabel"}),
    Cure("not-a-number", [*NUMBERS, {"text": "x", "score": "many"}], "number", NUMBERS,
         settings={"task": "regression"}),
    Cure("not-finite", [*NUMBERS, {"text": "x", "score": "inf"}], "correct it or drop the row", NUMBERS,
         settings={"task": "regression"}),
    # Words and spans.
    Cure("not-a-list", [*TAGGED, {"tokens": "the cat", "tags": ["O"]}], "expected a list of words", TAGGED,
         settings=words()),
    Cure("tag-count", [*TAGGED, {"tokens": ["a", "cat"], "tags": ["O"]}], "give each word one tag",
         [*TAGGED, {"tokens": ["a", "cat"], "tags": ["O", "O"]}], settings=words()),
    Cure("bad-tag", [*TAGGED, {"tokens": ["a"], "tags": ["?"]}], r"options\.kind=plain if tags are no entities", TAGGED,
         settings=words(kind="entities")),
    Cure("not-spans", [*SPANS, {"text": "a cat", "spans": 3}], "spans", SPANS, settings=words()),
    Cure("bad-span", [*SPANS, {"text": "a cat", "spans": [[2, 9, "WHO"]]}], "the end is|exclusive",
         [*SPANS, {"text": "a cat", "spans": [[2, 5, "WHO"]]}], settings=words()),
    Cure("offset-unit", [{"text": f"😀😀 o gato dorme {i}", "spans": [[7, 11, "WHO"]]} for i in range(40)],
         r"(--offsets utf16)", settings=words()),
    # Questions.
    Cure("not-answers", [*ASKED, {"question": "a?", "context": "b", "answers": 3}], r"write no answer, \[\]",
         [*ASKED, {"question": "a?", "context": "b", "answers": []}], settings={"task": "answers"}),
    Cure("bad-answer", [*ASKED, {"question": "a?", "context": "b b", "answers": [{"text": "b", "answer_start": 1}]}],
         "correct answer_start: it is at 0",
         [*ASKED, {"question": "a?", "context": "b b", "answers": [{"text": "b", "answer_start": 0}]}],
         settings={"task": "answers"}),
    Cure("contradictory-flag", [*ASKED, {**ASKED[0], "is_impossible": True}], "correct one of them",
         [*ASKED, {**ASKED[0], "is_impossible": False}], settings={"task": "answers"}),
    # The splits.
    Cure("too-few", [{"text": "the same", "label": word} for word in WORDS] * 9, "add examples", GOOD),
    Cure("unseen-label", MANY, "train on data that hold it",
         [*MANY, *[{"text": f"x {i}", "labels": ["c"]} for i in range(9)]],
         settings={"task": "multilabel", "validation": [{"text": "x", "labels": ["c"]}, MANY[0]]}),
    Cure("unseen-countable", SPANS, "(--unseen count)",
         settings=words(validation=[{"text": "the cat", "spans": [[4, 7, "WHAT"]]}, SPANS[0]])),
]  # fmt: skip


LABEL_STUDIO = "an export of Label Studio; tests/data/test_label_studio.py has its messages"
READERS = "of one reader; the test of that reader has its message"
PENDING: dict[str, str] = {
    **dict.fromkeys(
        (
            "bad-docbin",
            "damaged",
            "no-order",
            "no-sentence",
            "no-sheet",
            "no-such-label",
            "no-value",
            "no-word",
            "not-a-folder",
            "not-brat",
            "not-webanno",
            "old-feather",
            "protected",
            "several-sets",
            "too-large",
        ),
        READERS,
    ),
    "no-answers": LABEL_STUDIO,
    "not-one-label": LABEL_STUDIO,
    "not-plain-text": LABEL_STUDIO,
    "span-text": LABEL_STUDIO,
    "task-alone": LABEL_STUDIO,
    "unlabelled": LABEL_STUDIO,
    "changed": "needs a file that grows while it is read; tests/data/test_sources.py has one",
    "not-a-file": "needs a pipe or a device; tests/data/test_sources.py has them",
    "not-decodable": "needs an encoding that can fail inside a line",
}
"""Codes without a test of their cure yet, and why."""


def attempt(cure: Cure, data: Any, folder: Path, *, flags: str = "", without: str = "") -> None:
    """Read the data as for a training, with the settings and what the cure adds to them."""
    parts = shlex.split(flags)
    added = {
        name.removeprefix("--").replace("-", "_"): value for name, value in zip(parts[::2], parts[1::2], strict=True)
    }
    settings = {name: value for name, value in {**cure.settings, **added}.items() if name != without}
    sources = {"validation": settings.pop("validation")} if "validation" in settings else {}
    if isinstance(data, str | bytes):
        file = folder / cure.name
        file.write_bytes(data.encode() if isinstance(data, str) else data)
        settings["train"] = str(folder / settings.get("train", cure.name))
    else:
        sources["train"] = data
    kind = {"options.kind": settings.pop("kind")} if "kind" in settings else {}
    assert read_data(load(None, {**overrides(settings), **kind}), sources).splits["train"]


@pytest.mark.parametrize("cure", CURES, ids=str)
def test_the_printed_cure_works(cure: Cure, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        attempt(cure, cure.bad, tmp_path)
    assert {problem.code for problem in caught.value.problems} == {cure.code}
    found = re.search(cure.says, str(caught.value))
    assert found, str(caught.value)
    flags = cure.flags or (found[1] if found.groups() and found[1].startswith("--") else "")
    assert flags or cure.without or cure.good is not None, "the cure changes nothing"
    attempt(cure, cure.bad if cure.good is None else cure.good, tmp_path, flags=flags, without=cure.without)


@dataclass(frozen=True)
class Doubt:
    """A warning about examples, and what its message says to do.

    Attributes:
        code: Its name.
        task: Name of the task.
        bad: Rows that are warned of.
        says: The cure in the message.
        good: The rows after the cure.
        settings: Options after the cure.
    """

    code: str
    task: str
    bad: list[Any]
    says: str
    good: list[Any] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.code


DOUBTS = [
    Doubt("mended-offset", "answers", [*ASKED, {**ASKED[0], "answers": [{"text": "cat", "answer_start": 3}]}],
          "correct answer_start, or leave it out", [*ASKED, {**ASKED[0], "answers": [{"text": "cat"}]}]),
    Doubt("overlapping-spans", "tokens", [*SPANS, {"text": "in an hour", "spans": [[0, 10, "T"], [3, 10, "D"]]}],
          "the longer one is trained on", [*SPANS, {"text": "in an hour", "spans": [[0, 10, "T"]]}]),
    Doubt("cut-span", "tokens", [*SPANS, {"text": "the cats", "spans": [[4, 7, "WHO"]]}], "is it off by one",
          [*SPANS, {"text": "the cats", "spans": [[4, 8, "WHO"]]}]),
    Doubt("orphan-tag", "tokens", [*TAGGED, {"tokens": ["a", "cat"], "tags": ["O", "I-WHO"]}],
          "it is read as its beginning", [*TAGGED, {"tokens": ["a", "cat"], "tags": ["O", "B-WHO"]}]),
    Doubt("unsplit-label", "multilabel", [*MANY, *[{"text": f"x {i}", "labels": "a,b"} for i in range(9)]],
          r"--set options\.separator=','", settings={"options.separator": ","}),
]  # fmt: skip


@pytest.mark.parametrize("doubt", DOUBTS, ids=str)
def test_the_cure_of_a_warning_works(doubt: Doubt) -> None:
    def warned(rows: list[Any], **options: Any) -> list[Problem]:
        data, problems = gather(load(None, {"task": doubt.task, **options}), {"train": rows, "validation": rows})
        assert problems == []
        return data.task.warnings(data.splits["train"])

    before = warned(doubt.bad)
    assert {one.code for one in before} == {doubt.code}
    assert re.search(doubt.says, before[0].fix), before[0].fix
    assert warned(doubt.good or doubt.bad, **doubt.settings) == []


SINGLE = Classification(ClassificationOptions(text="text", label="label"))
OF_WORDS = Tokens(TokensOptions(tokens="words", tags="tags"))
INPUTS: dict[str, tuple[list[Any], str, list[Any]]] = {
    "no-text": ([["a", None]], "leave it out", [["a"]]),
    "other-inputs": ([("a", "b")], "give one an item", ["a", "b"]),
    "not-a-text": (["a", 3], "write numbers as texts", ["a", "3"]),
}


@pytest.mark.parametrize("code", INPUTS)
def test_the_cure_of_an_input_works(code: str) -> None:
    bad, says, good = INPUTS[code]
    task: Task = OF_WORDS if code == "no-text" else SINGLE
    with pytest.raises(DataError, match=says) as caught:
        look_through(read_inputs(task, bad))
    assert {problem.code for problem in caught.value.problems} == {code}
    look_through(read_inputs(task, good))


OUTPUTS = {"bad-id"}
"""Codes of predictions that can't be written."""


def test_the_cure_of_ids_works(tmp_path: Path) -> None:
    task = outputs.task_of("answers", {})
    asked = [outputs.one_question("?", "a", outputs.answer("a", 0, 1), id=key) for key in ("x", "x")]
    with pytest.raises(DataError, match="give each question its own id") as caught:
        outputs.written(tmp_path, asked, task, name="squad")
    assert {problem.code for problem in caught.value.problems} == OUTPUTS
    cured = [outputs.one_question("?", "a", outputs.answer("a", 0, 1), id=key) for key in ("x", "y")]
    assert outputs.written(tmp_path, cured, task, name="squad")


# ---------------------------------------------------------------------------------------------------------------------
# Every code is here.

PLACES = {"Problem": 3, "RecordError": 0, "fail": 1}
"""Where the code stands among the arguments."""


def codes() -> set[str]:
    """The codes of all problems that the source makes, as far as it spells them."""
    found = {COUNTABLE}
    for path in Path(afina.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and (position := PLACES.get(ast.unparse(node.func).rpartition(".")[2])) is not None
            ):
                named = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
                for code in named or node.args[position : position + 1]:
                    values = [code.body, code.orelse] if isinstance(code, ast.IfExp) else [code]
                    found |= {
                        one.value for one in values if isinstance(one, ast.Constant) and isinstance(one.value, str)
                    }
    return found


def test_every_code_has_a_cure_that_is_tried() -> None:
    tried = {cure.code for cure in CURES} | {doubt.code for doubt in DOUBTS} | set(INPUTS) | OUTPUTS
    known = codes()
    assert len(known) >= 60
    assert known - tried - set(PENDING) == set(), "add a line to CURES that applies the printed cure"
    assert tried <= known
    assert not set(PENDING) & tried, "is tried; take it off PENDING"
    assert set(PENDING) <= known, "is no code any more; take it off PENDING"
