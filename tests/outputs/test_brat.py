"""brat of predictions: texts as they are, marks that brat takes."""

from __future__ import annotations

from pathlib import Path

from afina.data.sources import rows
from tests.outputs.answered import answer, entity, one_question, one_text, task_of, write


def test_a_text_and_its_marks(tmp_path: Path) -> None:
    task = task_of("tokens", {"kind": "entities", "types": ["PLACE NAME"], "scheme": "spans"}, text="text")
    text = "em São\r\nPaulo 🎉"
    answers = [one_text(text, {"entities": [entity(text, 3, 13, "PLACE NAME")]}), one_text("nada", {"entities": []})]
    write(tmp_path / "out", answers, task, name="brat")
    files = {path.name: path.read_bytes().decode() for path in (tmp_path / "out").iterdir()}
    assert files == {
        "0000001.txt": text,
        "0000001.ann": "T1\tPLACE_NAME 3 6;8 13\tSão Paulo\n",
        "0000002.txt": "nada",
        "0000002.ann": "",
    }
    assert [row.values["spans"] for row in rows(tmp_path / "out")] == [
        [{"start": 3, "end": 13, "label": "PLACE_NAME"}],
        [],
    ]


def test_an_answer_is_marked_in_its_passage(tmp_path: Path) -> None:
    write(
        tmp_path / "out",
        [one_question("onde?", "no Porto", answer("no Porto", 3, 8))],
        task_of("answers", {}),
        name="brat",
    )
    assert (tmp_path / "out" / "0000001.txt").read_text(encoding="utf-8") == "no Porto"
    assert (tmp_path / "out" / "0000001.ann").read_text(encoding="utf-8") == "T1\tanswer 3 8\tPorto\n"
