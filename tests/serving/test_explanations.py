"""Explanations for people and for programs: nothing of a text is lost, moves a cursor or is markup."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from afina.printing import UNSAFE
from afina.serving.explanations import AGAINST, FOR, OFF, STRONG, Explanation, Explanations, Word, bar
from afina.text.words import shown_words

TEXT = "a lovely film, sadly long"
WEIGHTS = (0.01, 2.0, 0.5, 0.0, -1.2, -0.3)


def explained(text: str = TEXT, weights: tuple[float, ...] = WEIGHTS, **more: object) -> Explanation:
    """An explanation of a label, with weights of the words of a text."""
    spans = shown_words(text)
    own = [weights[i % len(weights)] for i in range(len(spans))]
    words = tuple(Word(start, end, text[start:end], weight) for (start, end), weight in zip(spans, own, strict=True))
    known = {"label": "good", "score": 0.93, "method": "gradient", "logit": 1.5, **more}
    return Explanation(text, words=words, **known)  # type: ignore[arg-type]


def test_the_words_that_matter_most_are_listed() -> None:
    lines = str(explained()).splitlines()
    assert lines[:3] == [TEXT, "good 0.9300  (gradient x input)", "weight               word"]
    assert [line.split() for line in lines[3:]] == [
        ["+2.0000", "++++++++++", "lovely"], ["-1.2000", "------", "sadly"], ["+0.5000", "++", "film"],
        ["-0.3000", "--", "long"], ["+0.0100", "+", "a"],
    ]  # fmt: skip
    assert len(explained().shown(2).splitlines()) == 5
    assert repr(explained()) == "Explanation(good 0.9300: lovely, sadly, film)"
    assert (bar(0.001), bar(-1.0)) == ("+", "-" * 10)


def test_a_text_without_an_answer_and_words_that_are_not_read() -> None:
    nothing = Explanation("", None, None, (), "gradient")
    assert str(nothing) == "\nnothing to explain"
    assert json.loads(json.dumps(nothing.record()))["label"] is None
    assert "12 words behind the length limit: not read" in str(explained(unread=12))
    assert explained(unread=12).record()["unread"] == 12
    assert str(explained(weights=(0.0,))).splitlines()[-1] == "good 0.9300  (gradient x input)"


def test_what_is_explained_has_its_place() -> None:
    assert explained(label="ART", stretch=(9, 13)).head == "ART 'film' (9-13) 0.9300"
    assert explained("who?", pair="Ana", label="Ana", stretch=(0, 3)).head == "Ana 0.9300"
    assert explained("who?", pair="Ana", label="", score=None).head == "no answer"
    assert explained(label="score", score=3.25).head == "score 3.2500"


def test_a_record_holds_everything_or_the_words_that_matter_most() -> None:
    record = explained(stretch=(2, 8)).record()
    assert json.loads(json.dumps(record)) == record
    assert [record[name] for name in ("item", "text", "label", "score", "logit")] == [0, TEXT, "good", 0.93, 1.5]
    assert record["words"][1] == {"start": 2, "end": 8, "word": "lovely", "weight": 2.0}
    assert len(record["words"]) == 6
    assert [word["word"] for word in explained().record(top=2)["words"]] == ["lovely", "sadly"]
    pair = Explanation("a", "x", 1.0, (Word(0, 1, "b", 1.0, pair=True),), "mask", pair="b").record()
    assert (pair["pair"], pair["words"][0]["pair"]) == ("b", True)


def test_colours_for_a_terminal() -> None:
    first, head, *_ = explained().coloured().splitlines()
    assert f"{FOR}{STRONG}lovely{OFF}" in first
    assert f"{AGAINST}{STRONG}sadly{OFF}" in first
    assert f"{FOR}film{OFF}" in first
    assert first.startswith("a "), "hardly any weight, and no colour"
    assert head == "good 0.9300  (gradient x input)"
    evil = explained("\x1b[31mred \x9b2J\u202ebad")
    assert not UNSAFE.search(re.sub("\x1b\\[(36|33|1|0)m", "", evil.coloured()).replace("\n", ""))
    assert "\x1b" not in str(evil)


class Tags(HTMLParser):
    """The tags of a piece of HTML, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"style", "title", "dir"}

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(max_size=40), st.text(max_size=20))
def test_html_is_inert_and_holds_the_whole_text(text: str, label: str) -> None:
    one = explained(f"{text}<script>alert(1)</script>\"'&", label=label)
    found = Tags(one._repr_html_())
    assert found.tags <= {"div", "p", "b", "small", "span"}
    assert "<script>alert(1)</script>\"'&" in found.text
    assert found.tags == Tags(Explanations([one, one])._repr_html_()).tags


@given(st.text(max_size=40))
def test_pieces_are_the_text(text: str) -> None:
    assert "".join(piece for piece, _ in explained(text).pieces(pair=False)) == text


def test_several_stand_below_one_another() -> None:
    assert str(Explanations([explained(), explained()])).count("lovely") == 4
    assert str(Explanations()) == ""
