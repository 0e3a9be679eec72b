"""Whatever a file is called, its content is read as what it is, or refused with a flag that makes it so."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from afina.cli.flags import reading_options
from afina.data.sources import rows
from afina.errors import InputError

Rows = Sequence[Mapping[str, Any]]
ENDINGS = ("", ".csv", ".tsv", ".txt", ".json", ".jsonl", ".conll", ".train", ".dev", ".data", ".ner", ".annotated")
FLAG = re.compile(r"--(header|delimiter|quote|encoding|format) (\$?'[^']*'|[\w,#-]+)")


def table(rows: Rows, *, encoding: str = "utf-8", **form: Any) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), **form)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def plain(rows: Rows) -> bytes:
    cells = [list(rows[0]), *(list(row.values()) for row in rows)]
    return "".join("\t".join(line) + "\n" for line in cells).encode()


def json_lines(rows: Rows) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def json_array(rows: Rows) -> bytes:
    return json.dumps(rows).encode()


def columns(rows: Rows, sign: str) -> bytes:
    sentences = ["".join(sign.join(line) + "\n" for line in zip(*row.values(), strict=True)) for row in rows]
    return "\n".join(sentences).encode()


TABLES: dict[str, Callable[[Rows], bytes]] = {
    "csv": table,
    "csv, quoted": lambda rows: table(rows, quoting=csv.QUOTE_ALL),
    "csv, semicolons": lambda rows: table(rows, delimiter=";"),
    "csv, bars": lambda rows: table(rows, delimiter="|"),
    "csv, single quotes": lambda rows: table(rows, quoting=csv.QUOTE_ALL, quotechar="'"),
    "csv, cp1252": lambda rows: table(rows, encoding="cp1252"),
    "csv, utf-16": lambda rows: table(rows, encoding="utf-16"),
    "csv, marked": lambda rows: table(rows, encoding="utf-8-sig"),
    "tsv": plain,
    "tsv, quoted": lambda rows: table(rows, delimiter="\t", quoting=csv.QUOTE_ALL),
    "jsonl": json_lines,
    "json": json_array,
}
SENTENCES: dict[str, Callable[[Rows], bytes]] = {
    "tabs": lambda rows: columns(rows, "\t"),
    "blanks": lambda rows: columns(rows, " "),
    "jsonl": json_lines,
    "json": json_array,
}

bits = ["um", "filme", "ótimo,", "muito", "bom;", "não:", "'gostei'", "|", "ruim", "[ok]", "{x}", "5,5"]
texts = st.lists(st.sampled_from(bits), min_size=1).map(" ".join)
review = st.tuples(texts, st.sampled_from(["pos", "neg"])).map(lambda pair: {"texto": pair[0], "rótulo": pair[1]})
reviews = st.lists(review, min_size=4, max_size=12)
words = st.lists(
    st.sampled_from([("o", "O"), ("João", "B-PER"), ("Silva", "I-PER"), ("vive", "O"), ("Évora", "B-LOC"), (".", "O")]),
    min_size=2,
    max_size=9,
)
sentences = st.lists(
    words.map(lambda some: {"1": [word for word, _ in some], "2": [tag for _, tag in some]}), min_size=3, max_size=8
)


def read_or_cured(path: Path) -> list[dict[str, Any]]:
    """The rows of a file; where it is refused, those that the flags of the message give."""
    try:
        return [dict(row.values) for row in rows(path)]
    except InputError as error:
        message = str(error)
    flags = {match[1]: shlex.split(match[2].removeprefix("$"))[0] for match in FLAG.finditer(message)}
    assert flags, message
    return [dict(row.values) for row in rows(path, **reading_options(flags))]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("form", TABLES)
@settings(max_examples=20)
@given(written=reviews)
def test_tables_and_records(folder: Path, form: str, ending: str, written: list[dict[str, str]]) -> None:
    path = folder / f"a{ending}"
    path.write_bytes(TABLES[form](written))
    assert read_or_cured(path) == written


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("form", SENTENCES)
@settings(max_examples=20)
@given(written=sentences)
def test_sentences(folder: Path, form: str, ending: str, written: list[dict[str, list[str]]]) -> None:
    path = folder / f"a{ending}"
    path.write_bytes(SENTENCES[form](written))
    assert read_or_cured(path) == written
