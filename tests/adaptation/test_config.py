"""The configuration of an adaptation: what it takes, what it refuses, and that its file says all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from afina import config as settings
from afina.adaptation.config import SHORT, USED, AdaptConfig, dump, load
from afina.errors import ConfigError
from afina.training.rundir import ADAPTS


def test_a_file_says_all_that_a_configuration_holds(tmp_path: Path) -> None:
    config = load(None, {"data.train": "/texts.csv", "text": "body", "masking.whole_word": True, "training.epochs": 2})
    file = tmp_path / "config.yaml"
    file.write_text(dump(config), encoding="utf-8")
    again = load(file)
    assert again == config
    assert load(config, {"seed": 3}).seed == 3
    assert dump(again) == dump(config)
    assert ADAPTS in dump(config).splitlines()
    assert "baseline" not in dump(config)
    with pytest.raises(ConfigError, match="masking: no such setting"):
        settings.load(file)


def test_short_names_are_paths_of_settings() -> None:
    tree = AdaptConfig().model_dump()
    for path in SHORT.values():
        section, _, name = path.partition(".")
        assert section in tree
        assert not name or name in tree[section]
        assert not name or section == "masking" or name in USED[section]
    assert {"data", "text", "model", "epochs", "learning_rate", "share", "whole_word", "hold_out"} <= set(SHORT)
    assert not {"train", "test", "label", "head", "strategy"} & set(SHORT)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("training.baseline", "off", "training.baseline: no setting of adapt"),
        ("data.test", "x.csv", "data.test: no setting of adapt"),
        ("model.head", "mean", "model.head: no setting of adapt"),
        ("strategy", "head", "strategy: no such setting"),
        ("masking.share", 1.5, "masking.share: "),
        ("masking.random_token", 0.3, "expected 1 at most"),
        ("masking.share", "many", "masking.share: expected a number"),
    ],
)
def test_what_is_refused(path: str, value: Any, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        load(None, {path: value})
    assert says in str(error.value)


def test_a_frame_is_no_file() -> None:
    wrong: Any = {"text": ["a"]}
    with pytest.raises(ConfigError, match="give data by name: data="):
        load(wrong)
