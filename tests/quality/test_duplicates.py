"""Texts that stand more than once are found within a split and across splits."""

from __future__ import annotations

from afina.data.identity import fingerprint
from afina.quality.duplicates import mirrored, swapped
from afina.records import Example
from tests.quality.audits import findings, rows


def test_repeats_and_leaks() -> None:
    train = [*rows("a", "b"), {"text": "TEXT  0 A", "label": "a"}]
    found = findings(train=train, validation=rows("a", "b", each=3, start=50), test=rows("a", each=2))
    assert found["duplicates"].places == ("train row 25",)
    assert found["duplicates"].severity == "note"
    assert found["leak"].message.startswith("test: 2 examples (100.0%) stand in train too")
    one = findings(train=train, validation=rows("a", "b", each=3, start=50), test=rows("a", each=1))
    assert one["leak"].message.startswith("test: 1 example (100.0%) stands in train too")


def test_one_text_with_two_labels() -> None:
    train = [*rows("a", "b"), {"text": "text 3 a", "label": "b"}]
    found = findings(train=train, validation=rows("a", "b", each=3, start=50))["contradictions"]
    assert found.message == "train: 1 text with more than one answer, for example 'text 3 a': 'a', 'b'"
    assert set(found.places) == {"train row 4", "train row 25"}


def test_test_data_that_chose_the_best_epoch_are_named() -> None:
    same = rows("a", each=2, start=50)
    found = findings(train=rows("a", "b"), validation=same, test=[*same, *rows("b", each=2, start=90)])
    assert set(found) == {"test-in-validation"}
    assert (found["test-in-validation"].severity, found["test-in-validation"].count) == ("warning", 2)
    assert found["test-in-validation"].places == ("test row 1", "test row 2")
    assert "2 examples (50.0%) stand in validation too" in found["test-in-validation"].message


def keys(splits: dict[str, list[Example]]) -> dict[str, list[int]]:
    return {name: [fingerprint(example) for example in examples] for name, examples in splits.items()}


def test_pairs_of_train_the_other_way_round() -> None:
    train = [Example("It rains", "chove", "a", "train row 1"), Example("same", "same", "a", "train row 2")]
    test = [
        Example("Chove", "it  rains", "a", "test row 1"),
        Example("It rains", "chove", "a", "test row 2"),
        Example("same", "same", "a", "test row 3"),
    ]
    splits = {"train": train, "test": test}
    (finding,) = mirrored(splits, keys(splits))
    assert (finding.severity, finding.code, finding.count) == ("warning", "mirrored-leak", 1)
    assert finding.places == ("test row 1",)
    assert finding.message == "test: 1 pair (33.3%) stands in train with the texts swapped"
    single = {"train": [Example("It rains")], "test": [Example("It rains")]}
    assert mirrored(single, keys(single)) == []
    assert swapped(swapped(train[0])) == train[0]
