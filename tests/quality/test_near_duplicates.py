"""Near duplicates are found, and nothing else is called one."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from afina.quality.findings import Finding
from afina.quality.near_duplicates import ALIKE, alike, find_near_duplicates, pieces
from afina.records import Example

WORDS = [
    "the",
    "river",
    "was",
    "slow",
    "and",
    "grey",
    "that",
    "year",
    "while",
    "boats",
    "of",
    "iron",
    "passed",
    "under",
    "every",
    "bridge",
    "without",
    "a",
    "sound",
]


def texts(count: int, seed: int = 0) -> list[str]:
    generator = random.Random(seed)
    return [" ".join(generator.choices(WORDS, k=18)) for _ in range(count)]


def examples(some: Sequence[str], target: str = "a", part: str = "train") -> list[Example]:
    return [Example(text, target=target, place=f"{part} row {i}") for i, text in enumerate(some, 1)]


def label_of(example: Example) -> str:
    """The label of an example, or nothing."""
    return example.target if isinstance(example.target, str) else ""


def found(**parts: list[Example]) -> dict[str, Finding]:
    return {one.code: one for one in find_near_duplicates(parts, stratum=label_of)}


def test_texts_of_the_same_words_are_not_near() -> None:
    assert found(train=examples(texts(200)), test=examples(texts(50, 1))) == {}


def test_a_word_more_is_near_and_blanks_and_case_are_not_counted() -> None:
    some = texts(100)
    altered = [f"{some[3]} again", some[7].upper(), f"{some[9]}!"]
    inside = found(train=examples([*some, *altered]))
    assert inside["near-duplicates"].places == ("train row 101", "train row 103")
    across = found(train=examples(some), test=examples(altered, part="test"))
    assert (across["near-leak"].severity, across["near-leak"].count) == ("warning", 2)
    assert across["near-leak"].message.startswith("test: 2 examples (66.7%) nearly like one of train")


def test_nearly_the_same_text_with_another_answer() -> None:
    some = texts(30)
    both = [*examples(some), Example(f"{some[4]}.", target="b", place="train row 31")]
    message = found(train=both)["near-contradictions"].message
    assert "(train row 5) and " in message
    assert message.endswith("… (train row 31)")


def test_of_two_pairs_both_texts_must_be_near() -> None:
    first, second, third = texts(3)
    pairs = [Example(first, second, "a", "1"), Example(first, third, "b", "2"), Example(f"{first}!", second, "a", "3")]
    assert found(train=pairs)["near-duplicates"].places == ("3",)


def test_of_a_large_part_a_draw_is_looked_at_and_it_is_said() -> None:
    one = {
        finding.code: finding
        for finding in find_near_duplicates({"train": examples(texts(60))}, stratum=label_of, most=40)
    }
    assert one["near-sample"].message == "train: near duplicates were looked for among 40 random examples"


def test_all_pairs_that_are_alike_are_found() -> None:
    generator = random.Random(5)
    some = texts(60)
    for text in texts(60)[:40]:
        words = text.split()
        words[generator.randrange(len(words))] = generator.choice(["wide", "road", "sky"])
        some.append(" ".join(words))
    parts = [pieces(Example(text)) for text in some]
    later = [i for i in range(len(some)) if any(alike(parts[j], parts[i]) >= ALIKE for j in range(i))]
    assert len(later) > 10
    assert found(train=examples(some))["near-duplicates"].count == len(later)


def test_a_thousand_texts_of_one_pattern_are_compared_with_a_few_each() -> None:
    pattern = "the order with the number {} was sent to the address that was given by the customer last week"
    inside = found(train=examples([pattern.format(n) for n in range(1000)]))
    assert inside["near-duplicates"].count > 900


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_symmetric_and_one_for_equals(a: str, b: str) -> None:
    one, other = pieces(Example(a)), pieces(Example(b))
    assert alike(one, one) == 1.0 >= ALIKE
    assert alike(one, other) == alike(other, one)
