"""Flags of the command line become settings."""

from __future__ import annotations

import json
import re
from pathlib import Path

from afina.cli import flags
from afina.cli.app import program
from tests.cli.conftest import ROWS, Trained, afina, refused


def test_flags_become_settings() -> None:
    found = flags.overrides(
        {
            "config": "x.yaml", "task": "regression", "train": "a.csv", "epochs": 3, "learning_rate": 1e-4,
            "hold_out": 0.2, "header": 'a,"b, c"', "delimiter": "\\t", "seed": 7, "quiet": True, "as_json": False,
            "settings": ["training.clip=null", "options.class_weights={good: 2}", "seed=8", "out=a=b"],
        }
    )  # fmt: skip
    assert found == {
        "task": "regression",
        "data.train": "a.csv",
        "training.epochs": 3,
        "training.learning_rate": 1e-4,
        "data.hold_out": 0.2,
        "data.header": ["a", "b, c"],
        "data.delimiter": "\t",
        "seed": 8,
        "training.clip": None,
        "options.class_weights": {"good": 2},
        "out": "a=b",
    }


def test_every_flag_of_train_is_a_setting() -> None:
    from afina.config import SHORT, Config

    (train,) = [
        one.callback for one in program().registered_commands if one.callback and one.callback.__name__ == "train"
    ]
    named = set(train.__annotations__) - {
        "call",
        "config",
        "settings",
        "quiet",
        "as_json",
        "resume",
        "overwrite",
        "return",
    }
    assert set(SHORT) <= named
    assert named - set(SHORT) == {"task", "strategy", "seed", "out"} <= set(Config.model_fields)


def test_a_file_and_flags(trained: Trained) -> None:
    Path("config.yaml").write_text(f"data: {{train: {trained.data}}}\ntraining: {{epochs: 9}}\n", encoding="utf-8")
    result = afina(
        "train", "config.yaml", "--model", trained.model, "--epochs", 1, "--set", "training.warmup=0", "--out", "run"
    )
    assert result.exit_code == 0, result.output
    saved = Path("run/config.yaml").read_text(encoding="utf-8")
    assert "epochs: 1\n" in saved
    assert re.search(r"warmup: 0(\.0)?\n", saved)


def test_a_file_without_a_header(trained: Trained) -> None:
    plain = Path("plain.csv")
    plain.write_text("".join(f"{label};{text}\n" for text, label in ROWS), encoding="latin-1")
    form = ["--header", "mood,words", "--delimiter", ";", "--encoding", "latin-1", "--text", "words", "--label", "mood"]
    result = afina("train", *trained.flags, "--train", plain, *form, "--out", "run")
    assert result.exit_code == 0, result.output
    assert "columns: text = 'words', label = 'mood'" in result.stdout
    scored = afina("evaluate", "run", "--data", plain, *form, "--json")
    assert json.loads(scored.stdout)["examples"] == len(ROWS)


def test_a_setting_without_a_value() -> None:
    refused(afina("train", "--set", "training.epochs"), "expected PATH=VALUE")


def test_flags_become_ways_to_read_a_file_and_columns() -> None:
    given = {"header": "a,b", "delimiter": "\\t", "encoding": "latin-1", "text": "a", "pair": None, "data": "x.csv"}
    assert flags.reading_options(given) == {"columns": ["a", "b"], "delimiter": "\t", "encoding": "latin-1"}
    assert flags.column_options(given) == {"text": "a"}
    assert flags.reading_options({"header": None}) == flags.column_options({}) == {}
