"""What is known of a run's files and of its base model, and what is left out of it."""

from __future__ import annotations

import pytest

from afina.cards.facts import base_of, file_names, finite
from afina.cards.language import language_of
from afina.records import Example


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("train.csv", ["train.csv"]),
        ("/home/ana/secret/train.csv", ["train.csv"]),
        ("/home/ana, the boss/train.csv", ["train.csv"]),
        ("/a/b/one.csv, /a/b/two.csv", ["one.csv", "two.csv"]),
        ("b/one.csv, b/two.csv, b/three.csv", ["one.csv", "two.csv", "three.csv"]),
        ("/a/one.csv, /b/two.csv", ["two.csv"]),
        ("data/*.csv", ["*.csv"]),
        ("C:\\Users\\ana\\train.csv", ["train.csv"]),
        ("/home/ana/folder/", ["folder"]),
    ],
)
def test_of_a_path_the_name_of_the_file_is_left(source: str, names: list[str]) -> None:
    assert file_names(source) == names


@pytest.mark.parametrize(
    ("name", "shown", "hub"),
    [
        ("minilm", "sentence-transformers/all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"),
        ("bert-base-cased", "google-bert/bert-base-cased", "google-bert/bert-base-cased"),
        ("somebody/some-model", "somebody/some-model", "somebody/some-model"),
        ("/home/ana/models/mine", "mine", ""),
        ("/home/ana/runs/desk/model", "desk", ""),
        ("/c/hub/models--google-bert--bert-base-cased/snapshots/0a", "google-bert/bert-base-cased",
         "google-bert/bert-base-cased"),
    ],
)  # fmt: skip
def test_the_base_model_is_named_without_its_path(name: str, shown: str, hub: str) -> None:
    base = base_of(name)
    assert (base.shown, base.hub, base.local) == (shown, hub, not hub)


def test_licences_are_known_or_not() -> None:
    known = base_of("minilm").known
    assert known is not None
    assert known.licence == "apache-2.0"
    assert base_of("somebody/some-model").known is None


def test_numbers_are_finite_or_none() -> None:
    assert [finite(one) for one in (1, 0.5, float("nan"), float("inf"), None, "a")] == [
        1.0,
        0.5,
        None,
        None,
        None,
        None,
    ]


def test_the_language_is_that_of_the_words() -> None:
    portuguese = [Example("o gato dorme em cima da mesa e não é do vizinho")] * 3
    assert language_of(portuguese) == "pt"
    assert language_of([Example("a b c")]) == ""
    assert language_of([]) == ""
