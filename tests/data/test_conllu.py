"""Sentences of CoNLL-U: words with their columns, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from afina.data import formats, sources
from afina.data.conllu import looks_like_conllu
from afina.errors import DataError


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


CONLLU = """# sent_id = 1
# text = vámonos al mar
1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tvamos\tir\tVERB\t_\tMood=Imp|Number=Plur\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\tCase=Acc\t1\tobj\t_\t_
2.1\tnada\tnada\tPRON\t_\t_\t_\t_\t_\t_
3\tal\tal\tADP\t_\t_\t4\tcase\t_\tSpaceAfter=No

"""


def test_conllu_skips_what_is_no_word(tmp_path: Path) -> None:
    pytest.importorskip("conllu")
    (row,) = sources.rows(write(tmp_path / "a.conllu", CONLLU))
    assert row.values["form"] == ["vamos", "nos", "al"]
    assert row.values["upos"] == ["VERB", "PRON", "ADP"]
    assert row.values["feats"] == ["Mood=Imp|Number=Plur", "Case=Acc", "_"]
    with pytest.raises(DataError, match=r"b.conllu:1: not CoNLL-U"):
        sources.rows(write(tmp_path / "b.conllu", "1 vamos ir VERB\n\n"))


@pytest.mark.parametrize("ending", ["txt", "tsv", "conll", "dev", "csv", ""])
def test_conllu_is_known_under_any_ending(tmp_path: Path, ending: str) -> None:
    pytest.importorskip("conllu")
    path = write(tmp_path / f"a.{ending}".rstrip("."), "# newdoc\n\n" + CONLLU * 2)
    rows = sources.rows(path)
    assert [row.values["form"] for row in rows] == [["vamos", "nos", "al"]] * 2
    assert rows[0].place == f"{path}:3"


@pytest.mark.parametrize(
    "text",
    [
        "1\tCathy\tCathy\tN\tN\teigen|ev|neut\t2\tsu\t_\t_\n2\tzag\tzie\tV\tV\ttrans|ovt\t0\tROOT\t_\t_\n\n",
        "7\ta\tb\tc\td\t_\t1\tf\tg\th\n",
        "# only\n# comments\n",
        "id\tb\tc\td\te\tf\tg\th\ti\tj\n1\ta\tb\tc\td\te\tf\tg\th\ti\n",
    ],
)
def test_other_files_of_ten_columns_are_none(text: str) -> None:
    assert not looks_like_conllu(text.splitlines(keepends=True))


def test_a_broken_line_does_not_make_another_format_of_it(tmp_path: Path) -> None:
    text = CONLLU * 3 + CONLLU.replace("\tal\tal", "\tal")
    reader = formats.reader_of("a.conllu", lambda: text.splitlines(keepends=True))
    assert reader is not None
    assert reader.name == "conllu"
