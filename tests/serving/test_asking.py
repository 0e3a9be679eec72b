"""What is a text, what a file, and what can't be either."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

from afina.errors import ConfigError
from afina.serving import asking
from afina.serving.asking import asked, no_text, passage, question, source, together
from afina.tasks.answers import Answers, AnswersOptions
from afina.tasks.base import Task
from afina.tasks.classification import Classification, ClassificationOptions
from afina.tasks.tokens import Tokens, TokensOptions

SINGLE = Classification(ClassificationOptions(text="text", label="label"))
PAIRS = Classification(ClassificationOptions(text="a", pair="b", label="label"))
QUESTIONS = Answers(AnswersOptions(question="q", context="c", answer="a"))
WORDS = Tokens(TokensOptions(tokens="tokens", tags="tags"))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def task(monkeypatch: pytest.MonkeyPatch, one: Task) -> None:
    """Let every model have a task."""
    monkeypatch.setattr(asking, "task_in", lambda _: one)


def test_a_text_alone_is_a_list_of_one() -> None:
    assert asked("a film", None) == ["a film"]
    assert asked(["a film"], None) == ["a film"]
    assert asked(None, "a.csv") == "a.csv"
    with pytest.raises(ConfigError, match="given beside other inputs"):
        asked("a", "b")


@pytest.mark.parametrize(
    "text", ["", "a film", "a film.csv", "3.5", "fim.", "x" * 5000, "nul\0", "http://a.b/c.html", "."]
)
def test_texts_that_are_no_names(text: str) -> None:
    assert no_text(text) == ""


def test_names_that_are_no_texts(tmp_path: Path) -> None:
    (tmp_path / "README").touch()
    (tmp_path / "my data.csv").touch()
    assert "exists" in no_text("README")
    assert "exists" in no_text("my data.csv")
    assert "there is none" in no_text("data.csv")
    assert "there is none" in no_text("data/x.jsonl.gz")


@pytest.mark.parametrize(
    ("one", "texts", "items"),
    [
        (SINGLE, ("a", "b"), ["a", "b"]),
        (WORDS, ("a b",), ["a b"]),
        (PAIRS, ("a", "b"), [("a", "b")]),
        (QUESTIONS, ("who?", "a film"), [("who?", "a film")]),
    ],
)
def test_texts_of_a_command(
    one: Task, texts: tuple[str, ...], items: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert together(one, texts) == items
    task(monkeypatch, one)
    with question("run", texts, data=None) as found:
        assert found == items


def test_another_number_of_texts() -> None:
    for texts in (("a",), ("a", "b", "c")):
        with pytest.raises(ConfigError, match=rf"expected two texts \(a, b\), found {len(texts)}"):
            together(PAIRS, texts)


def test_a_question_and_its_passage(monkeypatch: pytest.MonkeyPatch) -> None:
    task(monkeypatch, QUESTIONS)
    with question("run", (), data=None, question="who?", context="a film") as found:
        assert found == [("who?", "a film")]
    with pytest.raises(ConfigError, match="--context: missing"):
        passage(QUESTIONS, "who?", None)
    with pytest.raises(ConfigError, match="--question: missing"):
        passage(QUESTIONS, None, "a film")
    with pytest.raises(ConfigError, match="a model of classification takes two texts"):
        passage(PAIRS, "who?", "a film")


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def test_where_nothing_can_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    with source("data.csv") as path:
        assert path == "data.csv"
    monkeypatch.setattr(sys, "stdin", Terminal(io.BytesIO(b"a")))
    with pytest.raises(ConfigError, match="this is a terminal"), source("-"):
        pass
    for stream in (None, io.StringIO()):
        if stream is not None:
            stream.close()
        monkeypatch.setattr(sys, "stdin", stream)
        with pytest.raises(ConfigError, match="the standard input is closed"), source("-"):
            pass
        with pytest.raises(ConfigError, match="nothing to predict"), question("run", (), data=None):
            pass
