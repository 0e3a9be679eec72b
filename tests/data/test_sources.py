"""Every record of a file comes out once, at its place, as a row or as a problem that says how to mend it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from afina.data import encodings
from afina.data import lines as data_lines
from afina.data.sources import columns_of, read, rows
from afina.errors import ConfigError, DataError, InputError
from afina.records import Row
from tests.data.reading import Write, refused, values

SHARED = Path(__file__).parents[3] / "shared" / "data"


def test_a_large_file_is_read_in_flat_memory(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_lines, "CHUNK", 1 << 12)
    monkeypatch.setattr(data_lines, "HEAD_BYTES", 1 << 12)
    monkeypatch.setattr(encodings, "CHUNK", 1 << 12)
    paths = [
        write("big.csv", "text,label\n" + '"some, words",yes\n' * 40_000),
        write("big.tsv", "text\tlabel\n" + "some more words\tyes\n" * 40_000),
        write("big.jsonl", '{"text": "some words"}\n' * 40_000),
    ]
    list(read(write("small.csv", "text,label\na,b\n")))  # imports every reader, which is no part of reading a file
    for path in paths:
        tracemalloc.start()
        assert sum(isinstance(item, Row) for item in read(path)) == 40_000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < Path(path).stat().st_size / 3


def test_importing_brings_no_heavy_package() -> None:
    code = "import sys, afina.data.sources; print({'torch', 'pandas', 'pyarrow', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment())
    assert done.stdout.strip() == "set()"


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def test_places_are_paths_as_given_and_physical_lines(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a.csv", 'a,b\n\n"x\ny",1\n\nz,2\n')
    monkeypatch.chdir(tmp_path)
    assert [row.place for row in rows("./a.csv")] == ["./a.csv:3", "./a.csv:6"]
    assert [row.place for row in rows(Path("a.csv"))] == ["a.csv:3", "a.csv:6"]


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.csv", "", "no rows: the file is empty"),
        ("a.csv", "\n\n", "no rows: the file is empty"),
        ("a.csv", "a,b\n", "no rows: there is only a header"),
        ("a.csv", "a,b\n\n\r\n", "no rows: there is only a header"),
        ("a.tsv", "a\tb\n", "no rows: there is only a header"),
        ("a.jsonl", "\n \t\n", "no rows: the file is empty"),
    ],
)
def test_no_rows(write: Write, name: str, data: str, says: str) -> None:
    assert says in refused(write(name, data))


def test_all_problems_are_raised_together(write: Write) -> None:
    path = write("a.csv", "a,b\n" + "x\n" * 30 + "y,1\n")
    with pytest.raises(DataError) as caught:
        rows(path)
    assert len(caught.value.problems) == 30
    assert str(caught.value).count("found 1 field, expected 2") == 1
    assert "30 of the kind" in str(caught.value)


def test_a_refused_file_does_not_hide_the_problems_before_it(write: Write, tmp_path: Path) -> None:
    write("a.csv", "a,b\nx\ny,1\n")
    write("b.csv", "a,b\n")
    with pytest.raises(DataError) as caught:
        rows(tmp_path)
    assert [problem.code for problem in caught.value.problems] == ["ragged-row", "no-rows"]


def test_names_of_columns_in_order_of_appearance(write: Write) -> None:
    found = rows(write("a.jsonl", '{"a": 1}\n{"c": 1, "a": 2}\n{"b": 3}\n'))
    assert columns_of(found) == ["a", "c", "b"]


def test_folders_and_patterns(write: Write, tmp_path: Path) -> None:
    write("b.csv", "a\n2\n")
    write("a.jsonl", '{"a": 1}\n')
    write("c.TSV", "a\tb\n3\t0\n")
    write("d.txt", "a\tb\n4\t0\n")
    write("notes.txt", "no tab here\n")
    write("README.md", "words\n")
    write(".hidden.csv", "a\n9\n")
    (tmp_path / "inner.csv").mkdir()
    found = rows(f"{tmp_path}/")
    assert [row.values["a"] for row in found] == [1, "2", "3", "4"]
    assert found[1].place == f"{tmp_path}/b.csv:2"
    assert [row.values["a"] for row in rows(f"{tmp_path}/?.[cj]s*")] == [1, "2"]
    assert "no file matches" in refused(f"{tmp_path}/*.xyz")
    assert "can't tell the format: found .md" in refused(f"{tmp_path}/R*")
    assert "is a folder" in refused(f"{tmp_path}/inner*")
    assert "the folder holds no data that can be recognised; found nothing" in refused(tmp_path / "inner.csv")


def test_a_file_whose_name_looks_like_a_pattern(write: Write) -> None:
    assert values(write("a[1].csv", "a,b\n1,2\n")) == [{"a": "1", "b": "2"}]


def test_what_can_not_be_recognised_asks_for_its_format(write: Write) -> None:
    assert refused(write("a.xyz", "x")).endswith("found .xyz; name it with --format; `afina formats` lists them")
    assert "found no ending" in refused(write("data", "x"))


def test_a_missing_file_suggests_its_neighbour(write: Write, tmp_path: Path) -> None:
    write("train.csv", "a,b\n1,2\n")
    assert "there is no such file; did you mean 'train.csv'?" in refused(tmp_path / "tarin.csv")
    assert "no folder" in refused(tmp_path / "nowhere" / "train.csv")
    assert "there is no such file" in refused(tmp_path / "q.jsonl")


def test_files_that_can_not_be_read(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    assert "special file; a regular file is expected" in refused(tmp_path / "pipe.csv")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    assert "can't be read" in refused(tmp_path / "loop.csv")
    assert "can't be read" in refused("a\0.csv")
    path = write("a.csv", "a,b\n1,2\n")

    def forbidden(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    assert f"{path}: can't be read: Permission denied" in refused(path)


def test_paths_are_refused_at_once() -> None:
    with pytest.raises(DataError):
        read("nowhere.csv")


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"encoding": "nope"}, "encoding: 'nope' is unknown"),
        ({"encoding": "hex"}, "encoding: 'hex' is unknown"),
        ({"delimiter": "::"}, "one character is expected, found '::'"),
        ({"delimiter": '"'}, "one character is expected"),
        ({"columns": ["a"]}, "is jsonl"),
    ],
)
def test_settings_that_make_no_sense(write: Write, how: dict[str, Any], says: str) -> None:
    path = write("a.jsonl", '{"a": 1}\n')
    with pytest.raises(ConfigError, match=re.escape(says)):
        list(read(path, **how))


def real(name: str) -> Path:
    if not SHARED.is_dir():
        pytest.skip("the real data sets are not here: ../shared/data beside the repository")
    return SHARED / name


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "columns", "number", "names"),
    [
        ("sst2/train_sentences.tsv", None, 6_920, ["sentence", "label"]),
        ("mrpc/msr-para-train.tsv", None, 3_576, ["Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"]),
        ("sms_spam/sms_spam.tsv", ["label", "text"], 5_574, ["label", "text"]),
        ("snli/train.jsonl", None, 7_842, ["premise", "hypothesis", "label"]),
        ("ag_news/train.csv", None, 8_000, ["text", "label"]),
        ("sick/SICK_test_annotated.txt", None, 4_927, None),
        ("assin/assin-ptbr-train.csv", None, 2_500, ["id", "premise", "hypothesis", "similarity", "entailment"]),
    ],
)
def test_real_files(name: str, columns: list[str] | None, number: int, names: list[str] | None) -> None:
    found = rows(real(name), columns=columns)
    assert len(found) == number
    if names:
        assert columns_of(found) == names
    assert not any(value.endswith("\r") for row in found for value in row.values.values())


@pytest.mark.data
def test_the_label_none_is_a_label() -> None:
    found = rows(real("assin/assin-ptbr-train.csv"))
    assert {row.values["entailment"] for row in found} == {"None", "Entailment", "Paraphrase"}


def test_every_error_here_is_an_input_error() -> None:
    with pytest.raises(InputError):
        rows("nowhere.csv")
