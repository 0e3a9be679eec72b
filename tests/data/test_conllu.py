"""Sentences of CoNLL-U: words with their columns, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from afina.data import sources
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
