"""`afina adapt`: what it prints, what it leaves on disk, and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import ROWS, afina, refused, write_csv


@pytest.fixture
def flags(tiny: Callable[[str], Path]) -> list[object]:
    """Flags of a short adaptation."""
    write_csv(Path("texts.csv"), ROWS)
    return ["--model", tiny("bert"), "--epochs", 1, "--batch-size", 8, "--max-length", 24]


def test_it_prints_scores_and_the_next_command_and_is_listed(flags: list[object]) -> None:
    result = afina("adapt", "texts.csv", *flags, "--whole-word", "--out", "run")
    assert result.exit_code == 0, result.output
    said = result.stdout
    assert result.stderr == ""
    assert "masked-language head: the model's own" in said
    assert re.search(r"^metric +model \(95 % interval\) +before +token frequencies$", said, re.M)
    assert re.search(r"^loss +\d", said, re.M)
    assert said.endswith("run:  run\nnext: afina train --model run --train FILE\n")
    assert "whole_word: true" in Path("run/config.yaml").read_text(encoding="utf-8")
    assert re.search(r"^run +adapt +texts.csv +masked words +validation loss", afina("runs", ".").stdout, re.M)
    trained = afina("train", "texts.csv", "--model", "run", "--epochs", 1, "--quiet", "--out", "tuned")
    assert trained.exit_code == 0, trained.output
    refused(afina("predict", "run", "a cat"), "is not a fine-tuned model that afina has a task for")
    repeated = afina("adapt", "run/config.yaml", "--out", "again", "--json")
    record = json.loads(repeated.stdout)
    assert (
        record["validation"]["loss"]["value"]
        == json.loads(Path("run/run.json").read_text())["validation"]["metrics"]["loss"]
    )
    assert set(record["baselines"]["validation"]) == {"before", "token frequencies"}


def test_what_it_refuses(flags: list[object]) -> None:
    refused(afina("adapt", *flags), "data.train: name the texts (--data FILE)")
    refused(afina("adapt", "texts.csv", "--data", "texts.csv", *flags), "the texts are named by --data")
    refused(afina("adapt", "texts.csv", *flags, "--share", "2"), "masking.share")
    refused(afina("adapt", "texts.csv", *flags, "--set", "training.metric=f1"), "training.metric: no setting of adapt")
    refused(afina("adapt", "--resume", "nothing"), "holds no unfinished run")
