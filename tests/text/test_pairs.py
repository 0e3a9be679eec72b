"""A pair is read as both texts, or as less."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import afina
from afina.config import load
from afina.data.parts import read_data
from afina.errors import ConfigError
from afina.records import Example, Features
from afina.text.pairs import WAYS, PairAs, presented
from afina.text.tokenization import Tokenizer
from afina.training.run import stream
from tests import runs


@pytest.mark.parametrize(
    ("how", "texts"),
    [
        ("both", ("a cat", "a dog")),
        ("first", ("a cat", None)),
        ("second", ("a dog", None)),
        ("swapped", ("a dog", "a cat")),
        ("joined", ("a cat a dog", None)),
    ],
)
def test_a_pair_is_read_as_asked(how: PairAs, texts: tuple[str, str | None]) -> None:
    pair = Example("a cat", "a dog", "good", "x:1")
    found = presented(pair, how)
    assert (found.text, found.pair) == texts
    assert (found.target, found.place) == ("good", "x:1")
    assert presented(Example("a cat"), how) == Example("a cat")


def test_every_way_is_known() -> None:
    assert set(WAYS) == set(PairAs.__args__)  # type: ignore[attr-defined]


ROWS = [
    {"sentence1": f"the {animal} {verb}", "sentence2": f"a {animal} is {state}", "label": label}
    for animal in ("cat", "dog", "bird")
    for verb in ("sleeps", "barks")
    for state, label in (("great", "good"), ("poor", "bad"))
]


@pytest.mark.parametrize("how", ["first", "joined"])
def test_training_and_use_read_the_same_of_a_pair(
    how: str, tiny: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Example] = []
    encode = Tokenizer.encode

    def watched(self: Tokenizer, examples: Sequence[Example], **settings: Any) -> list[Features]:
        seen.extend(examples)
        return encode(self, examples, **settings)

    monkeypatch.setattr(Tokenizer, "encode", watched)
    config = runs.configured(tiny("bert"), tmp_path / "run", options__pair_as=how, training__epochs=1)
    data = read_data(config, {"train": ROWS, "validation": ROWS[::3], "test": ROWS[::4]})
    assert {one.pair for one in data.splits["train"]} == {row["sentence2"] for row in ROWS}
    runs.finished(stream(config, data))
    assert load(tmp_path / "run" / "config.yaml").options["pair_as"] == how
    texts = {row["sentence1"] + (f" {row['sentence2']}" if how == "joined" else "") for row in ROWS}
    assert {(one.text, one.pair) for one in seen} == {(text, None) for text in texts}
    seen.clear()
    model = afina.load(tmp_path / "run")
    model.predict([("the cat sleeps", "a cat is great")])
    assert [(one.text, one.pair) for one in seen] == [
        ("the cat sleeps" if how == "first" else "the cat sleeps a cat is great", None)
    ]


def test_single_texts_are_no_pairs(tiny: Callable[[str], Path], tmp_path: Path) -> None:
    config = runs.configured(tiny("bert"), tmp_path / "run", options__pair_as="swapped")
    with pytest.raises(ConfigError, match=r"options.pair_as: swapped is about pairs, and these are single texts"):
        runs.data_of(config)
    with pytest.raises(ConfigError, match=r"options.pair_as"):
        runs.configured(tiny("bert"), tmp_path / "run", options__pair_as="third")
