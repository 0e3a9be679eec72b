"""What can be explained of tags and entities: the logits of the tags that the decoder read, and no others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from afina.errors import ConfigError
from afina.records import Example, Window
from afina.tasks.calibrations import Calibration
from afina.tasks.tokens import Tokens

TEXT, WORDS = "Ana Sá mora", ((0, 3), (4, 6), (7, 11))
SPANS = np.array([(0, 0), (0, 2), (2, 3), (4, 6), (7, 11), (0, 0)], np.int32)
"""Two tokens make the first word."""
SEGMENTS = np.array([-1, 0, 0, 0, 0, -1], np.int32)
WINDOW = Window(np.arange(6, dtype=np.int32), np.zeros(6, np.int32), SEGMENTS, SPANS, (1, 5))
EXAMPLE = Example(TEXT, words=WORDS, place="item 2")
Logits = st.lists(st.floats(-4, 4), min_size=30, max_size=30).map(lambda row: np.array(row).reshape(6, 5))


def task(kind: str = "entities", scheme: str = "BIO", **fitted: object) -> Tokens:
    more = {"common": "LOC"} if kind == "plain" else {"scheme": scheme}
    return Tokens(
        Tokens.Options(tokens="tokens", tags="tags"), {"kind": kind, "types": ["LOC", "PER"], **more, **fitted}
    )


def logits_of(tags: dict[int, str], known: list[str]) -> np.ndarray:
    """Logits that give some tokens a tag, and all others the first."""
    table = np.zeros((6, len(known)))
    table[:, 0] = 2.0
    for row, tag in tags.items():
        table[row, known.index(tag)] = 5.0
    return table


@given(Logits, st.floats(0.5, 3))
def test_entities_are_explained_with_the_scores_that_are_predicted(logits: np.ndarray, temperature: float) -> None:
    for one, example in ((task(), EXAMPLE), (task(scheme="spans"), Example(TEXT))):
        known = one.with_calibration(Calibration(temperature=temperature))
        said = known.decode(example, [WINDOW], [logits])["entities"]
        aims = known.aims(example, [WINDOW], [logits], None)
        assert [aim.label for aim in aims] == [one["label"] for one in said]
        np.testing.assert_allclose([aim.score or 0.0 for aim in aims], [one["score"] for one in said])
        places = WORDS if example.words else None
        for aim, entity in zip(aims, said, strict=True):
            start, end = entity["start"], entity["end"]
            assert aim.stretch == ((start, end) if places is None else (places[start][0], places[end - 1][1]))
            assert sum(term.factor for term in aim.terms) == pytest.approx(1.0)


@given(Logits)
def test_plain_tags_have_an_aim_a_word(logits: np.ndarray) -> None:
    plain, rows = task("plain"), logits[:, :2]
    said = plain.decode(EXAMPLE, [WINDOW], [rows])
    aims = plain.aims(EXAMPLE, [WINDOW], [rows], None)
    assert [aim.label for aim in aims] == said["tags"]
    np.testing.assert_allclose([aim.score or 0.0 for aim in aims], said["scores"])
    assert [aim.terms[0].row for aim in aims] == [1, 3, 4]  # the first token of each word
    assert len(plain.aims(EXAMPLE, [WINDOW], [rows], "PER")) == said["tags"].count("PER")


def test_one_label_or_a_stretch() -> None:
    one = task()
    logits = logits_of({1: "B-PER", 3: "I-PER", 4: "B-LOC"}, one.tags)
    assert [aim.label for aim in one.aims(EXAMPLE, [WINDOW], [logits], "LOC")] == ["LOC"]
    (ana,) = one.aims(EXAMPLE, [WINDOW], [logits], (0, 5))
    assert (ana.label, ana.stretch) == ("PER", (0, 6))
    assert [one.tags[term.column] for term in ana.terms] == ["B-PER", "I-PER"]
    (other,) = one.aims(EXAMPLE, [WINDOW], [logits], (4, 11, "LOC"))
    assert [one.tags[term.column] for term in other.terms] == ["B-LOC", "I-LOC"]
    assert other.value([logits]) == 0.0
    (outside,) = one.aims(EXAMPLE, [WINDOW], [logits], (0, 3, "O"))
    assert (outside.label, outside.value([logits])) == ("O", 2.0)
    with pytest.raises(ConfigError, match="item 2: label: there is no word that is read at the characters 3 to 4"):
        one.aims(EXAMPLE, [WINDOW], [logits], (3, 4))
    for wrong in ("DATE", (0, 3, "DATE")):
        with pytest.raises(ConfigError, match="label: 'DATE' is not a label of this model; there are: 'LOC', 'PER'"):
            one.aims(EXAMPLE, [WINDOW], [logits], wrong)


def test_tags_of_somebody_elses_scheme_are_the_ones_that_were_given() -> None:
    tags = ["O", "B-PER", "I-PER", "E-PER", "S-PER"]
    stock = task(tags=tags, types=["PER"], common="O")
    logits = logits_of({1: "B-PER", 3: "E-PER"}, tags)
    (aim,) = stock.aims(EXAMPLE, [WINDOW], [logits], None)
    assert [tags[term.column] for term in aim.terms] == ["B-PER", "E-PER"]


def test_a_word_is_read_where_it_has_most_context() -> None:
    one = task()
    first = Window(WINDOW.ids, WINDOW.types, WINDOW.segments, WINDOW.spans, (1, 4))
    second = Window(WINDOW.ids, WINDOW.types, WINDOW.segments, WINDOW.spans, (4, 5))
    logits = logits_of({1: "B-PER", 4: "B-LOC"}, one.tags)
    per, loc = one.aims(EXAMPLE, [first, second], [logits, logits], None)
    assert ([term.window for term in per.terms], [term.window for term in loc.terms]) == ([0], [1])
