"""Every file that the page on predictions shows is what is written, and is read back as what was predicted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from afina.outputs.writers import Answered, writers
from afina.records import Example, Row
from afina.tasks.base import Task
from tests.conftest import REPOSITORY
from tests.outputs.answered import entity, one_text, targets_in, task_of, write

PAGE = (REPOSITORY / "docs" / "predictions.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```(\S+\.\w+)\n(.*?)```", PAGE, flags=re.DOTALL))
ANA = "Ana lives in Porto."
FOUND = [entity("Ana mora no Porto", 0, 3, "PER", 0.9125), entity("Ana mora no Porto", 12, 17, "LOC", 0.8814)]


def labelled(number: str, text: str, label: str, bad: float, good: float) -> Answered:
    """What was said of a review with an id."""
    prediction = {"label": label, "probabilities": {"bad": bad, "good": good}}
    return Answered(Row({"id": number, "text": text}, ""), Example(text), prediction)


def topics(text: str, labels: list[str], *chances: float) -> Answered:
    """What was said of a piece of news."""
    known = dict(zip(("politics", "sport", "technology"), chances, strict=True))
    return one_text(text, {"labels": labels, "probabilities": known})


def asked(key: str, who: str, answer: str, start: int, chance: float) -> Answered:
    """What was answered about Ana's passage."""
    question = f"Where does {who} live?"
    said = {"answer": answer, "start": start, "end": start + len(answer), "probability": chance, "alternatives": []}
    return Answered(Row({"id": key, "question": question, "context": ANA}, ""), Example(question, ANA), said)


PREDICTED: dict[str, tuple[Task, list[Answered], list[Any]]] = {
    "labels": (
        task_of("classification", {"labels": ["bad", "good"]}),
        [
            labelled("7", "The room was lovely, the breakfast too", "good", 0.06831234, 0.93168766),
            labelled("8", "Cold soup", "bad", 0.88040001, 0.11959999),
        ],
        ["good", "bad"],
    ),
    "label_sets": (
        task_of("multilabel", {"labels": ["politics", "sport", "technology"]}),
        [
            topics("The team won again", ["sport"], 0.125, 0.7312, 0.0441),
            topics("A law on phones", ["politics", "technology"], 0.612, 0.0312, 0.7004),
            topics("Nothing new", [], 0.0999, 0.0624, 0.0312),
        ],
        [("sport",), ("politics", "technology"), ()],
    ),
    "entities": (
        task_of("tokens", {"kind": "entities", "types": ["LOC", "PER"], "scheme": "spans"}, text="text"),
        [one_text("Ana mora no Porto", {"entities": FOUND}), one_text("Chove", {"entities": []})],
        [((0, 3, "PER"), (12, 17, "LOC")), ()],
    ),
    "answers": (
        task_of("answers", {"no_answer": True}),
        [asked("q1", "Ana", "Porto", 13, 0.912), asked("q2", "Rui", "", 0, 0.6401)],
        [((13, 18, "Porto"),), ()],
    ),
}
READABLE = {"labels.csv", "labels.jsonl", "label_sets.csv", "entities.jsonl", "answers.csv"}


def test_the_files_are_found_and_every_format_is_listed() -> None:
    assert len(FILES) >= 9
    assert set(FILES) >= READABLE
    for writer in writers():
        (line,) = re.findall(rf"^\| {writer.name} \| (.*?) \|", PAGE, flags=re.MULTILINE)
        assert all(f"`{ending}`" in line for ending in writer.endings)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_page_is_what_is_written(tmp_path: Path, name: str) -> None:
    stem, ending = Path(name).stem, Path(name).suffix
    task, answers, targets = PREDICTED[stem]
    (writer,) = [writer for writer in writers() if ending in writer.endings]
    write(tmp_path / name, answers, task, name=writer.name)
    assert (tmp_path / name).read_text(encoding="utf-8") == FILES[name]
    if name in READABLE:
        assert targets_in(tmp_path / name, task.name) == targets


def test_words_of_the_page_come_back(tmp_path: Path) -> None:
    (tmp_path / "entities.conll").write_text(FILES["entities.conll"], encoding="utf-8")
    assert targets_in(tmp_path / "entities.conll", "tokens") == [("B-PER", "O", "O", "B-LOC"), ("O",)]
