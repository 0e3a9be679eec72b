"""The page: nothing from outside is code in it, it loads nothing, and it has an end."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.outputs import page
from afina.outputs.page import clean, paragraph
from afina.records import Mark
from tests.outputs.answered import answer, entity, one_question, one_text, task_of, written

SPANS = task_of("tokens", {"kind": "entities", "types": ["PER"], "scheme": "spans"}, text="text")


class Seen(HTMLParser):
    """The tags and the text of a page; every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert {name for name, _ in attrs} <= {"charset", "http-equiv", "content", "name", "lang", "class", "dir"}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_with_marks(tmp_path: Path) -> None:
    text = "<script>Ana</script> & [x]"
    answers = [one_text(text, {"entities": [entity(text, 8, 11, "PER<")]}), one_text("b", {"entities": []})]
    html = written(tmp_path, answers, SPANS, name="html")
    seen = Seen(html)
    assert "script" not in seen.tags
    assert seen.tags.count("mark") == 1
    assert "<script>AnaPER< 0.88</script> & [x]" in seen.text
    assert "nothing found" in seen.text
    (digest,) = re.findall(r"default-src 'none'; style-src 'sha256-(.*?)'", html)
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert base64.b64decode(digest) == hashlib.sha256(style.encode()).digest()
    assert "light dark" in style
    assert not re.search(r"https?:|url\(|style=", html)


def test_other_answers_stand_below_their_texts(tmp_path: Path) -> None:
    passage = "no Porto"
    said = [one_question("onde?", passage, answer(passage, *span)) for span in ((3, 8), (0, 0))]
    seen = Seen(written(tmp_path, said, task_of("answers", {}), name="html"))
    assert "onde?no Portoanswer 0.75" in seen.text
    assert "no answer 0.75" in seen.text
    one = one_text("<b>", {"label": "good", "probabilities": {"good": 0.75, "bad": 0.25}})
    seen = Seen(written(tmp_path, [one], task_of("classification", {"labels": ["good", "bad"]}), name="html"))
    assert "<b>good 0.75 (bad 0.25)" in seen.text


def test_a_page_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "TEXTS", 3)
    monkeypatch.setattr(page, "LONGEST", 10)
    text = "Ana " * 100
    answers = [one_text(text, {"entities": [entity(text, 0, 3, "PER"), entity(text, 396, 399, "PER")]})] * 5
    seen = Seen(written(tmp_path, answers, SPANS, name="html"))
    assert seen.tags.count("li") == seen.tags.count("mark") == 3
    assert "390 more characters" in seen.text
    assert "the first 3 of 5 are shown" in seen.text


@given(st.text(max_size=20))
def test_any_text_is_only_text(text: str) -> None:
    seen = Seen(paragraph(text, [Mark(0, len(text), text)] if text else [], {}))
    assert set(seen.tags) <= {"p", "mark", "small"}


def test_signs_that_turn_the_writing_are_seen() -> None:
    assert clean("a\u202eb\x00c\td\n") == "a\\u202eb\\x00c\td\n"
