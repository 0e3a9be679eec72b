"""Sentences of CoNLL-U: what is no word is left out, what is no sentence is named."""

from __future__ import annotations

import pytest

from afina.data.conllu import text_of
from afina.data.sources import rows
from afina.errors import DataError
from tests.data.files import Write, items, line_of, only_problem

CONLLU = """# sent_id = 1
# text = vámonos al mar
1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tvamos\tir\tVERB\t_\tMood=Imp|Number=Plur\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\tCase=Acc\t1\tobj\t_\t_
2.1\tnada\tnada\tPRON\t_\t_\t_\t_\t_\t_
3\tal\tal\tADP\t_\t_\t4\tcase\t_\tSpaceAfter=No

"""


def test_conllu_skips_what_is_no_word(write: Write) -> None:
    pytest.importorskip("conllu")
    (row,) = rows(write("a.conllu", CONLLU))
    assert row.values["form"] == ["vamos", "nos", "al"]
    assert row.values["upos"] == ["VERB", "PRON", "ADP"]
    assert row.values["feats"] == ["Mood=Imp|Number=Plur", "Case=Acc", "_"]
    with pytest.raises(DataError, match=r"b.conllu:1: not CoNLL-U"):
        rows(write("b.conllu", "1 vamos ir VERB\n\n"))


def test_a_broken_sentence_spoils_itself_alone(write: Write) -> None:
    pytest.importorskip("conllu")
    path = write("a.conllu", f"1 vamos ir VERB\n\n{CONLLU}")
    problem = only_problem(path)
    assert (problem.code, problem.place) == ("bad-conllu", f"{path}:1")
    assert problem.raw.startswith(b"1 vamos ir VERB\n")
    assert [line_of(item) for item in items(path)] == [1, 3]


def test_fields_as_text() -> None:
    assert text_of({"Case": "Acc", "Number": "Plur"}) == "Case=Acc|Number=Plur"
    assert (text_of(None), text_of({}), text_of("nos")) == ("_", "_", "nos")
